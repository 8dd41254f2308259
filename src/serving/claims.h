// What requests with virtual keys set aside of their keys' allowances before anybody answers them.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>

#include "ledger/allowances.h"
#include "serving/exchange.h"
#include "serving/key_ring.h"
#include "serving/spending.h"

namespace lichen::serving {

/// Safe to use from any thread.
class Claims {
 public:
  explicit Claims(std::shared_ptr<ledger::Allowances> allowances);

  /// Ledger::Allowances::reserve, where that may wait for a disk or another machine on a thread of
  /// its own. The request ends meanwhile if its client leaves or its deadline passes, with the
  /// reason; what is claimed for it all the same is given back.
  awaitable<Result<Spending>> make(Exchange& exchange, KeyPtr key, ledger::Claim claim,
                                   Clock::time_point deadline);

 private:
  awaitable<Result<ledger::Reservation>> elsewhere(Exchange& exchange, KeyPtr key,
                                                   ledger::Claim claim, Clock::time_point deadline);

  const std::shared_ptr<ledger::Allowances> allowances_;
  boost::asio::thread_pool threads_;  // last: they use the above
};

}  // namespace lichen::serving
