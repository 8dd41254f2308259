#include "mechanisms/side_by_side.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace lichen::mechanisms {

namespace asio = boost::asio;

awaitable<void> side_by_side(std::vector<awaitable<void>> work) {
  if (work.empty()) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto spawn = [&executor](awaitable<void> one) {
    return asio::co_spawn(executor, std::move(one), asio::deferred);
  };
  std::vector<decltype(spawn(std::declval<awaitable<void>>()))> spawned;
  spawned.reserve(work.size());
  for (awaitable<void>& one : work) spawned.push_back(spawn(std::move(one)));
  const auto [order, thrown] =
      co_await asio::experimental::make_parallel_group(std::move(spawned))
          .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  for (const std::exception_ptr& exception : thrown) {
    if (exception) std::rethrow_exception(exception);
  }
}

}  // namespace lichen::mechanisms
