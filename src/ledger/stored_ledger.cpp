#include "ledger/stored_ledger.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "ledger/tally.h"

namespace lichen::ledger {
namespace {

constexpr std::int64_t kProgressEvery = 1'000;  // receipts

std::unexpected<Error> unknown(const std::string& id) {
  return fail(Errc::not_found, "the ledger has no receipt " + id);
}

}  // namespace

StoredLedger::StoredLedger(std::unique_ptr<const Store> store, LedgerOptions options,
                           std::unique_ptr<StoreWriter> writer, std::string trouble)
    : store_(std::move(store)),
      writer_(std::move(writer)),
      queue_(
          options, [this](const Batch& batch, std::uint64_t lost) { return write(batch, lost); },
          std::move(trouble)) {}

Result<std::unique_ptr<StoredLedger>> StoredLedger::open(std::unique_ptr<const Store> store,
                                                         LedgerOptions options) {
  Result<std::unique_ptr<StoreWriter>> writer = store->writer();
  if (!writer && writer.error().code != Errc::storage) return std::unexpected(writer.error());
  std::string trouble = writer ? std::string() : writer.error().detail;
  return std::make_unique<StoredLedger>(std::move(store), options,
                                        writer ? std::move(*writer) : nullptr, std::move(trouble));
}

void StoredLedger::start_reading() {
  std::ignore = read([](StoreReader&) { return Result<void>(); });
}

Result<Written> StoredLedger::write(const Batch& batch, std::uint64_t lost) {
  if (writer_ && !writer_->alive()) writer_.reset();
  if (!writer_) {
    Result<std::unique_ptr<StoreWriter>> opened = store_->writer();
    if (!opened) return std::unexpected(opened.error());
    writer_ = std::move(*opened);
  }
  Result<Written> written = writer_->write(batch, run_, lost);
  if (!written) writer_.reset();  // the next attempt starts clean
  return written;
}

template <class Work>
std::invoke_result_t<Work, StoreReader&> StoredLedger::read(Work&& work) const {
  return reader_.use([this] { return store_->reader(); }, std::forward<Work>(work));
}

template <class Work>
Result<void> StoredLedger::write_beside(Work&& work) {
  return beside_.use([this] { return store_->writer(); }, std::forward<Work>(work));
}

Result<void> StoredLedger::rate(const std::string& id, const Feedback& feedback) {
  if (Result<void> good = check(feedback); !good) return good;
  const Batch pending = queue_.pending();
  if (std::ranges::any_of(pending, [&](const auto& receipt) { return receipt->id == id; })) {
    if (Result<void> flushed = queue_.flush(); !flushed) return flushed;
  }
  bool known = false;
  Result<void> done = write_beside([&](StoreWriter& writer) -> Result<void> {
    Result<bool> rated = writer.rate(id, feedback);
    if (!rated) return std::unexpected(rated.error());
    known = *rated;
    return {};
  });
  if (done && !known) return unknown(id);
  return done;
}

Result<void> StoredLedger::keep(const std::string& name, const std::string& text) {
  return write_beside([&](StoreWriter& writer) { return writer.keep(name, text); });
}

Result<void> StoredLedger::put(const Key& key) {
  if (Result<void> good = check(key.limits); !good) return good;
  return write_beside([&](StoreWriter& writer) { return writer.put(key); });
}

Result<std::vector<Key>> StoredLedger::keys() const {
  return read([](StoreReader& reader) { return reader.keys(); });
}

Result<KeyUse> StoredLedger::used(const std::string& key,
                                  std::chrono::system_clock::time_point since) const {
  const Batch pending = queue_.pending();
  Result<KeyUse> use = read([&](StoreReader& reader) { return reader.used(key, since); });
  if (!use) return use;
  for (const auto& receipt : pending) {
    if (receipt->key != key || receipt->started < since) continue;
    // It may have been written by now.
    Result<std::optional<Receipt>> written =
        read([&](StoreReader& reader) { return reader.find(receipt->id); });
    if (!written) return std::unexpected(written.error());
    if (!*written) add(*use, *receipt);
  }
  return use;
}

// Each reading looks at the queue first and then at the store: a receipt that is written in between
// is seen twice, never not at all, and its id tells.

Result<Receipt> StoredLedger::find(const std::string& id) const {
  for (const auto& receipt : queue_.pending()) {
    if (receipt->id == id) return *receipt;
  }
  Result<std::optional<Receipt>> found =
      read([&id](StoreReader& reader) { return reader.find(id); });
  if (!found) return std::unexpected(found.error());
  if (!*found) return unknown(id);
  return **std::move(found);
}

Result<std::vector<Rating>> StoredLedger::ratings(std::size_t count) const {
  return read([count](StoreReader& reader) { return reader.ratings(count); });
}

Result<std::vector<RatedPrompt>> StoredLedger::rated_prompts() const {
  return read([](StoreReader& reader) { return reader.rated_prompts(); });
}

Result<std::vector<RecordedPrompt>> StoredLedger::recorded_prompts() const {
  return read([](StoreReader& reader) { return reader.recorded_prompts(); });
}

Result<std::optional<std::string>> StoredLedger::kept(const std::string& name) const {
  return read([&name](StoreReader& reader) { return reader.kept(name); });
}

Result<std::vector<Receipt>> StoredLedger::recent(std::size_t count) const {
  const Batch pending = queue_.pending();
  std::vector<Receipt> newest;
  std::unordered_set<std::string_view> seen;
  for (auto receipt = pending.rbegin(); receipt != pending.rend(); ++receipt) {
    if (newest.size() == count) break;
    if (seen.insert((*receipt)->id).second) newest.push_back(**receipt);
  }
  if (newest.size() == count) return newest;
  Result<void> done = read([&](StoreReader& reader) {
    return reader.recent(count, [&](const Receipt& receipt) {
      if (newest.size() < count && !seen.contains(receipt.id)) newest.push_back(receipt);
    });
  });
  if (!done) return std::unexpected(done.error());
  return newest;
}

Result<Totals> StoredLedger::totals(std::chrono::system_clock::time_point since,
                                    std::optional<std::string> plan,
                                    const std::function<void(double)>& progress) const {
  const Batch pending = queue_.pending();
  Tally tally;
  std::unordered_set<std::string_view> seen;
  for (const auto& receipt : pending) {
    if (receipt->started < since || (plan && receipt->plan != *plan)) continue;
    if (seen.insert(receipt->id).second) tally.add(*receipt);
  }
  Result<void> done = read([&](StoreReader& reader) -> Result<void> {
    std::int64_t count = 0;
    if (progress) {
      Result<std::int64_t> counted = reader.count_since(since, plan);
      if (!counted) return std::unexpected(counted.error());
      count = *counted;
    }
    std::int64_t visited = 0;
    return reader.since(since, plan, [&](const Receipt& receipt) {
      if (!seen.contains(receipt.id)) tally.add(receipt);
      ++visited;
      if (visited % kProgressEvery == 0 && visited <= count) {
        progress(static_cast<double>(visited) / static_cast<double>(count));
      }
    });
  });
  if (!done) return std::unexpected(done.error());
  return tally.take();
}

std::unique_ptr<Allowances> StoredLedger::allowances() const {
  std::unique_ptr<Allowances> shared = store_->allowances([this] { return queue_.flush(); });
  return shared ? std::move(shared) : Ledger::allowances();
}

Result<std::uint64_t> StoredLedger::lost() const {
  const Result<std::uint64_t> others =
      read([this](StoreReader& reader) { return reader.lost_by_others(run_); });
  if (!others) return others;
  return *others + queue_.health().lost;
}

}  // namespace lichen::ledger
