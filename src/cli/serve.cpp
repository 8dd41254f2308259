// lichen serve: the HTTP server.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/terminal.h"
#include "policy/version_watch.h"
#include "serving/server.h"

namespace lichen::cli {
namespace {

struct ServeOptions {
  std::optional<std::string> host;
  std::optional<int> port;
  std::optional<std::string> plan;
  bool offline = false;
};

/// The thread that a server runs on; stops the server when it goes.
class Serving {
 public:
  explicit Serving(serving::Server& server)
      : server_(server), thread_([&server] { server.run(); }) {}
  ~Serving() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  /// Until somebody stops it.
  void wait() { thread_.join(); }

 private:
  serving::Server& server_;
  std::thread thread_;
};

int serve(const ServeOptions& options, const Invocation& invocation) {
  auto loaded = load_chosen_config(invocation.config);
  if (!loaded) return report_error(loaded.error());
  auto config = loaded->serve;
  if (options.host) config.host = *options.host;
  if (options.port) config.port = *options.port;
  if (options.plan) config.plan = *options.plan;
  loaded->offline = options.offline;

  boost::asio::io_context io(1);     // the server runs more for its other threads
  std::unique_ptr<Runtime> runtime;  // outlives the server
  // The models may take minutes: a port that is taken shows before.
  auto server = serving::Server::open(io, config);
  if (!server) return report_error(server.error());
  Serving serving(**server);
  auto opened = open_runtime(std::move(*loaded), io.get_executor());
  if (!opened) return report_error(opened.error());
  runtime = std::move(*opened);
  if (auto plan = runtime->find(config.plan); !plan) return report_error(plan.error());

  const policy::VersionWatch versions(runtime->models(), runtime->config());
  (*server)->ready(*runtime);
  Terminal::of(stdout).write("listening on " + (*server)->url() + "\n");
  serving.wait();
  return kOk;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = app.add_subcommand("serve", "Serve OpenAI's HTTP API");
  command
      ->add_option("--host", options->host,
                   "Address to listen on; other than loopback only with an API key")
      ->type_name("ADDRESS");
  command->add_option("--port", options->port, "Port; 0 takes a free one")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65'535));
  command->add_option("-p,--plan", options->plan, "Plan for requests that name no model")
      ->type_name("NAME");
  command->add_flag("--offline", options->offline,
                    "Open no connection to any remote model: each fails at once, and others answer "
                    "where the plan says so");
  command->footer(
      "What is not given here is taken from the configuration's `serve` block. The first line on\n"
      "stdout is the address, once requests are accepted. SIGINT and SIGTERM let running requests\n"
      "finish; a second one cancels them.\n"
      "\n"
      "Examples:\n"
      "  lichen serve\n"
      "  lichen serve --config lichen.yaml --port 0\n"
      "  curl http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' \\\n"
      "    -d '{\"model\": \"default\", \"messages\": [{\"role\": \"user\", \"content\": \"2 + 3 "
      "= ?\"}]}'");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return serve(*options, invocation); };
  });
}

}  // namespace lichen::cli
