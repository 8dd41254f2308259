// libpq's C handles, wrapped once; nothing else includes libpq-fe.h.
//
// Errors come in three kinds, as a Store's: `bad_request`, the data breaks a rule of the schema and
// another try cannot help; `bad_config`, the server refuses us or holds something else; `storage`,
// trouble that may pass (not reached, too late, disk full). None of them shows a password or a row.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "lichen/result.h"

namespace lichen::ledger {

/// Text as PostgreSQL takes it: what is not UTF-8, and NUL, becomes U+FFFD.
std::string storable(std::string_view text);

/// One column of many rows, as an array that `unnest` takes apart.
class Column {
 public:
  void add(std::int64_t value);
  void add(bool value) { add(std::int64_t{value}); }
  void add(double value);  // one that is no number becomes null
  void add(std::string_view value);
  void add(const std::string& value) { add(std::string_view(value)); }
  void add(const char* value) = delete;  // would be a bool
  template <class Value>
  void add(const std::optional<Value>& value) {
    value ? add(*value) : add_null();
  }
  void add_null();

  bool empty() const { return text_.empty(); }
  /// "{1,2,NULL}"; leaves the column empty.
  std::string take();

 private:
  void separate() { text_ += text_.empty() ? '{' : ','; }

  std::string text_;
};

/// A statement and its parameters, $1 and so on: numbers and texts as such, columns as arrays.
class Command {
 public:
  template <class... Value>
  explicit Command(std::string sql, Value&&... values) : sql_(std::move(sql)) {
    values_.reserve(sizeof...(values));
    (bind(std::forward<Value>(values)), ...);
  }

  const std::string& sql() const { return sql_; }
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  void bind(std::int64_t value) { values_.push_back(std::to_string(value)); }
  void bind(double value);
  void bind(std::string_view value) { values_.push_back(storable(value)); }
  void bind(const std::string& value) { bind(std::string_view(value)); }
  void bind(const char* value) = delete;
  void bind(Column& column) { values_.push_back(column.take()); }
  template <class Value>
  void bind(const std::optional<Value>& value) {
    value ? bind(*value) : values_.push_back(std::nullopt);
  }

  std::string sql_;
  std::vector<std::optional<std::string>> values_;
};

/// One row of a reply, within the reply's life.
class ReplyRow {
 public:
  ReplyRow(const PGresult* result, int row) : result_(result), row_(row) {}

  // Columns of the row, from 0. Null is 0 or empty where it has no other meaning.
  std::int64_t integer(int column) const;
  bool flag(int column) const { return raw(column) == "t"; }
  double real(int column) const;
  std::optional<double> maybe_real(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::string text(int column) const { return std::string(raw(column)); }

 private:
  bool null(int column) const { return PQgetisnull(result_, row_, column) != 0; }
  std::string_view raw(int column) const;

  const PGresult* result_;
  int row_;
};

/// What a statement has returned.
class Reply {
 public:
  explicit Reply(PGresult* result) : result_(result) {}

  int size() const { return PQntuples(result_.get()); }
  ReplyRow operator[](int row) const { return {result_.get(), row}; }
  /// Rows that were inserted, updated or deleted.
  std::int64_t changes() const;
  PGresult* get() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// A connection. Used by one thread at a time. Waits `timeout` at most for each sign of life of the
/// server, and has the server give up a statement after as long; after an error it must be thrown
/// away, unless the statement was refused (`bad_request`) and its transaction is rolled back.
class Connection {
 public:
  static Result<Connection> open(const Server& server, std::chrono::milliseconds timeout);

  /// All at once: one way there and one back. One transaction, unless they begin or end one
  /// themselves; what follows one that fails is not done.
  Result<std::vector<Reply>> run(std::span<const Command> commands);
  Result<Reply> run(const Command& command);
  /// Statements without parameters and rows, which may take as long as they need.
  Result<void> script(const std::string& sql);

  /// False where the server has closed the connection; asks nobody.
  bool alive();
  const std::string& name() const { return name_; }  // "ledger URL", for messages

 private:
  struct Finish {
    void operator()(PGconn* handle) const { PQfinish(handle); }
  };
  Connection(PGconn* handle, std::string name, std::chrono::milliseconds timeout)
      : handle_(handle), name_(std::move(name)), timeout_(timeout) {}

  Result<void> greet(std::chrono::milliseconds patience);
  /// Sends what is left to send and waits for the next result; null: the statement has no more.
  Result<Reply> next(std::optional<std::chrono::milliseconds> patience);
  /// Until the socket can be read, or written if that is wanted, too.
  Result<void> wait(bool read, bool write, std::chrono::steady_clock::time_point deadline);
  Error broken();                     // what libpq says of the connection
  Error refused(const Reply&) const;  // what the server says of a statement

  std::unique_ptr<PGconn, Finish> handle_;
  std::string name_;
  std::chrono::milliseconds timeout_;
};

}  // namespace lichen::ledger
