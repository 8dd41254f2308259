// lichen serve: the HTTP server.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/terminal.h"
#include "policy/version_watch.h"
#include "serving/reloader.h"
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

/// What the command line says over the configuration's block.
policy::ServeConfig serve_block(const ServeOptions& options, const policy::Config& config) {
  policy::ServeConfig serve = config.serve;
  if (options.host) serve.host = *options.host;
  if (options.port) serve.port = *options.port;
  if (options.plan) serve.plan = *options.plan;
  return serve;
}

Result<policy::Config> load(const ServeOptions& options, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (config) config->offline = options.offline;
  return config;
}

bool has_terminal() {
  const int terminal = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  ::close(terminal);
  return true;
}

int serve(const ServeOptions& options, const Invocation& invocation) {
  auto loaded = load(options, invocation);
  if (!loaded) return report_error(loaded.error());
  const policy::ServeConfig block = serve_block(options, *loaded);

  boost::asio::io_context io(1);  // the server runs more for its other threads
  // The models may take minutes: a port that is taken shows before.
  auto server = serving::Server::open(io, block);
  if (!server) return report_error(server.error());
  Serving serving(**server);
  // A terminal that is closed says so by SIGHUP, too, and takes what runs in it along.
  const auto terminal_went = [had = has_terminal()] { return had && !has_terminal(); };
  std::optional<policy::VersionWatch> versions;
  const auto took_up = [&versions, &server](const Result<policy::ReloadReport>& report) {
    if (!report) return;  // the log says why
    const auto latest = (*server)->runtime();
    versions->follow(latest->models(), latest->config());
    Terminal::of(stdout).write("configuration loaded: " + to_string(*report) + "\n");
  };
  serving::Reloader reloader(
      **server, io, *loaded,
      {.load = [&options, &invocation] { return load(options, invocation); },
       .serve = [&options](const policy::Config& read) { return serve_block(options, read); },
       .done = took_up,
       .ends = terminal_went});
  auto runtime = open_runtime(*std::move(loaded), io.get_executor());
  if (!runtime) return report_error(runtime.error());
  if (auto plan = (*runtime)->find(block.plan); !plan) return report_error(plan.error());

  versions.emplace((*runtime)->models(), (*runtime)->config());
  (*server)->on_reload([&reloader] { return reloader.reload(); });
  (*server)->ready(*std::move(runtime));
  reloader.start();
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
      "finish; a second one cancels them. SIGHUP loads the configuration again.\n"
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
