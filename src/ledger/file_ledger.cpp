// The ledger in a SQLite file: a queue in front of one connection that writes receipts, another
// that reads, and a third, opened when it is needed, that writes what cannot wait in the queue.
// Readers see the file and the queue as one.
#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "base/ids.h"
#include "ledger/ledger.h"
#include "ledger/store.h"
#include "ledger/tally.h"
#include "ledger/write_queue.h"

namespace lichen::ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kProgressEvery = 1'000;  // receipts

std::unexpected<Error> unknown(const std::string& id) {
  return fail(Errc::not_found, "the ledger has no receipt " + id);
}

class FileLedger : public Ledger {
 public:
  FileLedger(fs::path file, LedgerOptions options, std::unique_ptr<StoreWriter> writer,
             std::string trouble)
      : file_(std::move(file)),
        busy_timeout_(options.busy_timeout),
        writer_(std::move(writer)),
        queue_(
            options, [this](const Batch& batch, std::uint64_t lost) { return write(batch, lost); },
            std::move(trouble)) {}

  /// Opens the reading connection while there is room for its files, so that reading goes on when
  /// the disk is full. Where that fails, the first reading tries again.
  void start_reading() {
    std::ignore = read([](StoreReader&) { return Result<void>(); });
  }

  void record(Receipt receipt, Told written) override {
    queue_.record(std::move(receipt), std::move(written));
  }
  Result<void> flush() override { return queue_.flush(); }
  Health health() const override { return queue_.health(); }
  Result<void> rate(const std::string& id, const Feedback& feedback) override;
  Result<void> keep(const std::string& name, const std::string& text) override;
  Result<void> put(const Key& key) override;
  Result<std::vector<Key>> keys() const override;
  Result<KeyUse> used(const std::string& key,
                      std::chrono::system_clock::time_point since) const override;
  Result<Receipt> find(const std::string& id) const override;
  Result<std::vector<Rating>> ratings(std::size_t count) const override;
  Result<std::vector<RatedPrompt>> rated_prompts() const override;
  Result<std::vector<RecordedPrompt>> recorded_prompts() const override;
  Result<std::optional<std::string>> kept(const std::string& name) const override;
  Result<std::vector<Receipt>> recent(std::size_t count) const override;
  Result<Totals> totals(std::chrono::system_clock::time_point since,
                        std::optional<std::string> plan,
                        const std::function<void(double)>& progress) const override;
  Result<std::uint64_t> lost() const override;

 private:
  Result<Written> write(const Batch& batch, std::uint64_t lost);
  /// What `work`, called with the reading connection, returns; opens it where there is none.
  template <class Work>
  std::invoke_result_t<Work, StoreReader&> read(Work&& work) const;
  /// Calls `work` with the connection for what is written beside the queue.
  template <class Work>
  Result<void> write_beside(Work&& work);

  const fs::path file_;
  const std::chrono::milliseconds busy_timeout_;
  const std::string run_ = base::new_id("run_");

  mutable std::mutex reading_;
  mutable std::unique_ptr<StoreReader> reader_;  // guarded by reading_

  std::mutex writing_beside_;
  std::unique_ptr<StoreWriter> beside_;  // guarded by writing_beside_

  std::unique_ptr<StoreWriter> writer_;  // the queue's thread's
  WriteQueue queue_;                     // last: its thread uses the above
};

Result<Written> FileLedger::write(const Batch& batch, std::uint64_t lost) {
  if (!writer_) {
    Result<std::unique_ptr<StoreWriter>> opened = StoreWriter::open(file_, busy_timeout_);
    if (!opened) return std::unexpected(opened.error());
    writer_ = std::move(*opened);
  }
  Result<Written> written = writer_->write(batch, run_, lost);
  if (!written) writer_.reset();  // the next attempt starts clean
  return written;
}

template <class Work>
std::invoke_result_t<Work, StoreReader&> FileLedger::read(Work&& work) const {
  std::lock_guard lock(reading_);
  if (!reader_) {
    Result<std::unique_ptr<StoreReader>> opened = StoreReader::open(file_, busy_timeout_);
    if (!opened) return std::unexpected(opened.error());
    reader_ = std::move(*opened);
  }
  auto result = work(*reader_);
  if (!result) reader_.reset();
  return result;
}

template <class Work>
Result<void> FileLedger::write_beside(Work&& work) {
  std::lock_guard lock(writing_beside_);
  if (!beside_) {
    Result<std::unique_ptr<StoreWriter>> opened = StoreWriter::open(file_, busy_timeout_);
    if (!opened) return std::unexpected(opened.error());
    beside_ = std::move(*opened);
  }
  Result<void> done = work(*beside_);
  if (!done) beside_.reset();
  return done;
}

Result<void> FileLedger::rate(const std::string& id, const Feedback& feedback) {
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

Result<void> FileLedger::keep(const std::string& name, const std::string& text) {
  return write_beside([&](StoreWriter& writer) { return writer.keep(name, text); });
}

Result<void> FileLedger::put(const Key& key) {
  if (Result<void> good = check(key.limits); !good) return good;
  return write_beside([&](StoreWriter& writer) { return writer.put(key); });
}

Result<std::vector<Key>> FileLedger::keys() const {
  return read([](StoreReader& reader) { return reader.keys(); });
}

Result<KeyUse> FileLedger::used(const std::string& key,
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

// Each reading looks at the queue first and then at the file: a receipt that is written in between
// is seen twice, never not at all, and its id tells.

Result<Receipt> FileLedger::find(const std::string& id) const {
  for (const auto& receipt : queue_.pending()) {
    if (receipt->id == id) return *receipt;
  }
  Result<std::optional<Receipt>> found =
      read([&id](StoreReader& reader) { return reader.find(id); });
  if (!found) return std::unexpected(found.error());
  if (!*found) return unknown(id);
  return **std::move(found);
}

Result<std::vector<Rating>> FileLedger::ratings(std::size_t count) const {
  return read([count](StoreReader& reader) { return reader.ratings(count); });
}

Result<std::vector<RatedPrompt>> FileLedger::rated_prompts() const {
  return read([](StoreReader& reader) { return reader.rated_prompts(); });
}

Result<std::vector<RecordedPrompt>> FileLedger::recorded_prompts() const {
  return read([](StoreReader& reader) { return reader.recorded_prompts(); });
}

Result<std::optional<std::string>> FileLedger::kept(const std::string& name) const {
  return read([&name](StoreReader& reader) { return reader.kept(name); });
}

Result<std::vector<Receipt>> FileLedger::recent(std::size_t count) const {
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

Result<Totals> FileLedger::totals(std::chrono::system_clock::time_point since,
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

Result<std::uint64_t> FileLedger::lost() const {
  const Result<std::uint64_t> others =
      read([this](StoreReader& reader) { return reader.lost_by_others(run_); });
  if (!others) return others;
  return *others + queue_.health().lost;
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(fs::path path, LedgerOptions options) {
  if (path.has_parent_path()) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) {
      return fail(Errc::bad_config,
                  "ledger " + path.string() + ": its folder cannot be made: " + error.message());
    }
  }
  Result<std::unique_ptr<StoreWriter>> writer = StoreWriter::open(path, options.busy_timeout);
  if (!writer && writer.error().code != Errc::storage) return std::unexpected(writer.error());
  std::string trouble = writer ? std::string() : writer.error().detail;
  auto ledger = std::make_unique<FileLedger>(
      std::move(path), options, writer ? std::move(*writer) : nullptr, std::move(trouble));
  ledger->start_reading();
  return ledger;
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
