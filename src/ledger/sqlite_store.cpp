#include "ledger/sqlite_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ledger/rows.h"

namespace lichen::ledger {
namespace {

using std::chrono::system_clock;

std::int64_t limit(std::size_t count) {
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, kMost));
}

/// Calls `visit` with each row that `statement` finds for `value`.
template <class Visit>
Result<void> each(Statement& statement, std::int64_t value, Visit&& visit) {
  Rows rows = statement.query(value);
  while (true) {
    Result<bool> row = rows.next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    visit(rows);
  }
}

}  // namespace

Result<Database> SqliteStore::open() const {
  Result<Database> database = Database::open(file_, busy_timeout_);
  if (!database) return database;
  if (Result<void> ready = migrate(*database); !ready) return std::unexpected(ready.error());
  return database;
}

Result<std::unique_ptr<StoreWriter>> SqliteStore::writer() const {
  Result<Database> database = open();
  if (!database) return std::unexpected(database.error());
  return std::make_unique<SqliteWriter>(std::move(*database));
}

Result<std::unique_ptr<StoreReader>> SqliteStore::reader() const {
  Result<Database> database = open();
  if (!database) return std::unexpected(database.error());
  if (Result<void> done = database->run("PRAGMA query_only = ON"); !done) {
    return std::unexpected(done.error());
  }
  return std::make_unique<SqliteReader>(std::move(*database));
}

SqliteWriter::SqliteWriter(Database database)
    : database_(std::move(database)),
      begin_(database_, "BEGIN IMMEDIATE"),
      commit_(database_, "COMMIT"),
      undo_(database_, "DELETE FROM receipts WHERE seq = ?"),  // and what belongs to it
      receipt_(database_,
               "INSERT INTO receipts (id, plan, started_ns, first_token_ms, total_ms, finish,"
               " error, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"),
      step_(database_,
            "INSERT INTO steps (receipt, position, model, role, tokens_in, tokens_out,"
            " tokens_cached, estimated, remote, bytes_sent, queued_ms, prefill_ms, decode_ms, usd,"
            " joules, upstream) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      decision_(database_,
                "INSERT INTO decisions (receipt, position, mechanism, choice, reason, score,"
                " threshold) VALUES (?, ?, ?, ?, ?, ?, ?)"),
      author_(database_,
              "INSERT INTO authors (receipt, position, model, tokens, bytes)"
              " VALUES (?, ?, ?, ?, ?)"),
      draft_(database_,
             "INSERT INTO drafts (receipt, position, author, drafted, accepted)"
             " VALUES (?, ?, ?, ?, ?)"),
      loss_(database_,
            "INSERT INTO losses (run, receipts) VALUES (?, ?)"
            " ON CONFLICT (run) DO UPDATE SET receipts = excluded.receipts"),
      prompt_(database_, "INSERT INTO prompts (receipt, text) VALUES (?, ?)"),
      feedback_(database_,
                "INSERT OR REPLACE INTO feedback (receipt, score, comment)"
                " SELECT seq, ?2, ?3 FROM receipts WHERE id = ?1"),
      kept_(database_,
            "INSERT INTO kept (name, text) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET text = excluded.text"),
      key_(database_,
           "INSERT INTO keys (id, name, hash, created_ns, expires_ns, revoked_ns, plans,"
           " requests_per_minute, tokens_per_minute, requests_at_once, budget_usd, period)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
           " (name, hash, created_ns, expires_ns, revoked_ns, plans, requests_per_minute,"
           " tokens_per_minute, requests_at_once, budget_usd, period) ="
           " (excluded.name, excluded.hash, excluded.created_ns, excluded.expires_ns,"
           " coalesce(revoked_ns, excluded.revoked_ns), excluded.plans,"
           " excluded.requests_per_minute, excluded.tokens_per_minute, excluded.requests_at_once,"
           " excluded.budget_usd, excluded.period)") {}

