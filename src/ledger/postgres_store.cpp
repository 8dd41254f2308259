#include "ledger/postgres_store.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <unordered_map>
#include <utility>

#include "ledger/postgres_schema.h"
#include "ledger/rows.h"
#include "ledger/server_allowances.h"

namespace lichen::ledger {
namespace {

using std::chrono::system_clock;

/// What is read or sent at once, so that no statement takes long and no array is too large.
constexpr std::size_t kRows = 1'000;
constexpr std::size_t kBytes = 8u << 20;
/// A message to the server has 1 GiB at most, and in an array a byte may take two.
constexpr std::size_t kLargestReceipt = 256u << 20;

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

std::int64_t limit(std::size_t count) { return static_cast<std::int64_t>(std::min(count, kRows)); }

/// The bytes of a receipt's texts.
std::size_t weight(const Receipt& receipt) {
  std::size_t bytes = receipt.id.size() + receipt.plan.size();
  for (const Step& step : receipt.steps) bytes += step.model.size() + step.role.size();
  for (const Decision& decision : receipt.decisions) {
    bytes += decision.mechanism.size() + decision.choice.size() + decision.reason.size();
  }
  for (const Stretch& author : receipt.authors) bytes += author.model.size();
  for (const DraftCount& draft : receipt.drafts) bytes += draft.author.size();
  return bytes + (receipt.prompt ? receipt.prompt->size() : 0);
}

void refuse(const Receipt& receipt, const std::string& why, Written& written) {
  ++written.refused;
  written.reason = "receipt " + receipt.id + " cannot be stored: " + why;
}

/// A table's columns, filled row by row and inserted at once.
template <std::size_t kColumns>
class Table {
 public:
  template <class... Value>
  void add(const Value&... values) {
    static_assert(sizeof...(Value) == kColumns);
    std::size_t column = 0;
    (columns_[column++].add(values), ...);
  }
  bool empty() const { return columns_[0].empty(); }
  Command insert(const char* sql) {
    return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return Command(sql, columns_[kIndex]...);
    }(std::make_index_sequence<kColumns>());
  }

 private:
  std::array<Column, kColumns> columns_;
};

constexpr const char* kInsertReceipts =
    "INSERT INTO receipts (id, plan, started_ns, first_token_ms, total_ms, finish, error, key)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::float8[], $5::float8[],"
    " $6::text[], $7::text[], $8::text[]) ON CONFLICT (id) DO NOTHING RETURNING id, seq";

/// Locks in one order, so that two who write do not wait for each other.
constexpr const char* kInsertSpent =
    "INSERT INTO spending AS old (key, day, usd) SELECT key, day, sum(usd)"
    " FROM unnest($1::text[], $2::bigint[], $3::numeric[]) AS fresh (key, day, usd)"
    " GROUP BY key, day ORDER BY key COLLATE \"C\", day"
    " ON CONFLICT (key, day) DO UPDATE SET usd = old.usd + excluded.usd";

/// The rows that hang on receipts.
class Parts {
 public:
  void add(std::int64_t seq, const Receipt& receipt) {
    std::int64_t position = 0;
    for (const Step& step : receipt.steps) {
      steps_.add(seq, position++, step.model, step.role, step.tokens_in, step.tokens_out,
                 step.tokens_cached, step.estimated, step.remote, step.bytes_sent, step.queued_ms,
                 step.prefill_ms, step.decode_ms, step.usd, step.joules,
                 null_if_empty(step.upstream));
    }
    position = 0;
    for (const Decision& decision : receipt.decisions) {
      decisions_.add(seq, position++, decision.mechanism, decision.choice, decision.reason,
                     decision.score, decision.threshold);
    }
    position = 0;
    for (const Stretch& author : receipt.authors) {
      authors_.add(seq, position++, author.model, author.tokens, author.bytes);
    }
    position = 0;
    for (const DraftCount& draft : receipt.drafts) {
      drafts_.add(seq, position++, draft.author, draft.drafted, draft.accepted);
    }
    if (receipt.prompt) prompts_.add(seq, *receipt.prompt);
  }

