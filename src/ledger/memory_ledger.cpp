// The ledger of those who want none: the last receipts in memory, for `find` and the like.
#include <deque>
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

  void record(Receipt receipt) override {
    auto kept = std::make_shared<const Receipt>(std::move(receipt));
    std::lock_guard lock(mutex_);
    for (const auto& other : receipts_) {
      if (other->id == kept->id) return;
    }
    receipts_.push_back(std::move(kept));
    if (receipts_.size() > bound_) receipts_.pop_front();
  }

  Result<void> flush() override { return {}; }
  Health health() const override { return {}; }

  Result<Receipt> find(const std::string& id) const override {
    for (const auto& receipt : receipts()) {
      if (receipt->id == id) return *receipt;
    }
    return fail(Errc::not_found, "no receipt " + id + " among the last " + std::to_string(bound_) +
                                     " (there is no ledger file)");
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

  Receipts receipts() const {
    std::lock_guard lock(mutex_);
    return receipts_;
  }

  const std::size_t bound_;
  mutable std::mutex mutex_;
  Receipts receipts_;  // guarded by mutex_; oldest first
};

}  // namespace

std::unique_ptr<Ledger> Ledger::in_memory(std::size_t receipts) {
  return std::make_unique<MemoryLedger>(receipts);
}

}  // namespace lichen::ledger