Result<Written> SqliteWriter::write(const Batch& batch, const std::string& run,
                                    std::uint64_t lost) {
  Written written;
  if (Result<void> begun = begin_.run(); !begun) return std::unexpected(begun.error());
  for (const auto& receipt : batch) {
    if (Result<void> done = insert(*receipt); !done) {
      if (done.error().code != Errc::bad_request) return std::unexpected(done.error());
      ++written.refused;
      written.reason = "receipt " + receipt->id + " cannot be stored: " + done.error().detail;
    }
  }
  if (const auto all = static_cast<std::int64_t>(lost + written.refused); all > 0) {
    if (Result<void> done = loss_.run(run, all); !done) return std::unexpected(done.error());
  }
  if (Result<void> done = commit_.run(); !done) return std::unexpected(done.error());
  return written;
}

Result<void> SqliteWriter::insert(const Receipt& receipt) {
  Result<void> inserted = receipt_.run(
      receipt.id, receipt.plan, to_ns(receipt.started), receipt.first_token_ms, receipt.total_ms,
      null_if_empty(receipt.finish), null_if_empty(receipt.error), null_if_empty(receipt.key));
  if (!inserted || database_.changes() == 0) return inserted;
  const std::int64_t seq = database_.last_row();
  inserted = insert_parts(seq, receipt);
  // Rarely is one refused, and a savepoint for each would cost as much as the rest of its
  // insertion.
  if (!inserted && inserted.error().code == Errc::bad_request) {
    if (Result<void> undone = undo_.run(seq); !undone) return undone;
  }
  return inserted;
}

Result<void> SqliteWriter::insert_parts(std::int64_t seq, const Receipt& receipt) {
  std::int64_t position = 0;
  for (const Step& step : receipt.steps) {
    Result<void> done = step_.run(seq, position++, step.model, step.role, step.tokens_in,
                                  step.tokens_out, step.tokens_cached, step.estimated, step.remote,
                                  step.bytes_sent, step.queued_ms, step.prefill_ms, step.decode_ms,
                                  step.usd, step.joules, null_if_empty(step.upstream));
    if (!done) return done;
  }
  position = 0;
  for (const Decision& decision : receipt.decisions) {
    Result<void> done = decision_.run(seq, position++, decision.mechanism, decision.choice,
                                      decision.reason, decision.score, decision.threshold);
    if (!done) return done;
  }
  position = 0;
  for (const Stretch& author : receipt.authors) {
    Result<void> done = author_.run(seq, position++, author.model, author.tokens, author.bytes);
    if (!done) return done;
  }
  position = 0;
  for (const DraftCount& draft : receipt.drafts) {
    Result<void> done = draft_.run(seq, position++, draft.author, draft.drafted, draft.accepted);
    if (!done) return done;
  }
  if (receipt.prompt) return prompt_.run(seq, *receipt.prompt);
  return {};
}

Result<bool> SqliteWriter::rate(std::string_view id, const Feedback& feedback) {
  Result<void> done = feedback_.run(id, feedback.score, null_if_empty(feedback.comment));
  if (!done) return std::unexpected(done.error());
  return database_.changes() > 0;
}

Result<void> SqliteWriter::keep(std::string_view name, std::string_view text) {
  return kept_.run(name, text);
}

Result<void> SqliteWriter::put(const Key& key) {
  const KeyLimits& limits = key.limits;
  return key_.run(key.id, key.name, key.hash, to_ns(key.created), maybe_ns(key.expires),
                  maybe_ns(key.revoked), names_to_json(limits.plans), limits.requests_per_minute,
                  limits.tokens_per_minute, limits.requests_at_once, limits.budget_usd,
                  to_string(limits.period));
}

