// The ledger of those who want none: the last receipts in memory, for `find` and the like.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "ledger/ledger.h"
#include "ledger/tally.h"

namespace lichen::ledger {
namespace {

class MemoryLedger : public Ledger {
 public:
  explicit MemoryLedger(std::size_t bound) : bound_(bound) {}

  void record(Receipt receipt, Told written) override {
    store(std::move(receipt));
    if (written) written({});
  }

  Result<void> flush() override { return {}; }
  Health health() const override { return {}; }

  Result<void> rate(const std::string& id, const Feedback& feedback) override {
    if (Result<void> good = check(feedback); !good) return good;
    std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(receipts_, id, [](const auto& r) { return r->id; });
    if (known == receipts_.end()) return unknown(id);
    Receipt rated = **known;
    rated.feedback = feedback;
    *known = std::make_shared<const Receipt>(std::move(rated));
    std::erase(rated_, id);
    rated_.push_back(id);
    if (rated_.size() > bound_) rated_.pop_front();
    return {};
  }

  Result<void> keep(const std::string& name, const std::string& text) override {
    std::lock_guard lock(mutex_);
    kept_.insert_or_assign(name, text);
    return {};
  }

  Result<void> put(const Key& key) override {
    if (Result<void> good = check(key.limits); !good) return good;
    std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(keys_, key.id, &Key::id);
    if (known == keys_.end()) {
      keys_.push_back(key);
    } else {
      const auto revoked = known->revoked;
      *known = key;
      if (revoked) known->revoked = revoked;
    }
    return {};
  }

  Result<std::vector<Key>> keys() const override {
    std::lock_guard lock(mutex_);
    return keys_;
  }

  /// Of those that are still there.
  Result<KeyUse> used(const std::string& key,
                      std::chrono::system_clock::time_point since) const override {
    KeyUse use;
    for (const auto& receipt : receipts()) {
      if (receipt->key == key && receipt->started >= since) add(use, *receipt);
    }
    return use;
  }

  Result<Receipt> find(const std::string& id) const override {
    for (const auto& receipt : receipts()) {
      if (receipt->id == id) return *receipt;
    }
    return unknown(id);
  }

  Result<std::vector<Rating>> ratings(std::size_t count) const override {
    std::lock_guard lock(mutex_);
    std::vector<Rating> newest;
    for (auto id = rated_.rbegin(); id != rated_.rend() && newest.size() < count; ++id) {
      for (const auto& receipt : receipts_) {
        if (receipt->id == *id) newest.push_back({*id, receipt->feedback->score});
      }
    }
    return newest;
  }

  Result<std::vector<RatedPrompt>> rated_prompts() const override {
    std::lock_guard lock(mutex_);
    std::vector<RatedPrompt> rated;
    for (const std::string& id : rated_) {
      const auto found = std::ranges::find(receipts_, id, [](const auto& r) { return r->id; });
      if (found == receipts_.end() || !(*found)->prompt) continue;
      const Receipt& receipt = **found;
      rated.push_back({receipt.plan, *receipt.prompt, receipt.feedback->score});
    }
    return rated;
  }

  Result<std::vector<RecordedPrompt>> recorded_prompts() const override {
    std::vector<RecordedPrompt> recorded;
    for (const auto& receipt : receipts()) {
      if (receipt->prompt) recorded.push_back({receipt->plan, *receipt->prompt});
    }
    return recorded;
  }

  Result<std::optional<std::string>> kept(const std::string& name) const override {
    std::lock_guard lock(mutex_);
    const auto found = kept_.find(name);
    if (found == kept_.end()) return std::nullopt;
    return found->second;
  }

  Result<std::vector<Receipt>> recent(std::size_t count) const override {
    const Receipts all = receipts();
    std::vector<Receipt> newest;
    for (auto receipt = all.rbegin(); receipt != all.rend() && newest.size() < count; ++receipt) {
      newest.push_back(**receipt);
    }
    return newest;
  }

  Result<Totals> totals(std::chrono::system_clock::time_point since,
                        std::optional<std::string> plan,
                        const std::function<void(double)>&) const override {
    Tally tally;
    for (const auto& receipt : receipts()) {
      if (receipt->started >= since && (!plan || receipt->plan == *plan)) tally.add(*receipt);
    }
    return tally.take();
  }

  Result<std::uint64_t> lost() const override { return 0; }

 private:
  using Receipts = std::deque<std::shared_ptr<const Receipt>>;

  std::unexpected<Error> unknown(const std::string& id) const {
    return fail(Errc::not_found, "no receipt " + id + " among the last " + std::to_string(bound_) +
                                     " (there is no ledger file)");
  }

  void store(Receipt receipt) {
    auto kept = std::make_shared<const Receipt>(std::move(receipt));
    std::lock_guard lock(mutex_);
    for (const auto& other : receipts_) {
      if (other->id == kept->id) return;
    }
    receipts_.push_back(std::move(kept));
    if (receipts_.size() > bound_) receipts_.pop_front();
  }

  Receipts receipts() const {
    std::lock_guard lock(mutex_);
    return receipts_;
  }

  const std::size_t bound_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Receipts receipts_;              // oldest first
  std::deque<std::string> rated_;  // ids, the latest feedback last
  std::map<std::string, std::string, std::less<>> kept_;
  std::vector<Key> keys_;
};

}  // namespace

std::unique_ptr<Ledger> Ledger::in_memory(std::size_t receipts) {
  return std::make_unique<MemoryLedger>(receipts);
}

}  // namespace lichen::ledger
