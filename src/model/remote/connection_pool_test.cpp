#include "model/remote/connection_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <vector>

namespace lichen::model {
namespace {

namespace asio = boost::asio;
using Permit = ConnectionPool::Permit;

struct Asked {
  explicit Asked(asio::io_context& io) : watchdog(io.get_executor(), stop.get_token()) {}
  std::stop_source stop;
  Watchdog watchdog;
  std::optional<Permit> permit;
  Bound bound = Bound::none;
};

awaitable<void> ask(std::shared_ptr<ConnectionPool> pool, Asked& asked, int id,
                    std::vector<int>& order) {
  auto permit = co_await pool->acquire(asked.watchdog);
  if (permit) {
    asked.permit.emplace(std::move(*permit));
    order.push_back(id);
  } else {
    asked.bound = permit.error().bound;
  }
}

TEST(ConnectionPool, ServesWaitersInTheOrderTheyCame) {
  asio::io_context io;
  const auto pool = std::make_shared<ConnectionPool>(2, std::chrono::seconds(1));
  std::vector<int> order;
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(std::make_unique<Asked>(io));
    asio::co_spawn(io, ask(pool, *all.back(), i, order), asio::detached);
  }
  io.poll();
  EXPECT_EQ(order, (std::vector{0, 1}));
  all[1]->permit.reset();
  io.poll();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  all[4]->stop.request_stop();  // leaves the queue
  io.poll();
  EXPECT_EQ(all[4]->bound, Bound::stopped);
  for (const int i : {0, 2, 3}) {
    all[i]->permit.reset();
    io.poll();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 5}));
}

TEST(ConnectionPool, AWaitEndsAtItsLimit) {
  asio::io_context io;
  const auto pool = std::make_shared<ConnectionPool>(1, std::chrono::seconds(1));
  std::vector<int> order;
  Asked first(io), second(io);
  second.watchdog.limit(Bound::deadline, Clock::now() + std::chrono::milliseconds(5));
  asio::co_spawn(io, ask(pool, first, 1, order), asio::detached);
  asio::co_spawn(io, ask(pool, second, 2, order), asio::detached);
  io.run();
  EXPECT_EQ(second.bound, Bound::deadline);
  EXPECT_FALSE(second.permit);
}

TEST(ConnectionPool, APermitGrantedToOneWhoLeavesIsNotLost) {
  asio::io_context io;
  const auto pool = std::make_shared<ConnectionPool>(1, std::chrono::seconds(1));
  std::vector<int> order;
  Asked first(io), second(io), third(io);
  asio::co_spawn(io, ask(pool, first, 1, order), asio::detached);
  asio::co_spawn(io, ask(pool, second, 2, order), asio::detached);
  io.poll();
  first.permit.reset();        // goes to the second,
  second.stop.request_stop();  // who is stopped before it wakes
  io.restart();
  io.poll();
  second.permit.reset();
  asio::co_spawn(io, ask(pool, third, 3, order), asio::detached);
  io.restart();
  io.poll();
  EXPECT_TRUE(third.permit);
}

}  // namespace
}  // namespace lichen::model