SqliteReader::SqliteReader(Database database)
    : database_(std::move(database)),
      by_id_(database_,
             "SELECT receipts.seq, id, plan, started_ns, first_token_ms, total_ms, finish, error,"
             " score, comment, key FROM receipts LEFT JOIN feedback ON receipt = receipts.seq"
             " WHERE id = ?"),
      newest_(database_,
              "SELECT receipts.seq, id, plan, started_ns, first_token_ms, total_ms, finish, error,"
              " score, comment, key FROM receipts LEFT JOIN feedback ON receipt = receipts.seq"
              " ORDER BY receipts.seq DESC LIMIT ?"),
      since_(database_,
             "SELECT receipts.seq, id, plan, started_ns, first_token_ms, total_ms, finish, error,"
             " score, comment, key FROM receipts LEFT JOIN feedback ON receipt = receipts.seq"
             " WHERE started_ns >= ?1 AND (?2 IS NULL OR plan = ?2)"),
      count_since_(database_,
                   "SELECT count(*)"
                   " FROM receipts WHERE started_ns >= ?1 AND (?2 IS NULL OR plan = ?2)"),
      steps_(database_,
             "SELECT model, role, tokens_in, tokens_out, tokens_cached, estimated, remote,"
             " bytes_sent, queued_ms, prefill_ms, decode_ms, usd, joules, upstream"
             " FROM steps WHERE receipt = ? ORDER BY position"),
      decisions_(database_,
                 "SELECT mechanism, choice, reason, score, threshold"
                 " FROM decisions WHERE receipt = ? ORDER BY position"),
      authors_(database_,
               "SELECT model, tokens, bytes FROM authors WHERE receipt = ? ORDER BY position"),
      drafts_(database_,
              "SELECT author, drafted, accepted FROM drafts WHERE receipt = ? ORDER BY position"),
      losses_(database_, "SELECT coalesce(sum(receipts), 0) FROM losses WHERE run <> ?"),
      ratings_(database_,
               "SELECT id, score FROM feedback JOIN receipts ON receipts.seq = receipt"
               " ORDER BY feedback.seq DESC LIMIT ?"),
      rated_prompts_(database_,
                     "SELECT plan, text, score FROM feedback"
                     " JOIN receipts ON receipts.seq = feedback.receipt"
                     " JOIN prompts ON prompts.receipt = feedback.receipt"
                     " WHERE feedback.seq > ? ORDER BY feedback.seq"),
      recorded_prompts_(database_,
                        "SELECT plan, text FROM prompts"
                        " JOIN receipts ON receipts.seq = prompts.receipt"
                        " WHERE receipts.seq > ? ORDER BY receipts.seq"),
      kept_(database_, "SELECT text FROM kept WHERE name = ?"),
      keys_(database_,
            "SELECT id, name, hash, created_ns, expires_ns, revoked_ns, plans, requests_per_minute,"
            " tokens_per_minute, requests_at_once, budget_usd, period"
            " FROM keys WHERE created_ns > ? ORDER BY created_ns, id"),
      requests_used_(database_, "SELECT count(*) FROM receipts WHERE key = ? AND started_ns >= ?"),
      used_(database_,
            "SELECT coalesce(sum(tokens_in + tokens_out), 0), coalesce(sum(usd), 0)"
            " FROM receipts JOIN steps ON steps.receipt = receipts.seq"
            " WHERE key = ? AND started_ns >= ?") {}

