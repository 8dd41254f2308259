#include "ledger/sqlite.h"

#include <system_error>
#include <thread>

namespace lichen::ledger {
namespace {

Errc errc(int code) {
  switch (code & 0xFF) {  // the low byte is the primary code
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return Errc::bad_request;
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_READONLY: return Errc::bad_config;
    default: return Errc::storage;
  }
}

}  // namespace

Result<Database> Database::open(const std::filesystem::path& file,
                                std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Database database(handle, "ledger " + file.string());  // a failed open leaves a handle too
  if (code != SQLITE_OK) return std::unexpected(database.error(code));
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));

  if (Result<void> logged = database.keep_log(busy_timeout); !logged) {
    return std::unexpected(logged.error());
  }
  Result<void> set = database.run(
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA journal_size_limit = 67108864");
  if (!set) return std::unexpected(set.error());
  return database;
}

Result<void> Database::keep_log(std::chrono::milliseconds busy_timeout) {
  const auto deadline = std::chrono::steady_clock::now() + busy_timeout;
  while (true) {
    Statement journal(*this, "PRAGMA journal_mode = WAL");
    Rows rows = journal.query();
    Result<bool> row = rows.next();
    if (row) {
      if (rows.text(0) == "wal") return {};
      return fail(Errc::bad_config, name_ +
                                        ": its file system offers no write-ahead log; put the "
                                        "ledger on a local disk");
    }
    // SQLite does not wait here where another process makes the same change of a new file.
    if ((sqlite3_errcode(handle()) & 0xFF) != SQLITE_BUSY ||
        std::chrono::steady_clock::now() >= deadline) {
      return std::unexpected(row.error());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<void> Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code));
  return {};
}

Result<std::int64_t> Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  Rows rows = statement.query();
  Result<bool> row = rows.next();
  if (!row) return std::unexpected(row.error());
  return rows.integer(0);
}

Error Database::error(int code) const {
  std::string detail = name_ + ": ";
  if (handle_ == nullptr) return Error{errc(code), detail + sqlite3_errstr(code)};
  detail += sqlite3_errmsg(handle());
  // "disk I/O error" alone helps nobody; the system's reason does.
  const int reason = sqlite3_system_errno(handle());
  const int primary = code & 0xFF;
  if (reason != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)) {
    detail += " (" + std::system_category().message(reason) + ")";
  }
  return Error{errc(code), std::move(detail)};
}

Result<bool> Rows::next() {
  if (code_ == SQLITE_OK || code_ == SQLITE_ROW) code_ = sqlite3_step(statement_);
  if (code_ == SQLITE_ROW) return true;
  if (code_ == SQLITE_DONE) return false;
  return std::unexpected(database_.error(code_));
}

std::optional<double> Rows::maybe_real(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return real(column);
}

std::optional<std::int64_t> Rows::maybe_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string Rows::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(statement_, column);
  if (bytes == nullptr) return {};
  return std::string(reinterpret_cast<const char*>(bytes),
                     static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

int Statement::prepare() {
  if (statement_) return SQLITE_OK;
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.handle(), sql_.data(), static_cast<int>(sql_.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  return code;
}

int Statement::bind(int parameter, std::int64_t value) {
  return sqlite3_bind_int64(statement_.get(), parameter, value);
}

int Statement::bind(int parameter, double value) {
  return sqlite3_bind_double(statement_.get(), parameter, value);
}

int Statement::bind(int parameter, std::string_view value) {
  const char* bytes = value.data() == nullptr ? "" : value.data();  // a null pointer binds null
  return sqlite3_bind_text64(statement_.get(), parameter, bytes, value.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

int Statement::bind_null(int parameter) { return sqlite3_bind_null(statement_.get(), parameter); }

}  // namespace lichen::ledger
