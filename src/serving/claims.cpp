#include "serving/claims.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace lichen::serving {
namespace {

namespace asio = boost::asio;

constexpr int kThreads = 8;                      // a server's ledger takes as many claims at once
constexpr std::chrono::seconds kSettleTime{60};  // that a turn may take beyond its deadline

/// A claim that is being made. Used on the exchange's executor alone.
struct Pending {
  explicit Pending(const asio::any_io_executor& executor)
      : wake(executor, Clock::time_point::max()) {}

  asio::steady_timer wake;
  std::optional<Result<ledger::Reservation>> end;
};

std::chrono::system_clock::time_point kept_until(Clock::time_point deadline) {
  const auto lasts = deadline - Clock::now() + kSettleTime;
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(lasts);
}

awaitable<Result<ledger::Reservation>> reserve(ledger::Allowances* allowances, KeyPtr key,
                                               ledger::Claim claim, Clock::time_point deadline) {
  co_return allowances->reserve(*key, claim, kept_until(deadline));
}

}  // namespace

Claims::Claims(std::shared_ptr<ledger::Allowances> allowances)
    : allowances_(std::move(allowances)), threads_(kThreads) {}

awaitable<Result<Spending>> Claims::make(Exchange& exchange, KeyPtr key, ledger::Claim claim,
                                         Clock::time_point deadline) {
  auto reserved = allowances_->blocks(*key)
                      ? co_await elsewhere(exchange, key, claim, deadline)
                      : allowances_->reserve(*key, claim, kept_until(deadline));
  if (!reserved) co_return std::unexpected(std::move(reserved.error()));
  co_return Spending(*allowances_, *std::move(reserved));
}

awaitable<Result<ledger::Reservation>> Claims::elsewhere(Exchange& exchange, KeyPtr key,
                                                         ledger::Claim claim,
                                                         Clock::time_point deadline) {
  const auto pending = std::make_shared<Pending>(exchange.executor());
  const auto made = [pending, allowances = allowances_](const std::exception_ptr& problem,
                                                        Result<ledger::Reservation> reserved) {
    if (problem) reserved = fail(Errc::internal, "a key's allowances could not be looked at");
    if (!pending->end) {
      pending->end = std::move(reserved);
      pending->wake.cancel();
    } else if (reserved) {  // nobody waits for it any more
      allowances->settle(*reserved, {});
    }
  };
  asio::co_spawn(threads_, reserve(allowances_.get(), key, claim, deadline),
                 asio::bind_executor(exchange.executor(), made));
  exchange.watch(deadline, [pending](Error why) {
    if (pending->end) return;
    pending->end = std::unexpected(std::move(why));
    pending->wake.cancel();
  });
  while (!pending->end) co_await pending->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  exchange.watch({}, {});
  co_return *pending->end;
}

}  // namespace lichen::serving
