#include "model/lane.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>

#include "model/backend.h"
#include "model/batcher.h"

namespace lichen::model {

namespace asio = boost::asio;

Lane::Lane(std::string name, std::shared_ptr<ComputePool> pool)
    : name_(std::move(name)),
      pool_(std::move(pool)),
      work_(asio::make_work_guard(io_)),
      thread_([this] { run(); }) {}

Lane::~Lane() {
  asio::post(io_, [this] { stopping_ = true; });
  thread_.join();
  // Whatever still waits is dropped, and the coroutines that wait with it.
  for (auto& batcher : batchers_) batcher->drop_waiting();
}

std::shared_ptr<Batcher> Lane::add(std::unique_ptr<Backend> backend, const BatcherOptions& options,
                                   const StepTimes& times) {
  auto batcher = std::make_shared<Batcher>(std::move(backend), options, times, io_.get_executor());
  call([&] { batchers_.push_back(batcher); });
  return batcher;
}

void Lane::call(std::function<void()> work) {
  asio::post(io_, asio::use_future(std::move(work))).get();
}

void Lane::run() {
  for (;;) {
    io_.poll();
    if (stopping_) return;
    // Of models that have gone, whose memory this gives back. A session holds its batcher, too.
    std::erase_if(batchers_, [](const auto& batcher) { return batcher.use_count() == 1; });
    bool decoded = false;
    bool waiting = false;
    bool interactive = false;
    bool first = false;
    for (auto& batcher : batchers_) {
      interactive |= batcher->interactive_waiting();
      first |= batcher->first_waiting();
    }
    for (auto& batcher : batchers_) {
      if (first && batcher->first_waiting()) decoded |= batcher->run_batch(interactive);
    }
    for (auto& batcher : batchers_) {
      if (!first || !decoded) decoded |= batcher->run_batch(interactive);
      waiting |= batcher->waiting();
    }
    if (decoded) continue;
    if (waiting) {
      // Steps wait for KV cells that sessions of other threads hold; look again soon, since their
      // turns may be cancelled or run out of time meanwhile.
      io_.run_one_for(std::chrono::milliseconds(5));
    } else {
      io_.run_one();
    }
    if (stopping_) return;
  }
}

}  // namespace lichen::model
