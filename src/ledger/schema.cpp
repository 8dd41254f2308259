#include "ledger/schema.h"

#include <array>
#include <optional>
#include <string>
#include <tuple>

namespace lichen::ledger {
namespace {

/// "Lich", in the file's header: this database is a ledger (PRAGMA application_id).
constexpr std::int64_t kApplicationId = 0x4C696368;

constexpr const char* kTables = R"(
CREATE TABLE receipts (
  seq            INTEGER PRIMARY KEY,   -- in the order of recording
  id             TEXT NOT NULL UNIQUE,
  plan           TEXT NOT NULL,
  started_ns     INTEGER NOT NULL,      -- since 1970, UTC
  first_token_ms REAL,                  -- null: nothing was written
  total_ms       REAL NOT NULL,
  finish         TEXT,                  -- null: it failed
  error          TEXT                   -- null: it did not
) STRICT;

CREATE TABLE steps (
  receipt       INTEGER NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position      INTEGER NOT NULL,       -- from 0
  model         TEXT NOT NULL,
  role          TEXT NOT NULL,
  tokens_in     INTEGER NOT NULL,
  tokens_out    INTEGER NOT NULL,
  tokens_cached INTEGER NOT NULL,
  estimated     INTEGER NOT NULL CHECK (estimated IN (0, 1)),
  remote        INTEGER NOT NULL CHECK (remote IN (0, 1)),
  bytes_sent    INTEGER NOT NULL,
  queued_ms     REAL NOT NULL,
  prefill_ms    REAL NOT NULL,
  decode_ms     REAL NOT NULL,
  usd           REAL,                   -- null: no price
  joules        REAL,                   -- null: not measured
  PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
  receipt   INTEGER NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position  INTEGER NOT NULL,
  mechanism TEXT NOT NULL,
  choice    TEXT NOT NULL,
  reason    TEXT NOT NULL,
  PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE authors (
  receipt  INTEGER NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position INTEGER NOT NULL,
  model    TEXT NOT NULL,
  tokens   INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;
)";

constexpr const char* kTimeIndex = "CREATE INDEX receipts_by_start ON receipts (started_ns);";

constexpr const char* kLosses = R"(
CREATE TABLE losses (
  run      TEXT PRIMARY KEY,            -- one opening of this file: "run_" and a ULID
  receipts INTEGER NOT NULL             -- that were dropped unwritten
) STRICT, WITHOUT ROWID;
)";

/// What a decision compared; null where it compared nothing.
constexpr const char* kScores =
    "ALTER TABLE decisions ADD COLUMN score REAL;"
    "ALTER TABLE decisions ADD COLUMN threshold REAL;";

constexpr const char* kFeedback = R"(
CREATE TABLE feedback (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which it was given
  receipt INTEGER NOT NULL UNIQUE REFERENCES receipts ON DELETE CASCADE,
  score   REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
  comment TEXT                          -- null: none
) STRICT;
)";

constexpr const char* kKept = R"(
CREATE TABLE kept (                     -- what mechanisms have learned, for the next run
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;
)";

constexpr const char* kPrompts = R"(
CREATE TABLE prompts (                  -- of plans that are recorded
  receipt INTEGER PRIMARY KEY REFERENCES receipts ON DELETE CASCADE,
  text    TEXT NOT NULL
) STRICT;
)";

constexpr const char* kDrafts = R"(
CREATE TABLE drafts (
  receipt  INTEGER NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position INTEGER NOT NULL,
  author   TEXT NOT NULL,
  drafted  INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;
)";

/// Null: asked without a key; not one of several urls.
constexpr const char* kKeys = R"(
CREATE TABLE keys (                     -- virtual keys
  id                  TEXT PRIMARY KEY, -- no secret
  name                TEXT NOT NULL,
  hash                TEXT NOT NULL,    -- SHA-256 of the secret
  created_ns          INTEGER NOT NULL,
  expires_ns          INTEGER,
  revoked_ns          INTEGER,
  plans               TEXT NOT NULL,    -- a JSON list of names; empty: all
  requests_per_minute INTEGER,          -- null: no limit, as in the following
  tokens_per_minute   INTEGER,
  requests_at_once    INTEGER,
  budget_usd          REAL,
  period              TEXT NOT NULL     -- of the budget: total, day, week or month
) STRICT, WITHOUT ROWID;

ALTER TABLE receipts ADD COLUMN key TEXT;
ALTER TABLE steps ADD COLUMN upstream TEXT;
CREATE INDEX receipts_by_key ON receipts (key, started_ns) WHERE key IS NOT NULL;
)";

constexpr std::array kMigrations = {kTables, kTimeIndex, kLosses, kScores, kFeedback,
                                    kKept,   kPrompts,   kDrafts, kKeys};

/// A file without a version must be empty, and one with a version must be a ledger.
Result<void> check_owner(Database& database, std::int64_t version) {
  if (version > 0) {
    Result<std::int64_t> owner = database.number("PRAGMA application_id");
    if (!owner) return std::unexpected(owner.error());
    if (*owner == kApplicationId) return {};
  } else {
    Result<std::int64_t> objects = database.number("SELECT count(*) FROM sqlite_schema");
    if (!objects) return std::unexpected(objects.error());
    if (*objects == 0) return {};
  }
  return fail(Errc::bad_config,
              database.name() + ": another program's database; name another file as the ledger");
}

/// What makes the file one version newer; none where it is the newest.
Result<std::optional<std::string>> next_step(Database& database,
                                             std::span<const char* const> steps) {
  Result<std::int64_t> version = database.number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (Result<void> ours = check_owner(database, *version); !ours) {
    return std::unexpected(ours.error());
  }
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (*version == newest) return std::nullopt;
  if (*version > newest) {
    return fail(Errc::bad_config, database.name() + ": schema version " + std::to_string(*version) +
                                      ", but this Lichen knows up to " + std::to_string(newest) +
                                      "; use a newer Lichen, or name another file");
  }
  return steps[static_cast<std::size_t>(*version)] +
         ("; PRAGMA user_version = " + std::to_string(*version + 1)) +
         "; PRAGMA application_id = " + std::to_string(kApplicationId);
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

Result<void> migrate(Database& database, std::span<const char* const> steps) {
  while (true) {
    // Others may be at the same work: only under the lock do version and contents belong together.
    // A file that is ready, as nearly all are, is not locked for that.
    if (database.number("PRAGMA user_version") == static_cast<std::int64_t>(steps.size()) &&
        database.number("PRAGMA application_id") == kApplicationId) {
      return {};
    }
    if (Result<void> begun = database.run("BEGIN IMMEDIATE"); !begun) return begun;
    Result<std::optional<std::string>> step = next_step(database, steps);
    Result<void> done = {};
    if (!step) {
      done = std::unexpected(step.error());
    } else if (*step) {
      done = database.run(**step);
    }
    if (done) done = database.run("COMMIT");
    if (!done) {
      std::ignore = database.run("ROLLBACK");  // fails where SQLite has rolled back itself
      return done;
    }
    if (!*step) return {};
  }
}

}  // namespace lichen::ledger