  std::vector<Command> inserts() {
    std::vector<Command> commands;
    if (!steps_.empty()) {
      commands.push_back(steps_.insert(
          "INSERT INTO steps (receipt, position, model, role, tokens_in, tokens_out, tokens_cached,"
          " estimated, remote, bytes_sent, queued_ms, prefill_ms, decode_ms, usd, joules, upstream)"
          " SELECT r, p, m, o, i, t, c, e <> 0, l <> 0, b, q, f, d, u, j, s FROM"
          " unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],"
          " $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::float8[], $12::float8[],"
          " $13::float8[], $14::float8[], $15::float8[], $16::text[])"
          " AS part (r, p, m, o, i, t, c, e, l, b, q, f, d, u, j, s)"));
    }
    if (!decisions_.empty()) {
      commands.push_back(decisions_.insert(
          "INSERT INTO decisions (receipt, position, mechanism, choice, reason, score, threshold)"
          " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
          " $6::float8[], $7::float8[])"));
    }
    if (!authors_.empty()) {
      commands.push_back(authors_.insert(
          "INSERT INTO authors (receipt, position, model, tokens, bytes) SELECT * FROM"
          " unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])"));
    }
    if (!drafts_.empty()) {
      commands.push_back(drafts_.insert(
          "INSERT INTO drafts (receipt, position, author, drafted, accepted) SELECT * FROM"
          " unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])"));
    }
    if (!prompts_.empty()) {
      commands.push_back(
          prompts_.insert("INSERT INTO prompts (receipt, text)"
                          " SELECT * FROM unnest($1::bigint[], $2::text[])"));
    }
    return commands;
  }

 private:
  Table<16> steps_;
  Table<7> decisions_;
  Table<5> authors_, drafts_;
  Table<2> prompts_;
};

/// Columns in the order of rows.h; in a part's, what it belongs to comes last.
constexpr std::string_view kReceipts =
    "SELECT receipts.seq, id, plan, started_ns, first_token_ms, total_ms, finish, error,"
    " score, comment, key FROM receipts LEFT JOIN feedback ON feedback.receipt = receipts.seq"
    " WHERE ";

std::string receipts_where(std::string_view condition) {
  return std::string(kReceipts).append(condition);
}

}  // namespace

Result<Connection> PostgresStore::connect() const {
  Result<Connection> connection = Connection::open(server_, timeout_);
  if (!connection) return connection;
  if (Result<void> ready = migrate(*connection); !ready) return std::unexpected(ready.error());
  return connection;
}

Result<std::unique_ptr<StoreWriter>> PostgresStore::writer() const {
  Result<Connection> connection = connect();
  if (!connection) return std::unexpected(connection.error());
  return std::make_unique<PostgresWriter>(std::move(*connection));
}

Result<std::unique_ptr<StoreReader>> PostgresStore::reader() const {
  Result<Connection> connection = connect();
  if (!connection) return std::unexpected(connection.error());
  return std::make_unique<PostgresReader>(std::move(*connection));
}

std::unique_ptr<Allowances> PostgresStore::allowances(std::function<Result<void>()> written) const {
  return server_allowances(*this, std::move(written));
}

Result<Written> PostgresWriter::write(const Batch& batch, const std::string& run,
                                      std::uint64_t lost) {
  Progress progress;
  std::optional<Command> begin = Command("BEGIN");
  for (std::size_t first = 0; first < batch.size();) {
    std::size_t bytes = weight(*batch[first]);
    if (bytes > kLargestReceipt) {
      refuse(*batch[first++], "it is too large", progress.written);
      continue;
    }
    std::size_t end = first + 1;
    while (end < batch.size() && end - first < kRows) {
      bytes += weight(*batch[end]);
      if (bytes > kBytes) break;
      ++end;
    }
    const Part part = Part(batch).subspan(first, end - first);
    if (Result<void> done = insert(part, progress, std::exchange(begin, std::nullopt)); !done) {
      return std::unexpected(done.error());
    }
    first = end;
  }
  std::vector<Command> last;
  if (begin) last.push_back(*std::move(begin));
  Table<3> spent;
  for (const Receipt* receipt : progress.fresh) {
    const std::optional<double> usd = totals(*receipt).usd;
    if (receipt->key.empty() || !usd) continue;
    const auto day = std::chrono::floor<std::chrono::days>(receipt->started).time_since_epoch();
    spent.add(receipt->key, std::int64_t{day.count()}, *usd);
  }
  if (!spent.empty()) last.push_back(spent.insert(kInsertSpent));
  if (const auto all = static_cast<std::int64_t>(lost + progress.written.refused); all > 0) {
    last.emplace_back(
        "INSERT INTO losses (run, receipts) VALUES ($1, $2::bigint)"
        " ON CONFLICT (run) DO UPDATE SET receipts = excluded.receipts",
        run, all);
  }
  last.emplace_back("COMMIT");
  if (const auto done = connection_.run(last); !done) return std::unexpected(done.error());
  return progress.written;
}

