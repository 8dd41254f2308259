// lichen serve: the HTTP server.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/terminal.h"
#include "serving/server.h"

namespace lichen::cli {
namespace {

struct ServeOptions {
  std::optional<std::string> host;
  std::optional<int> port;
  std::optional<std::string> plan;
};

int serve(const ServeOptions& options, const Invocation& invocation) {
  auto loaded = load_chosen_config(invocation.config);
  if (!loaded) return report_error(loaded.error());
  boost::asio::io_context io(1);  // the server runs more for its other threads
  auto runtime = open_runtime(std::move(*loaded), io.get_executor());
  if (!runtime) return report_error(runtime.error());

  auto config = (*runtime)->config().serve;
  if (options.host) config.host = *options.host;
  if (options.port) config.port = *options.port;
  if (options.plan) config.plan = *options.plan;
  if (auto plan = (*runtime)->find(config.plan); !plan) return report_error(plan.error());

  auto server = serving::Server::open(**runtime, io, config);
  if (!server) return report_error(server.error());
  Terminal::of(stdout).write("listening on " + (*server)->url() + "\n");
  (*server)->run();
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
