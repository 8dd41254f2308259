// What every ledger in a database does, wherever that is: tests that file and server pass alike.
//
//   INSTANTIATE_TEST_SUITE_P(File, LedgerContract, testing::Values(&make_file_place));
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "ledger/ledger.h"

namespace lichen::ledger {

/// Where a test has its ledger: empty at first, and cleared at the end of the place's life.
class LedgerPlace {
 public:
  virtual ~LedgerPlace() = default;
  virtual Result<std::unique_ptr<Ledger>> open(LedgerOptions options) = 0;
  /// A receipt as it comes back.
  virtual Receipt stored(Receipt receipt) const { return receipt; }
};

/// Makes a place; null where this machine has none.
using MakePlace = std::unique_ptr<LedgerPlace> (*)();

/// Nothing is written or retried by time alone.
inline LedgerOptions patient() {
  using namespace std::chrono_literals;
  return {.commit_interval = 1h, .retry_first = 1h, .retry_most = 1h, .busy_timeout = 1ms};
}

class LedgerContract : public testing::TestWithParam<MakePlace> {
 protected:
  void SetUp() override {
    place_ = GetParam()();
    if (!place_) GTEST_SKIP() << "there is no such place on this machine";
  }
  std::unique_ptr<Ledger> open(LedgerOptions options = {}) {
    auto ledger = place_->open(options);
    if (!ledger) throw std::runtime_error(ledger.error().detail);
    return std::move(*ledger);
  }
  Receipt stored(Receipt receipt) const { return place_->stored(std::move(receipt)); }

 private:
  std::unique_ptr<LedgerPlace> place_;
};

}  // namespace lichen::ledger