Result<void> PostgresWriter::insert(Part part, Progress& progress, std::optional<Command> first) {
  Result<void> done = insert_all(part, progress, std::move(first));
  if (done || done.error().code != Errc::bad_request) return done;

  const Command undo[] = {Command("ROLLBACK TO part"), Command("RELEASE part")};
  if (const auto undone = connection_.run(undo); !undone) return std::unexpected(undone.error());
  if (part.size() == 1) {
    refuse(*part.front(), done.error().detail, progress.written);
    return {};
  }
  const std::size_t half = part.size() / 2;
  if (Result<void> front = insert(part.first(half), progress); !front) return front;
  return insert(part.subspan(half), progress);
}

Result<void> PostgresWriter::insert_all(Part part, Progress& progress,
                                        std::optional<Command> first) {
  std::vector<Command> commands;
  if (first) commands.push_back(*std::move(first));
  commands.emplace_back("SAVEPOINT part");
  Table<8> rows;
  std::unordered_map<std::string, const Receipt*> receipts;
  for (const auto& receipt : part) {
    if (!receipts.emplace(storable(receipt->id), receipt.get()).second) continue;
    rows.add(receipt->id, receipt->plan, to_ns(receipt->started), receipt->first_token_ms,
             receipt->total_ms, null_if_empty(receipt->finish), null_if_empty(receipt->error),
             null_if_empty(receipt->key));
  }
  commands.push_back(rows.insert(kInsertReceipts));
  const auto inserted = connection_.run(commands);
  if (!inserted) return std::unexpected(inserted.error());

  // Those that were there already have no row here.
  Parts parts;
  std::vector<const Receipt*> fresh;
  const Reply& numbered = inserted->back();
  for (int row = 0; row < numbered.size(); ++row) {
    fresh.push_back(receipts.at(numbered[row].text(0)));
    parts.add(numbered[row].integer(1), *fresh.back());
  }
  commands = parts.inserts();
  commands.emplace_back("RELEASE part");
  const auto done = connection_.run(commands);
  if (!done) return std::unexpected(done.error());
  std::ranges::move(fresh, std::back_inserter(progress.fresh));
  return {};
}

Result<bool> PostgresWriter::rate(std::string_view id, const Feedback& feedback) {
  const Result<Reply> done = connection_.run(
      Command("INSERT INTO feedback (receipt, score, comment)"
              " SELECT seq, $2::float8, $3 FROM receipts WHERE id = $1 ON CONFLICT (receipt)"
              " DO UPDATE SET seq = DEFAULT, score = excluded.score, comment = excluded.comment",
              id, feedback.score, null_if_empty(feedback.comment)));
  if (!done) return std::unexpected(done.error());
  return done->changes() > 0;
}