Result<std::optional<Receipt>> SqliteReader::find(std::string_view id) {
  std::optional<Receipt> found;
  Rows rows = by_id_.query(id);
  Result<void> done = visit_all(rows, [&](const Receipt& receipt) { found = receipt; });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<void> SqliteReader::recent(std::size_t count, const Visit& visit) {
  Rows rows = newest_.query(limit(count));
  return visit_all(rows, visit);
}

Result<void> SqliteReader::since(system_clock::time_point since,
                                 const std::optional<std::string>& plan, const Visit& visit) {
  Rows rows = since_.query(to_ns(since), plan);
  return visit_all(rows, visit);
}

Result<std::int64_t> SqliteReader::count_since(system_clock::time_point since,
                                               const std::optional<std::string>& plan) {
  Rows rows = count_since_.query(to_ns(since), plan);
  Result<bool> row = rows.next();
  if (!row) return std::unexpected(row.error());
  return rows.integer(0);
}

Result<std::uint64_t> SqliteReader::lost_by_others(std::string_view run) {
  Rows rows = losses_.query(run);
  Result<bool> row = rows.next();
  if (!row) return std::unexpected(row.error());
  return static_cast<std::uint64_t>(rows.integer(0));
}

Result<std::vector<Rating>> SqliteReader::ratings(std::size_t count) {
  std::vector<Rating> ratings;
  Result<void> done = each(ratings_, limit(count), [&](const Rows& row) {
    ratings.push_back({.receipt = row.text(0), .score = row.real(1)});
  });
  if (!done) return std::unexpected(done.error());
  return ratings;
}

Result<std::vector<RatedPrompt>> SqliteReader::rated_prompts() {
  std::vector<RatedPrompt> rated;
  Result<void> done = each(rated_prompts_, 0, [&](const Rows& row) {
    rated.push_back({.plan = row.text(0), .prompt = row.text(1), .score = row.real(2)});
  });
  if (!done) return std::unexpected(done.error());
  return rated;
}

Result<std::vector<RecordedPrompt>> SqliteReader::recorded_prompts() {
  std::vector<RecordedPrompt> recorded;
  Result<void> done = each(recorded_prompts_, 0, [&](const Rows& row) {
    recorded.push_back({.plan = row.text(0), .prompt = row.text(1)});
  });
  if (!done) return std::unexpected(done.error());
  return recorded;
}

Result<std::optional<std::string>> SqliteReader::kept(std::string_view name) {
  Rows rows = kept_.query(name);
  Result<bool> row = rows.next();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return rows.text(0);
}

Result<std::vector<Key>> SqliteReader::keys() {
  std::vector<Key> keys;
  Result<void> done = each(keys_, std::numeric_limits<std::int64_t>::min(),
                           [&](const Rows& row) { keys.push_back(key_of(row)); });
  if (!done) return std::unexpected(done.error());
  return keys;
}

Result<KeyUse> SqliteReader::used(std::string_view key, system_clock::time_point since) {
  KeyUse use;
  {
    Rows rows = requests_used_.query(key, to_ns(since));
    Result<bool> row = rows.next();
    if (!row) return std::unexpected(row.error());
    use.requests = rows.integer(0);
  }
  Rows rows = used_.query(key, to_ns(since));
  Result<bool> row = rows.next();
  if (!row) return std::unexpected(row.error());
  use.tokens = rows.integer(0);
  use.usd = rows.real(1);
  return use;
}

Result<void> SqliteReader::visit_all(Rows& rows, const Visit& visit) {
  while (true) {
    Result<bool> row = rows.next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    Result<Receipt> receipt = read(rows);
    if (!receipt) return std::unexpected(receipt.error());
    visit(*receipt);
  }
}

Result<Receipt> SqliteReader::read(const Rows& row) {
  const std::int64_t seq = row.integer(0);
  Receipt receipt = receipt_of(row);
  Result<void> done =
      each(steps_, seq, [&](const Rows& part) { receipt.steps.push_back(step_of(part)); });
  if (done) {
    done = each(decisions_, seq,
                [&](const Rows& part) { receipt.decisions.push_back(decision_of(part)); });
  }
  if (done) {
    done =
        each(authors_, seq, [&](const Rows& part) { receipt.authors.push_back(author_of(part)); });
  }
  if (done) {
    done = each(drafts_, seq, [&](const Rows& part) { receipt.drafts.push_back(draft_of(part)); });
  }
  if (!done) return std::unexpected(done.error());
  return receipt;
}

}  // namespace lichen::ledger
