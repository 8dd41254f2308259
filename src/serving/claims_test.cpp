#include "serving/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <semaphore>

namespace lichen::serving {
namespace {

namespace asio = boost::asio;

/// Those of a server that says nothing until it is let.
class Hanging : public ledger::Allowances {
 public:
  Result<ledger::Reservation> reserve(const ledger::Key& key, const ledger::Claim& claim,
                                      std::chrono::system_clock::time_point) override {
    asked.release();
    answers.acquire();
    if (!fails) return ledger::Reservation{.id = "1", .key = key.id, .claim = claim};
    return fail(Errc::storage, "gone");
  }
  void settle(const ledger::Reservation& reservation, const ledger::KeyUse& used) override {
    settled.push_back(reservation.id + " " + std::to_string(used.requests));
  }
  Result<double> spent(const ledger::Key&) override { return 0; }
  bool blocks(const ledger::Key&) override { return true; }

  std::binary_semaphore asked{0}, answers{0};
  bool fails = false;
  std::vector<std::string> settled;
};

/// A request that ends when it is told to.
class Watched final : public Exchange {
 public:
  explicit Watched(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  const HttpRequest& request() const override { return request_; }
  asio::any_io_executor executor() override { return executor_; }
  awaitable<void> respond(HttpResponse) override { co_return; }
  void begin_stream(HttpResponse) override {}
  awaitable<bool> write(std::string_view) override { co_return true; }
  awaitable<bool> finish(std::string_view) override { co_return true; }
  void watch(std::optional<Clock::time_point> at, std::function<void(Error)> call) override {
    deadline = at;
    stop = std::move(call);
  }

  std::optional<Clock::time_point> deadline;
  std::function<void(Error)> stop;

 private:
  const HttpRequest request_;
  const asio::any_io_executor executor_;
};

class ClaimsTest : public testing::Test {
 protected:
  /// Starts a claim, and runs until the server has been asked.
  void begin() {
    asio::co_spawn(
        io_, claims_.make(exchange_, key_, {.tokens = 7}, deadline_),
        [this](std::exception_ptr, Result<Spending> made) { made_.emplace(std::move(made)); });
    io_.poll();
    server_->asked.acquire();
  }

  const KeyPtr key_ = std::make_shared<const ledger::Key>(ledger::Key{.id = "k"});
  const Clock::time_point deadline_ = Clock::now() + std::chrono::minutes(1);
  asio::io_context io_{1};
  Watched exchange_{io_.get_executor()};
  const std::shared_ptr<Hanging> server_ = std::make_shared<Hanging>();
  Claims claims_{server_};
  std::optional<Result<Spending>> made_;
};

TEST_F(ClaimsTest, IsMadeOnAnotherThread) {
  begin();
  EXPECT_EQ(exchange_.deadline, deadline_);
  EXPECT_FALSE(made_);
  server_->answers.release();
  io_.run();
  ASSERT_TRUE(made_ && *made_);
  EXPECT_FALSE(exchange_.stop) << "the watch has ended";
  made_.reset();
  EXPECT_THAT(server_->settled, testing::ElementsAre("1 0"));
}

TEST_F(ClaimsTest, NeedNotBeWaitedForByARequestThatEnds) {
  begin();
  exchange_.stop({Errc::deadline_exceeded, "over"});
  while (!made_) io_.run_one();
  ASSERT_FALSE(*made_);
  EXPECT_EQ(made_->error().detail, "over");
  EXPECT_THAT(server_->settled, testing::IsEmpty());
  server_->answers.release();
  io_.run();
  EXPECT_THAT(server_->settled, testing::ElementsAre("1 0")) << "what was claimed is given back";
}

TEST_F(ClaimsTest, FailsAsTheServerDoes) {
  server_->fails = true;
  begin();
  server_->answers.release();
  io_.run();
  ASSERT_TRUE(made_);
  EXPECT_EQ(made_->error().code, Errc::storage);
}

}  // namespace
}  // namespace lichen::serving
