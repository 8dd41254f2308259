#include "ledger/postgres_schema.h"

#include <array>
#include <string>
#include <tuple>

namespace lichen::ledger {
namespace {

/// The columns are those of SQLite's tables (ledger/schema.cpp). Names are compared by their bytes.
constexpr const char* kTables = R"(
CREATE TABLE receipts (
  seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id             text COLLATE "C" NOT NULL UNIQUE,
  plan           text COLLATE "C" NOT NULL,
  started_ns     bigint NOT NULL,       -- since 1970, UTC
  first_token_ms float8,                -- null: nothing was written
  total_ms       float8 NOT NULL,
  finish         text,                  -- null: it failed
  error          text,                  -- null: it did not
  key            text COLLATE "C"       -- null: asked without a key
);
CREATE INDEX receipts_by_start ON receipts (started_ns);
CREATE INDEX receipts_by_key ON receipts (key, started_ns) WHERE key IS NOT NULL;

CREATE TABLE steps (
  receipt       bigint NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position      bigint NOT NULL,        -- from 0
  model         text COLLATE "C" NOT NULL,
  role          text NOT NULL,
  tokens_in     bigint NOT NULL,
  tokens_out    bigint NOT NULL,
  tokens_cached bigint NOT NULL,
  estimated     boolean NOT NULL,
  remote        boolean NOT NULL,
  bytes_sent    bigint NOT NULL,
  queued_ms     float8 NOT NULL,
  prefill_ms    float8 NOT NULL,
  decode_ms     float8 NOT NULL,
  usd           float8,                 -- null: no price
  joules        float8,                 -- null: not measured
  upstream      text,                   -- null: not one of several urls
  PRIMARY KEY (receipt, position)
);

CREATE TABLE decisions (
  receipt   bigint NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position  bigint NOT NULL,
  mechanism text NOT NULL,
  choice    text NOT NULL,
  reason    text NOT NULL,
  score     float8,                     -- what was compared; null: nothing was
  threshold float8,
  PRIMARY KEY (receipt, position)
);

CREATE TABLE authors (
  receipt  bigint NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position bigint NOT NULL,
  model    text COLLATE "C" NOT NULL,
  tokens   bigint NOT NULL,
  bytes    bigint NOT NULL,
  PRIMARY KEY (receipt, position)
);

CREATE TABLE drafts (
  receipt  bigint NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position bigint NOT NULL,
  author   text NOT NULL,
  drafted  bigint NOT NULL,
  accepted bigint NOT NULL,
  PRIMARY KEY (receipt, position)
);

CREATE TABLE prompts (                  -- of plans that are recorded
  receipt bigint PRIMARY KEY REFERENCES receipts ON DELETE CASCADE,
  text    text NOT NULL
);

CREATE TABLE feedback (
  seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order in which it was given
  receipt bigint NOT NULL UNIQUE REFERENCES receipts ON DELETE CASCADE,
  score   float8 NOT NULL CHECK (score BETWEEN 0 AND 1),
  comment text                          -- null: none
);

CREATE TABLE kept (                     -- what mechanisms have learned, for the next run
  name text COLLATE "C" PRIMARY KEY,
  text text NOT NULL
);

CREATE TABLE losses (
  run      text COLLATE "C" PRIMARY KEY,  -- one opening of this ledger: "run_" and a ULID
  receipts bigint NOT NULL              -- that were dropped unwritten
);

CREATE TABLE keys (                     -- virtual keys
  id                  text COLLATE "C" PRIMARY KEY,  -- no secret
  name                text NOT NULL,
  hash                text NOT NULL,    -- SHA-256 of the secret
  created_ns          bigint NOT NULL,
  expires_ns          bigint,
  revoked_ns          bigint,
  plans               text NOT NULL,    -- a JSON list of names; empty: all
  requests_per_minute bigint,           -- null: no limit, as in the following
  tokens_per_minute   bigint,
  requests_at_once    bigint,
  budget_usd          float8,
  period              text NOT NULL     -- of the budget: total, day, week or month
);
)";

/// What gateways share of keys' limits. Money is in decimals: added up they stay exact.
constexpr const char* kAllowances = R"(
CREATE TABLE spending (                 -- what receipts add up to, which it outlives
  key text COLLATE "C" NOT NULL,
  day bigint NOT NULL,                  -- since 1970, UTC, on which the requests started
  usd numeric NOT NULL,
  PRIMARY KEY (key, day)
);

CREATE TABLE accounts (                 -- of keys; locked for each decision
  key        text COLLATE "C" PRIMARY KEY,
  requests   float8 NOT NULL DEFAULT 1, -- what is left, as a part of a minute's worth
  tokens     float8 NOT NULL DEFAULT 1,
  token_rate float8,                    -- a minute's worth; null: no limit
  filled     timestamptz NOT NULL       -- when that was
) WITH (fillfactor = 50);

CREATE TABLE reservations (             -- of requests under way
  id      text COLLATE "C" PRIMARY KEY,
  key     text COLLATE "C" NOT NULL,
  until   timestamptz NOT NULL,         -- by then it is settled, or its gateway is gone
  tokens  float8 NOT NULL,              -- taken from the account
  usd     numeric NOT NULL,             -- claimed, or used where settled
  settled boolean NOT NULL DEFAULT false  -- ended, but receipts may not be here yet
) WITH (fillfactor = 50);
CREATE INDEX reservations_by_key ON reservations (key);

-- The day on which the budget's present period began.
CREATE FUNCTION first_day(period text, instant timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT CASE period WHEN 'total' THEN -9223372036854775808
    ELSE date_trunc(period, instant AT TIME ZONE 'UTC')::date - date '1970-01-01' END
$$;

-- Grants a request what it claims, or tells which limit is in the way: `at_once`; `budget`, of
-- which `number` USD are left; `requests` or `tokens` a minute, which will do in `number` seconds.
CREATE FUNCTION reserve(
  reservation text, of_key text, lifetime float8, claim_tokens float8, claim_usd numeric,
  request_rate float8, most_tokens float8, at_once bigint, budget numeric, period text,
  OUT verdict text, OUT number float8, OUT made_ns bigint)
LANGUAGE plpgsql AS $$
DECLARE
  account      lichen.accounts;
  instant      timestamptz;
  unspent      numeric;
  minutes      float8;
  taken        float8;
  request_wait float8 := 0;
  token_wait   float8 := 0;
BEGIN
  SELECT * INTO account FROM lichen.accounts a WHERE a.key = of_key FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO lichen.accounts (key, filled) VALUES (of_key, clock_timestamp())
      ON CONFLICT DO NOTHING;
    SELECT * INTO account FROM lichen.accounts a WHERE a.key = of_key FOR UPDATE;
  END IF;
  instant := clock_timestamp();  -- after the wait for the lock
  made_ns := (extract(epoch FROM instant) * 1000000)::bigint * 1000;
  number := 0;
  DELETE FROM lichen.reservations r WHERE r.key = of_key AND r.until <= instant;

  IF (SELECT count(*) FROM lichen.reservations r WHERE r.key = of_key AND NOT r.settled)
      >= at_once THEN
    verdict := 'at_once';
    RETURN;
  END IF;
  IF budget IS NOT NULL THEN
    -- One look at both: what moves is in the first before it leaves the second.
    SELECT budget
      - coalesce((SELECT sum(s.usd) FROM lichen.spending s
                  WHERE s.key = of_key AND s.day >= lichen.first_day(period, instant)), 0)
      - coalesce((SELECT sum(r.usd) FROM lichen.reservations r WHERE r.key = of_key), 0)
      INTO unspent;
    IF unspent <= 0 OR claim_usd > unspent THEN
      verdict := 'budget';
      number := unspent;
      RETURN;
    END IF;
  END IF;

  minutes := greatest(0, extract(epoch FROM instant - account.filled)::float8 / 60);
  account.requests := least(1, account.requests + minutes);
  account.tokens := least(1, account.tokens + minutes);
  IF request_rate IS NOT NULL THEN
    request_wait := greatest(0, (1 / request_rate - account.requests) * 60);
  END IF;
  IF most_tokens IS NOT NULL THEN
    taken := least(claim_tokens, most_tokens);
    token_wait := greatest(0, (taken / most_tokens - account.tokens) * 60);
  END IF;
  IF request_wait > 0 AND request_wait >= token_wait THEN
    verdict := 'requests';
    number := request_wait;
    RETURN;
  ELSIF token_wait > 0 THEN
    verdict := 'tokens';
    number := token_wait;
    RETURN;
  END IF;

  UPDATE lichen.accounts a
    SET requests = account.requests - coalesce(1 / request_rate, 0),
        tokens = account.tokens - coalesce(taken / most_tokens, 0),
        token_rate = most_tokens, filled = instant
    WHERE a.key = of_key;
  INSERT INTO lichen.reservations (id, key, until, tokens, usd)
    VALUES (reservation, of_key, instant + lifetime * interval '1 second', coalesce(taken, 0),
            claim_usd);
  verdict := 'granted';
END $$;

-- Replaces claims by what was used. To do so twice is to do so once; accounts are locked in the
-- order of their keys, so that two who settle do not wait for each other.
CREATE FUNCTION settle(ids text[], of_keys text[], used_tokens float8[], used_usd numeric[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM lichen.accounts a WHERE a.key = ANY (of_keys) ORDER BY a.key FOR UPDATE;
  UPDATE lichen.accounts a SET tokens = least(1, a.tokens + back.tokens / a.token_rate)
    FROM (SELECT r.key, sum(r.tokens - u.tokens) AS tokens
          FROM unnest(ids, used_tokens) AS u (id, tokens)
          JOIN lichen.reservations r ON r.id = u.id AND NOT r.settled GROUP BY r.key) AS back
    WHERE a.key = back.key AND a.token_rate IS NOT NULL;
  UPDATE lichen.reservations r
    SET settled = true, usd = u.usd,
        until = greatest(r.until, clock_timestamp() + interval '10 minutes')
    FROM unnest(ids, used_usd) AS u (id, usd) WHERE r.id = u.id AND NOT r.settled;
END $$;
)";

constexpr std::array kMigrations = {kTables, kAllowances};

/// Says whose the schema is and which version it has. The schema may have been made by somebody who
/// may do so, for a user who may not.
constexpr const char* kVersion =
    "DO $schema$ BEGIN"
    "  IF to_regnamespace('lichen') IS NULL THEN CREATE SCHEMA lichen; END IF;"
    "  CREATE TABLE IF NOT EXISTS lichen.ledger_version (version bigint NOT NULL);"
    "  INSERT INTO lichen.ledger_version"
    "    SELECT 0 WHERE NOT EXISTS (SELECT FROM lichen.ledger_version);"
    "END $schema$;";

/// "Lich": held, for the length of a transaction, by whoever changes the schema.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(1281975144);";

struct Found {
  bool foreign = false;  // there are tables of somebody else
  std::int64_t version = 0;
};

Result<Found> look(Connection& connection) {
  const Result<Reply> there = connection.run(
      Command("SELECT to_regclass('lichen.ledger_version') IS NOT NULL, (SELECT count(*) FROM"
              " pg_catalog.pg_class WHERE relnamespace = to_regnamespace('lichen'))"));
  if (!there) return std::unexpected(there.error());
  if (!(*there)[0].flag(0)) return Found{.foreign = (*there)[0].integer(1) > 0};
  const Result<Reply> version =
      connection.run(Command("SELECT max(version) FROM lichen.ledger_version"));
  if (!version) return std::unexpected(version.error());
  return Found{.version = (*version)[0].integer(0)};
}

/// Makes the schema one version newer, unless another has done so.
Result<void> step(Connection& connection, std::int64_t from, const char* sql) {
  const std::string version = std::to_string(from);
  // Nothing but the lock stands before the look at the version, which so sees what the last has
  // done.
  return connection.script(
      std::string("BEGIN; SET LOCAL statement_timeout = 0;") + kLock + kVersion +
      "SET LOCAL search_path = lichen;" +
      "DO $migration$ BEGIN IF (SELECT max(version) FROM lichen.ledger_version) = " + version +
      " THEN EXECUTE $step$" + sql + "$step$; UPDATE lichen.ledger_version SET version = " +
      std::to_string(from + 1) + "; END IF; END $migration$; COMMIT");
}

}  // namespace

std::span<const char* const> server_migrations() { return kMigrations; }

Result<void> migrate(Connection& connection, std::span<const char* const> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  while (true) {
    const Result<Found> found = look(connection);
    if (!found) return std::unexpected(found.error());
    if (found->foreign) {
      return fail(Errc::bad_config, connection.name() +
                                        ": its schema `lichen` is another program's; name another "
                                        "database as the ledger");
    }
    if (found->version == newest) return {};
    if (found->version > newest) {
      return fail(Errc::bad_config, connection.name() + ": schema version " +
                                        std::to_string(found->version) +
                                        ", but this Lichen knows up to " + std::to_string(newest) +
                                        "; use a newer Lichen, or name another database");
    }
    Result<void> done =
        step(connection, found->version, steps[static_cast<std::size_t>(found->version)]);
    if (!done) {
      std::ignore = connection.script("ROLLBACK");
      return done;
    }
  }
}

}  // namespace lichen::ledger
