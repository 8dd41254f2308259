// The ledger in a SQLite file.
#include <cstdlib>
#include <system_error>
#include <utility>

#include "ledger/ledger.h"
#include "ledger/sqlite_store.h"
#include "ledger/stored_ledger.h"

namespace lichen::ledger {

namespace fs = std::filesystem;

Result<std::unique_ptr<Ledger>> Ledger::open(fs::path path, LedgerOptions options) {
  if (path.has_parent_path()) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) {
      return fail(Errc::bad_config,
                  "ledger " + path.string() + ": its folder cannot be made: " + error.message());
    }
  }
  auto ledger = StoredLedger::open(
      std::make_unique<SqliteStore>(std::move(path), options.busy_timeout), options);
  if (!ledger) return std::unexpected(ledger.error());
  (*ledger)->start_reading();  // while there is room for what that needs beside the file
  return *std::move(ledger);
}

Result<fs::path> default_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && fs::path(state).is_absolute())
    return fs::path(state) / "lichen/ledger.db";
  const char* home = std::getenv("HOME");
  if (home != nullptr && fs::path(home).is_absolute()) {
    return fs::path(home) / ".local/state/lichen/ledger.db";
  }
  return fail(Errc::bad_config,
              "no place for the ledger: neither XDG_STATE_HOME nor HOME is set; configure "
              "`ledger: {path: FILE}`, or `{path: none}`");
}

}  // namespace lichen::ledger
