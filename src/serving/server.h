// The HTTP server over a runtime: OpenAI's API, receipts, health and metrics.
//
//   boost::asio::io_context io(1);
//   auto runtime = Runtime::open("lichen.yaml", io.get_executor());
//   auto server = serving::Server::open(**runtime, io, (*runtime)->config().serve);
//   std::println("listening on {}", (*server)->url());
//   (*server)->run();
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "lichen/result.h"
#include "lichen/runtime.h"
#include "policy/config.h"
#include "serving/metrics.h"

namespace lichen::serving {

/// Owned by whoever serves; must not outlive the runtime or `io`. `open` and `run` belong to one
/// thread, the rest may be called from any.
class Server {
 public:
  /// Binds and listens, but answers nothing before `run`. `bad_config`: the address cannot be
  /// bound, is not a loopback address while no API key is set, or `api_key_env` names a variable
  /// that is not set. Port 0 takes a free one. `io` must be the one that the runtime was given.
  static Result<std::unique_ptr<Server>> open(
      Runtime& runtime, boost::asio::io_context& io, const policy::ServeConfig& config,
      std::chrono::milliseconds drain = std::chrono::seconds(10));
  ~Server();

  /// "http://127.0.0.1:8080"
  std::string url() const;

  /// Serves until SIGINT, SIGTERM or `stop`, on this thread and `io_threads - 1` more. Then
  /// accepts nothing new, lets running turns finish within the drain time and cancels the rest; a
  /// second signal cancels them at once.
  void run();
  void stop();

  /// To add gauges of one's own (lanes, caches) before or while it runs.
  Metrics& metrics();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lichen::serving
