// Has a running server take up its configuration again: when it is asked to, at SIGHUP, and, if the
// configuration says so, when its file changes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lichen/result.h"
#include "policy/config.h"
#include "policy/reload_report.h"
#include "serving/server.h"

namespace lichen::serving {

struct ReloaderOptions {
  /// Reads and checks the file as at the start, with what the command line says.
  std::function<Result<policy::Config>()> load;
  /// What the command line says over the file's block.
  std::function<policy::ServeConfig(const policy::Config&)> serve;
  /// Called after each time, by the thread that reloads.
  std::function<void(const Result<policy::ReloadReport>&)> done = {};
  /// At SIGHUP: whether it is to be taken as the end instead. Without: never.
  std::function<bool()> ends = {};
  /// How often the file is looked at under `watch`. It is loaded once it has been the same twice.
  std::chrono::milliseconds interval{500};
};

/// Owned by whoever serves; goes after the server has stopped and before it goes.
class Reloader {
 public:
  /// `config` is the one that the server is to begin with. `io` must be the server's.
  Reloader(Server& server, boost::asio::io_context& io, const policy::Config& config,
           ReloaderOptions options);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Loads the configuration and has the server take it up; at an error nothing changes. What came
  /// of it is logged and counted. Blocks; from any thread, one at a time.
  Result<policy::ReloadReport> reload();
  /// From now on, once the server is ready, SIGHUP and changes of the file have an effect, those
  /// since the configuration was read, too. Once.
  void start();
  /// Has the thread that waits for these reload soon. From any thread.
  void request();

 private:
  struct Signals;
  Result<policy::ReloadReport> load_and_take_up();
  void await_signal(const std::shared_ptr<Signals>& signals);
  void run(const std::stop_token& stop);
  bool file_changed();

  Server& server_;
  boost::asio::io_context& io_;
  const ReloaderOptions options_;
  const std::filesystem::path file_;
  std::shared_ptr<Signals> signals_;

  std::mutex reloading_;  // one after the other
  std::mutex mutex_;      // guards all below
  std::condition_variable_any wake_;
  bool requested_ = false;
  bool watch_;
  std::string loaded_;  // the stamp of the file that was loaded last
  std::string seen_;    // of the one that was looked at last

  std::jthread thread_;  // once started; last: it uses the above
};

}  // namespace lichen::serving
