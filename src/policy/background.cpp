#include "policy/background.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

namespace lichen::policy {
namespace {

constexpr std::size_t kMostAtATime = 64;
constexpr auto kTimeLimit = std::chrono::minutes(10);
constexpr auto kPatience = std::chrono::seconds(2);

struct Job {
  explicit Job(std::string plan, Turn::Later todo) : turn(std::move(plan)), work(std::move(todo)) {
    turn.priority = Priority::background;
    turn.deadline = Clock::now() + kTimeLimit;
  }
  Turn turn;
  const Turn::Later work;
};

awaitable<Result<void>> run(std::shared_ptr<Job> job) { co_return co_await job->work(job->turn); }

}  // namespace

struct Background::State {
  std::unique_ptr<boost::asio::thread_pool> pool = std::make_unique<boost::asio::thread_pool>(1);
  std::mutex mutex;
  std::condition_variable_any fewer;
  Record record;                           // guarded by mutex; empty once nobody wants to hear
  std::vector<std::shared_ptr<Job>> jobs;  // guarded by mutex

  void end(const std::shared_ptr<Job>& job, const std::exception_ptr& thrown,
           const Result<void>& result) {
    std::optional<Error> error;
    if (thrown) {
      error = Error{Errc::internal, "a defect in Lichen: an exception in the background"};
    } else if (!result) {
      error = result.error();
    }
    std::lock_guard lock(mutex);
    if (record) record(job->turn, error);
    std::erase(jobs, job);
    fewer.notify_all();
  }
};

Background::Background(Record record) : state_(std::make_shared<State>()) {
  state_->record = std::move(record);
}

Background::~Background() {
  std::unique_lock lock(state_->mutex);
  const auto running = state_->jobs;  // cancelling may end one at once
  lock.unlock();
  for (const auto& job : running) job->turn.cancel(Errc::cancelled, "the program ends");
  lock.lock();
  const bool done =
      state_->fewer.wait_for(lock, kPatience, [this] { return state_->jobs.empty(); });
  state_->record = {};
  if (!done) {
    // What cannot end may still refer to its executor, so that stays.
    [[maybe_unused]] const auto* left = state_->pool.release();
  }
  lock.unlock();
  if (done) state_->pool->join();
}

void Background::start(std::string plan, Turn::Later work) {
  auto job = std::make_shared<Job>(std::move(plan), std::move(work));
  {
    std::lock_guard lock(state_->mutex);
    if (state_->jobs.size() >= kMostAtATime) {
      spdlog::debug("{}: work for later is dropped: there is too much of it",
                    job->turn.receipt.plan);
      return;
    }
    state_->jobs.push_back(job);
  }
  boost::asio::co_spawn(
      *state_->pool, run(job),
      [state = state_, job](const std::exception_ptr& thrown, const Result<void>& result) {
        state->end(job, thrown, result);
      });
}

void Background::settle(std::stop_token give_up) {
  std::unique_lock lock(state_->mutex);
  state_->fewer.wait(lock, std::move(give_up), [this] { return state_->jobs.empty(); });
}

}  // namespace lichen::policy
