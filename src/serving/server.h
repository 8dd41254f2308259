// The HTTP server over a runtime: OpenAI's API, receipts, health and metrics.
//
//   boost::asio::io_context io(1);
//   auto server = serving::Server::open(io, config.serve);  // a port that is taken shows at once
//   std::jthread serving([&] { (*server)->run(); });
//   auto runtime = Runtime::open(config, io.get_executor());  // may take minutes
//   (*server)->ready(*std::move(runtime));
//   std::println("listening on {}", (*server)->url());
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "lichen/result.h"
#include "lichen/runtime.h"
#include "policy/config.h"
#include "policy/reload_report.h"
#include "serving/metrics.h"

namespace lichen::serving {

/// Owned by whoever serves; must not outlive `io`. Its functions may be called from any thread,
/// `ready` by one at a time with `stop`.
class Server {
 public:
  /// Binds and listens, but answers nothing before `run`. `bad_config`: the address cannot be
  /// bound, is not a loopback address while no API key is set, or `api_key_env` names a variable
  /// that is not set. Port 0 takes a free one. `io` must be the one that the runtime was given.
  static Result<std::unique_ptr<Server>> open(
      boost::asio::io_context& io, const policy::ServeConfig& config,
      std::chrono::milliseconds drain = std::chrono::seconds(10));
  ~Server();

  /// "http://127.0.0.1:8080"
  std::string url() const;

  /// Serves until `stop`, on this thread and `io_threads - 1` more. Then accepts nothing new, lets
  /// running turns finish within the drain time and cancels the rest. Before `ready`, all requests
  /// are answered with 503; `/health` then says that models are being loaded.
  void run();
  /// Answers by `runtime` from now on. From now on, too, SIGINT and SIGTERM stop the server, and a
  /// second signal cancels what still runs; before, they have the system's own effect, so that
  /// loading can be broken off. Once, before or while it runs.
  void ready(std::shared_ptr<Runtime> runtime);
  /// The same by one that outlives the server.
  void ready(Runtime& runtime);
  void stop();

  /// Has a changed configuration take the place of the one in use, all of it or nothing: at an
  /// error the server goes on as before. `serve` is the configuration's own with what the command
  /// line says put over it. Requests that have begun end with the runtime that they began with,
  /// which then goes, on a thread of its own. Blocks while models load; one at a time.
  /// `bad_config`, beside all that `Runtime::open` finds: `serve` asks for another address, port or
  /// number of threads, or for no key at a public address. `overloaded`: there is no runtime yet.
  Result<policy::ReloadReport> take_up(policy::Config config, const policy::ServeConfig& serve);
  /// The one that new requests are answered by; null before `ready`.
  std::shared_ptr<Runtime> runtime() const;

  using Reload = std::function<Result<policy::ReloadReport>()>;
  /// What `reload` is to do. Before `ready`; it stays callable as long as the server lives.
  void on_reload(Reload reload);
  /// Loads the configuration again, for whoever asks for it. Blocks. `unsupported` where nobody has
  /// said how.
  Result<policy::ReloadReport> reload();

  /// To add gauges of one's own (lanes, caches) before or while it runs.
  Metrics& metrics();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lichen::serving
