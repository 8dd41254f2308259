// SQLite's C handles, wrapped once; nothing else includes sqlite3.h.
//
// Errors come in three kinds: `bad_request`, the data breaks a rule of the schema and another try
// cannot help; `bad_config`, the file cannot be used; `storage`, trouble that may pass (disk full,
// I/O error, locked).
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/result.h"

namespace lichen::ledger {

/// A connection. Used by one thread at a time.
class Database {
 public:
  /// Opens the file, or makes it, with the ledger's settings: write-ahead log, each commit synced,
  /// foreign keys enforced.
  static Result<Database> open(const std::filesystem::path& file,
                               std::chrono::milliseconds busy_timeout);

  /// Runs statements that return no rows.
  Result<void> run(const std::string& sql);
  /// First column of the first row.
  Result<std::int64_t> number(const std::string& sql);

  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }
  const std::string& name() const { return name_; }  // "ledger FILE", for messages
  /// What the last call on this connection, which answered `code`, complains of.
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database(sqlite3* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  /// Has the file keep a write-ahead log.
  Result<void> keep_log(std::chrono::milliseconds busy_timeout);

  std::unique_ptr<sqlite3, Close> handle_;
  std::string name_;
};

/// The rows of a running statement; rewinds it at the end of its life, so that no read transaction
/// stays open. The statement's failure to start is reported by `next`.
class Rows {
 public:
  Rows(const Database& database, sqlite3_stmt* statement, int code)
      : database_(database), statement_(statement), code_(code) {}
  ~Rows() { sqlite3_reset(statement_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Goes to the next row; false when there is none.
  Result<bool> next();

  // Columns of the row, from 0.
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  bool flag(int column) const { return integer(column) != 0; }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::optional<double> maybe_real(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::string text(int column) const;  // empty for null

 private:
  const Database& database_;
  sqlite3_stmt* statement_;
  int code_;
};

/// A statement that is prepared when it is first used and kept. Lives within its database's life.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql) : database_(database), sql_(sql) {}

  /// Binds `values` to the parameters and runs; one set of rows at a time.
  template <class... Value>
  Rows query(const Value&... values) {
    int code = prepare();
    int parameter = 0;
    ((code = code == SQLITE_OK ? bind(++parameter, values) : code), ...);
    return Rows(database_, statement_.get(), code);
  }
  template <class... Value>
  Result<void> run(const Value&... values) {
    Rows rows = query(values...);
    Result<bool> row = rows.next();
    while (row && *row) row = rows.next();
    if (!row) return std::unexpected(row.error());
    return {};
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  int prepare();
  int bind(int parameter, std::int64_t value);
  int bind(int parameter, bool value) { return bind(parameter, std::int64_t{value}); }
  int bind(int parameter, double value);
  int bind(int parameter, const char* value) = delete;  // would be a bool
  int bind(int parameter, std::string_view value);
  int bind_null(int parameter);
  template <class Value>
  int bind(int parameter, const std::optional<Value>& value) {
    return value ? bind(parameter, *value) : bind_null(parameter);
  }

  const Database& database_;
  std::string_view sql_;  // a literal
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace lichen::ledger
