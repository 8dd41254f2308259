#include "serving/server.h"

#include <cstdlib>

#include "ledger/ledger.h"
#include "model/local_model.h"
#include "serving/api.h"
#include "serving/http_server.h"

namespace lichen::serving {

struct Server::Parts {
  Parts(Runtime& runtime, ApiOptions options) : api(runtime, std::move(options), metrics) {}

  Metrics metrics;
  Api api;
  std::string host;
  std::unique_ptr<HttpServer> http;
};

namespace {

Result<std::optional<ApiKey>> read_key(const std::string& variable) {
  if (variable.empty()) return std::nullopt;
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr || *key == '\0') {
    return fail(Errc::bad_config, "serve: api_key_env names `" + variable +
                                      "`, which is not set: set it to the key that clients send");
  }
  return ApiKey(key);
}

/// What the lane does for one local model.
void add_lane_gauges(Metrics& metrics, std::shared_ptr<model::LocalModel> model) {
  auto add = [&](std::string name, std::string help, auto model::BatcherStats::* field) {
    metrics.add_gauge("lichen_lane_" + std::move(name), std::move(help), {{"model", model->name()}},
                      [model, field] { return static_cast<double>(model->stats().*field); });
  };
  add("sessions", "Open sessions", &model::BatcherStats::sessions);
  add("waiting_steps", "Steps that waited for the latest batch", &model::BatcherStats::waiting);
  add("used_cells", "KV cells in use", &model::BatcherStats::used_cells);
  add("prefix_cache_bytes", "Memory of finished sequences that prompts may begin like",
      &model::BatcherStats::prefix_cache_bytes);
  add("batches", "Batches decoded since the start", &model::BatcherStats::batches);
  add("tokens", "Tokens decoded since the start", &model::BatcherStats::tokens);
  add("cached_tokens", "Prompt tokens that the prefix cache supplied",
      &model::BatcherStats::cached_tokens);
  add("preemptions", "Sessions moved out of the KV cache", &model::BatcherStats::preemptions);
}

void add_gauges(Metrics& metrics, Runtime& runtime, const HttpServer& http) {
  metrics.add_gauge("lichen_connections", "Open connections", {},
                    [&http] { return http.connections(); });
  const auto& ledger = runtime.ledger();
  metrics.add_gauge("lichen_ledger_pending", "Receipts in memory that wait to be written", {},
                    [&ledger] { return static_cast<double>(ledger.health().pending); });
  metrics.add_gauge("lichen_ledger_lost", "Receipts dropped since the start", {},
                    [&ledger] { return static_cast<double>(ledger.health().lost); });
  metrics.add_gauge("lichen_ledger_ok", "1 when the latest write of the ledger succeeded", {},
                    [&ledger] { return ledger.health().ok ? 1.0 : 0.0; });
  for (const ModelPtr& model : runtime.models()) {
    if (auto local = std::dynamic_pointer_cast<model::LocalModel>(model)) {
      add_lane_gauges(metrics, std::move(local));
    }
  }
}

}  // namespace

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(Runtime& runtime, boost::asio::io_context& io,
                                             const policy::ServeConfig& config,
                                             std::chrono::milliseconds drain) {
  auto key = read_key(config.api_key_env);
  if (!key) return std::unexpected(key.error());
  const bool has_key = key->has_value();
  auto parts = std::make_unique<Parts>(
      runtime,
      ApiOptions{.key = *key,
                 .plan = config.plan,
                 .limits = {.max_messages = config.max_messages, .max_tokens = config.max_tokens},
                 .deadline = config.deadline});
  auto http = HttpServer::listen(io,
                                 HttpOptions{.host = config.host,
                                             .port = config.port,
                                             .allow_public = has_key,
                                             .io_threads = config.io_threads,
                                             .max_connections = config.max_connections,
                                             .max_body_bytes = config.max_body_bytes,
                                             .drain = drain},
                                 parts->api);
  if (!http) return std::unexpected(http.error());
  parts->http = std::move(*http);
  parts->host = config.host.find(':') == std::string::npos ? config.host : "[" + config.host + "]";
  add_gauges(parts->metrics, runtime, *parts->http);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::string Server::url() const {
  return "http://" + parts_->host + ":" + std::to_string(parts_->http->port());
}

void Server::run() { parts_->http->run(); }
void Server::stop() { parts_->http->stop(); }
Metrics& Server::metrics() { return parts_->metrics; }

}  // namespace lichen::serving