Result<void> PostgresWriter::keep(std::string_view name, std::string_view text) {
  const Result<Reply> done =
      connection_.run(Command("INSERT INTO kept (name, text) VALUES ($1, $2)"
                              " ON CONFLICT (name) DO UPDATE SET text = excluded.text",
                              name, text));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<void> PostgresWriter::put(const Key& key) {
  const KeyLimits& limits = key.limits;
  const Result<Reply> done = connection_.run(Command(
      "INSERT INTO keys (id, name, hash, created_ns, expires_ns, revoked_ns, plans,"
      " requests_per_minute, tokens_per_minute, requests_at_once, budget_usd, period)"
      " VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6::bigint, $7, $8::bigint, $9::bigint,"
      " $10::bigint, $11::float8, $12) ON CONFLICT (id) DO UPDATE SET (name, hash, created_ns,"
      " expires_ns, revoked_ns, plans, requests_per_minute, tokens_per_minute, requests_at_once,"
      " budget_usd, period) = (excluded.name, excluded.hash, excluded.created_ns,"
      " excluded.expires_ns, coalesce(keys.revoked_ns, excluded.revoked_ns), excluded.plans,"
      " excluded.requests_per_minute, excluded.tokens_per_minute, excluded.requests_at_once,"
      " excluded.budget_usd, excluded.period)",
      key.id, key.name, key.hash, to_ns(key.created), maybe_ns(key.expires), maybe_ns(key.revoked),
      names_to_json(limits.plans), limits.requests_per_minute, limits.tokens_per_minute,
      limits.requests_at_once, limits.budget_usd, to_string(limits.period)));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::optional<Receipt>> PostgresReader::find(std::string_view id) {
  const Result<Reply> rows = connection_.run(Command(receipts_where("id = $1"), id));
  if (!rows) return std::unexpected(rows.error());
  Result<std::vector<Receipt>> receipts = complete(*rows);
  if (!receipts) return std::unexpected(receipts.error());
  if (receipts->empty()) return std::nullopt;
  return std::move(receipts->front());
}

// What may be long is read page by page. A row that was there at the beginning is seen: its number
// does not change.

Result<void> PostgresReader::recent(std::size_t count, const Visit& visit) {
  std::int64_t before = kLast;
  while (count > 0) {
    const Result<Reply> rows = connection_.run(Command(
        receipts_where("receipts.seq < $1::bigint ORDER BY receipts.seq DESC LIMIT $2::bigint"),
        before, limit(count)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() == 0) return {};
    const Result<std::vector<Receipt>> receipts = complete(*rows);
    if (!receipts) return std::unexpected(receipts.error());
    for (const Receipt& receipt : *receipts) visit(receipt);
    before = (*rows)[rows->size() - 1].integer(0);
    count -= static_cast<std::size_t>(rows->size());
  }
  return {};
}

Result<void> PostgresReader::since(system_clock::time_point since,
                                   const std::optional<std::string>& plan, const Visit& visit) {
  std::int64_t after = kFirst;
  while (true) {
    const Result<Reply> rows = connection_.run(Command(
        receipts_where("receipts.seq > $1::bigint AND started_ns >= $2::bigint AND ($3::text IS"
                       " NULL OR plan = $3) ORDER BY receipts.seq LIMIT $4::bigint"),
        after, to_ns(since), plan, limit(kRows)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() == 0) return {};
    const Result<std::vector<Receipt>> receipts = complete(*rows);
    if (!receipts) return std::unexpected(receipts.error());
    for (const Receipt& receipt : *receipts) visit(receipt);
    after = (*rows)[rows->size() - 1].integer(0);
  }
}

Result<std::int64_t> PostgresReader::count_since(system_clock::time_point since,
                                                 const std::optional<std::string>& plan) {
  const Result<Reply> count =
      connection_.run(Command("SELECT count(*) FROM receipts WHERE started_ns >= $1::bigint"
                              " AND ($2::text IS NULL OR plan = $2)",
                              to_ns(since), plan));
  if (!count) return std::unexpected(count.error());
  return (*count)[0].integer(0);
}

Result<std::vector<Rating>> PostgresReader::ratings(std::size_t count) {
  std::vector<Rating> ratings;
  std::int64_t before = kLast;
  while (ratings.size() < count) {
    const Result<Reply> rows = connection_.run(
        Command("SELECT id, score, feedback.seq FROM feedback"
                " JOIN receipts ON receipts.seq = receipt WHERE feedback.seq < $1::bigint"
                " ORDER BY feedback.seq DESC LIMIT $2::bigint",
                before, limit(count - ratings.size())));
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() == 0) break;
    for (int row = 0; row < rows->size(); ++row) {
      ratings.push_back({.receipt = (*rows)[row].text(0), .score = (*rows)[row].real(1)});
      before = (*rows)[row].integer(2);
    }
  }
  return ratings;
}

Result<std::vector<RatedPrompt>> PostgresReader::rated_prompts() {
  std::vector<RatedPrompt> rated;
  std::int64_t after = kFirst;
  while (true) {
    const Result<Reply> rows = connection_.run(
        Command("SELECT plan, text, score, feedback.seq FROM feedback"
                " JOIN receipts ON receipts.seq = feedback.receipt"
                " JOIN prompts ON prompts.receipt = feedback.receipt"
                " WHERE feedback.seq > $1::bigint ORDER BY feedback.seq LIMIT $2::bigint",
                after, limit(kRows)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() == 0) return rated;
    for (int row = 0; row < rows->size(); ++row) {
      const ReplyRow found = (*rows)[row];
      rated.push_back({.plan = found.text(0), .prompt = found.text(1), .score = found.real(2)});
      after = found.integer(3);
    }
  }
}

Result<std::vector<RecordedPrompt>> PostgresReader::recorded_prompts() {
  std::vector<RecordedPrompt> recorded;
  std::int64_t after = kFirst;
  while (true) {
    const Result<Reply> rows = connection_.run(
        Command("SELECT plan, text, receipts.seq FROM prompts"
                " JOIN receipts ON receipts.seq = prompts.receipt"
                " WHERE receipts.seq > $1::bigint ORDER BY receipts.seq LIMIT $2::bigint",
                after, limit(kRows)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() == 0) return recorded;
    for (int row = 0; row < rows->size(); ++row) {
      const ReplyRow found = (*rows)[row];
      recorded.push_back({.plan = found.text(0), .prompt = found.text(1)});
      after = found.integer(2);
    }
  }
}

Result<std::optional<std::string>> PostgresReader::kept(std::string_view name) {
  const Result<Reply> rows =
      connection_.run(Command("SELECT text FROM kept WHERE name = $1", name));
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() == 0) return std::nullopt;
  return (*rows)[0].text(0);
}

Result<std::vector<Key>> PostgresReader::keys() {
  const Result<Reply> rows = connection_.run(Command(
      "SELECT id, name, hash, created_ns, expires_ns, revoked_ns, plans, requests_per_minute,"
      " tokens_per_minute, requests_at_once, budget_usd, period FROM keys ORDER BY created_ns, "
      "id"));
  if (!rows) return std::unexpected(rows.error());
  std::vector<Key> keys;
  for (int row = 0; row < rows->size(); ++row) keys.push_back(key_of((*rows)[row]));
  return keys;
}

Result<KeyUse> PostgresReader::used(std::string_view key, system_clock::time_point since) {
  // An endpoint may report any number of tokens: the sum stays at the limit.
  const Command questions[] = {
      Command("SELECT count(*) FROM receipts WHERE key = $1 AND started_ns >= $2::bigint", key,
              to_ns(since)),
      Command("SELECT least(coalesce(sum(tokens_in::numeric + tokens_out), 0),"
              " 9223372036854775807)::bigint, coalesce(sum(usd), 0)"
              " FROM receipts JOIN steps ON steps.receipt = receipts.seq"
              " WHERE key = $1 AND started_ns >= $2::bigint",
              key, to_ns(since))};
  const auto answers = connection_.run(questions);
  if (!answers) return std::unexpected(answers.error());
  return KeyUse{.requests = (*answers)[0][0].integer(0),
                .tokens = (*answers)[1][0].integer(0),
                .usd = (*answers)[1][0].real(1)};
}

Result<std::uint64_t> PostgresReader::lost_by_others(std::string_view run) {
  const Result<Reply> sum = connection_.run(
      Command("SELECT coalesce(sum(receipts), 0)::bigint FROM losses WHERE run <> $1", run));
  if (!sum) return std::unexpected(sum.error());
  return static_cast<std::uint64_t>((*sum)[0].integer(0));
}

Result<std::vector<Receipt>> PostgresReader::complete(const Reply& rows) {
  std::vector<Receipt> receipts;
  std::unordered_map<std::int64_t, std::size_t> places;  // by seq
  Column seqs;
  for (int row = 0; row < rows.size(); ++row) {
    const std::int64_t seq = rows[row].integer(0);
    places.emplace(seq, receipts.size());
    seqs.add(seq);
    receipts.push_back(receipt_of(rows[row]));
  }
  if (receipts.empty()) return receipts;
  const std::string these = seqs.take();
  const Command questions[] = {
      Command("SELECT model, role, tokens_in, tokens_out, tokens_cached, estimated, remote,"
              " bytes_sent, queued_ms, prefill_ms, decode_ms, usd, joules, upstream, receipt"
              " FROM steps WHERE receipt = ANY ($1::bigint[]) ORDER BY receipt, position",
              these),
      Command("SELECT mechanism, choice, reason, score, threshold, receipt FROM decisions"
              " WHERE receipt = ANY ($1::bigint[]) ORDER BY receipt, position",
              these),
      Command("SELECT model, tokens, bytes, receipt FROM authors"
              " WHERE receipt = ANY ($1::bigint[]) ORDER BY receipt, position",
              these),
      Command("SELECT author, drafted, accepted, receipt FROM drafts"
              " WHERE receipt = ANY ($1::bigint[]) ORDER BY receipt, position",
              these)};
  const auto parts = connection_.run(questions);
  if (!parts) return std::unexpected(parts.error());
  const auto each = [&](const Reply& reply, int receipt, auto add) {
    for (int row = 0; row < reply.size(); ++row) {
      add(receipts[places.at(reply[row].integer(receipt))], reply[row]);
    }
  };
  each((*parts)[0], 14, [](Receipt& to, ReplyRow row) { to.steps.push_back(step_of(row)); });
  each((*parts)[1], 5, [](Receipt& to, ReplyRow row) { to.decisions.push_back(decision_of(row)); });
  each((*parts)[2], 3, [](Receipt& to, ReplyRow row) { to.authors.push_back(author_of(row)); });
  each((*parts)[3], 3, [](Receipt& to, ReplyRow row) { to.drafts.push_back(draft_of(row)); });
  return receipts;
}

}  // namespace lichen::ledger
