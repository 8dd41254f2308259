// A runtime, the thread that carries its remote connections, and turns that Ctrl-C cancels.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "lichen/runtime.h"
#include "policy/config.h"

namespace lichen::cli {

/// While it lives, the first SIGINT or SIGTERM cancels the turn, and the second has the system's
/// own effect. `io` must be run by another thread.
class CancelOnSignal {
 public:
  CancelOnSignal(boost::asio::io_context& io, std::function<void()> cancel);
  ~CancelOnSignal();
  CancelOnSignal(const CancelOnSignal&) = delete;
  CancelOnSignal& operator=(const CancelOnSignal&) = delete;

 private:
  struct Watch;
  std::shared_ptr<Watch> watch_;
};

/// Owned by a command for as long as it runs. Its functions belong to the main thread.
class Host {
 public:
  /// Loads the configuration that `chosen` stands for (see find_config), with a progress bar.
  /// `offline`: its remote models stay unasked.
  static Result<std::unique_ptr<Host>> open(const std::filesystem::path& chosen,
                                            bool offline = false);
  static Result<std::unique_ptr<Host>> open(policy::Config config);
  ~Host();

  Runtime& runtime() { return *runtime_; }
  boost::asio::io_context& io() { return io_; }

  /// Blocks until the turn has ended; Ctrl-C cancels it.
  Result<Answer> answer(Request request, Turn& turn);

 private:
  Host() = default;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::unique_ptr<Runtime> runtime_;
  std::thread thread_;
};

/// Reads the configuration that `chosen` stands for. What is measured of its models is kept in the
/// cache folder.
Result<policy::Config> load_chosen_config(const std::filesystem::path& chosen);

/// `Runtime::open` with a progress bar on stderr.
Result<std::unique_ptr<Runtime>> open_runtime(policy::Config config,
                                              boost::asio::any_io_executor io);

}  // namespace lichen::cli
