// The one compute thread of a device.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lichen/result.h"
#include "model/pass_times.h"

namespace lichen::model {

class Backend;
class Batcher;
class ComputePool;
struct BatcherOptions;

/// Runs every model of a device on one thread. Coroutines that work at token level run here too, so
/// a step costs neither a thread hop nor a lock: they queue steps with their model's batcher, and
/// when nothing on the lane can run any more, each batcher with waiting steps decodes one batch.
/// Models take turns on all cores; two that decoded at once would spin against each other.
///
/// `executor` and `add` may be used from any thread. Whoever owns the lane sees to it that no turn
/// is in progress any more when it goes.
class Lane {
 public:
  /// `pool`: the threads that all models of the lane compute with; may be null (scripted models).
  explicit Lane(std::string name, std::shared_ptr<ComputePool> pool = nullptr);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const std::string& name() const { return name_; }
  const std::shared_ptr<ComputePool>& pool() const { return pool_; }
  boost::asio::io_context::executor_type executor() { return io_.get_executor(); }
  /// Whether the caller is on the lane's thread.
  bool here() const { return std::this_thread::get_id() == thread_.get_id(); }

  /// Takes a backend into the rota. Blocks until the lane has it.
  std::shared_ptr<Batcher> add(std::unique_ptr<Backend> backend, const BatcherOptions& options,
                               const StepTimes& times = {});
  /// Runs `work` on the lane's thread between two batches and waits for it. Not from the lane.
  void call(std::function<void()> work);

 private:
  void run();

  const std::string name_;
  const std::shared_ptr<ComputePool> pool_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::shared_ptr<Batcher>> batchers_;  // the lane's thread only
  bool stopping_ = false;                           // likewise
  std::thread thread_;                              // last: starts when all else is there
};

}  // namespace lichen::model
