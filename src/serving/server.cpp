#include "serving/server.h"

#include <atomic>
#include <cstdlib>
#include <optional>

#include "ledger/ledger.h"
#include "model/local_model.h"
#include "model/remote_model.h"
#include "policy/plan.h"
#include "serving/api.h"
#include "serving/http_server.h"

namespace lichen::serving {

namespace {

Result<std::optional<ApiKey>> read_key(const char* field, const std::string& variable) {
  if (variable.empty()) return std::nullopt;
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr || *key == '\0') {
    return fail(Errc::bad_config, std::string("serve: ") + field + " names `" + variable +
                                      "`, which is not set: set it to the key that is sent");
  }
  return ApiKey(key);
}

/// What the lane does for one local model.
void add_lane(Metrics& metrics, const std::shared_ptr<model::LocalModel>& model) {
  const auto add = [&](auto method, const char* name, const char* help,
                       auto model::BatcherStats::* field) {
    (metrics.*method)(std::string("lichen_lane_") + name, help, {{"model", model->name()}},
                      [model, field] { return static_cast<double>(model->stats().*field); });
  };
  const auto gauge = &Metrics::add_gauge;
  const auto counter = &Metrics::add_counter;
  using Stats = model::BatcherStats;
  add(gauge, "sessions", "Open sessions", &Stats::sessions);
  add(gauge, "waiting_steps", "Steps that waited for the latest batch", &Stats::waiting);
  add(gauge, "used_cells", "KV cells in use", &Stats::used_cells);
  add(gauge, "prefix_cache_bytes", "Memory of finished sequences that prompts may begin like",
      &Stats::prefix_cache_bytes);
  add(counter, "batches_total", "Batches decoded", &Stats::batches);
  add(counter, "tokens_total", "Tokens decoded", &Stats::tokens);
  add(counter, "cached_tokens_total", "Prompt tokens that the prefix cache supplied",
      &Stats::cached_tokens);
  add(counter, "preemptions_total", "Sessions moved out of the KV cache", &Stats::preemptions);
}

/// The index of an upstream is as fixed as the configuration.
void add_upstreams(Metrics& metrics, const std::shared_ptr<model::RemoteModel>& model) {
  const auto states = model->upstreams();
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Metrics::Labels labels = {{"model", model->name()}, {"upstream", states[i].name}};
    const auto add = [&](auto method, const char* name, const char* help, auto value) {
      (metrics.*method)(std::string("lichen_upstream_") + name, help, labels,
                        [model, i, value] { return value(model->upstreams()[i]); });
    };
    using State = model::UpstreamState;
    const auto gauge = &Metrics::add_gauge;
    const auto counter = &Metrics::add_counter;
    add(gauge, "admitted", "Share of its traffic that the breaker lets pass: 1 closed, 0 open",
        [](const State& state) { return state.admitted; });
    add(gauge, "state", "Its breaker: 0 closed, 1 half open, 2 open", [](const State& state) {
      return state.open ? 2.0 : state.admitted < 1 ? 1.0 : 0.0;
    });
    add(gauge, "in_flight", "Requests in progress",
        [](const State& state) { return static_cast<double>(state.in_flight); });
    add(gauge, "first_token_seconds", "Average time to the first token of late; 0: unknown",
        [](const State& state) { return state.first_token_s.value_or(0); });
    add(counter, "attempts_total", "Requests sent, repeated ones too",
        [](const State& state) { return static_cast<double>(state.requests); });
    add(counter, "failures_total", "Attempts that failed for a cause of the upstream's own",
        [](const State& state) { return static_cast<double>(state.failures); });
  }
}

void add_mechanism(Metrics& metrics, const policy::PlanMetric& of) {
  const auto& [name, help, labels, read] = of.metric;
  Metrics::Labels all = labels;
  all["plan"] = of.plan;
  const auto add = name.ends_with("_total") ? &Metrics::add_counter : &Metrics::add_gauge;
  (metrics.*add)(name, help, std::move(all), read);
}

void add_runtime(Metrics& metrics, Runtime& runtime) {
  const auto& ledger = runtime.ledger();
  metrics.add_gauge("lichen_ledger_pending", "Receipts in memory that wait to be written", {},
                    [&ledger] { return static_cast<double>(ledger.health().pending); });
  metrics.add_counter("lichen_ledger_lost_total", "Receipts dropped since the start", {},
                      [&ledger] { return static_cast<double>(ledger.health().lost); });
  metrics.add_gauge("lichen_ledger_ok", "1 when the latest write of the ledger succeeded", {},
                    [&ledger] { return ledger.health().ok ? 1.0 : 0.0; });
  for (const policy::PlanMetric& metric : runtime.metrics()) add_mechanism(metrics, metric);
  for (const ModelPtr& model : runtime.models()) {
    if (auto local = std::dynamic_pointer_cast<model::LocalModel>(model)) {
      add_lane(metrics, local);
    }
    if (auto remote = std::dynamic_pointer_cast<model::RemoteModel>(model)) {
      add_upstreams(metrics, remote);
    }
  }
}

/// In front of the routes: says that models are loading until there are any.
class Gate final : public Handler {
 public:
  /// From any thread; `routes` outlive this.
  void open(Handler& routes) { routes_.store(&routes, std::memory_order_release); }

  std::optional<HttpResponse> admit(const HttpRequest& header) override {
    if (Handler* routes = opened()) return routes->admit(header);
    const std::string_view target = header.target();
    if (target.substr(0, target.find('?')) == "/health") {
      return HttpResponse{.status = 503, .body = R"({"status":"loading"})"};
    }
    return error_response(503, "the models are still being loaded");
  }
  awaitable<void> handle(Exchange& exchange) override {
    return opened()->handle(exchange);  // there is one: it was admitted
  }
  HttpResponse refusal(unsigned status, std::string detail) override {
    return error_response(status, detail);
  }
  void served(const Served& served) override {
    if (Handler* routes = opened()) routes->served(served);
  }

 private:
  Handler* opened() const { return routes_.load(std::memory_order_acquire); }

  std::atomic<Handler*> routes_ = nullptr;
};

}  // namespace

struct Server::Parts {
  ApiOptions options;
  Metrics metrics;
  std::string host;
  std::optional<Keys> keys;  // once there is a runtime that has a use for them
  std::optional<Api> api;    // once there is a runtime
  Gate gate;
  std::unique_ptr<HttpServer> http;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(boost::asio::io_context& io,
                                             const policy::ServeConfig& config,
                                             std::chrono::milliseconds drain) {
  auto key = read_key("api_key_env", config.api_key_env);
  if (!key) return std::unexpected(key.error());
  auto admin = read_key("admin_key_env", config.admin_key_env);
  if (!admin) return std::unexpected(admin.error());
  auto parts = std::make_unique<Parts>();
  parts->options = {
      .access = {.key = *key, .admin = *admin, .keys = config.keys},
      .plan = config.plan,
      .limits = {.max_messages = config.max_messages, .max_tokens = config.max_tokens},
      .max_turns = config.max_turns,
      .deadline = config.deadline};
  auto http = HttpServer::listen(io,
                                 HttpOptions{.host = config.host,
                                             .port = config.port,
                                             .allow_public = key->has_value() || config.keys,
                                             .io_threads = config.io_threads,
                                             .max_connections = config.max_connections,
                                             .max_body_bytes = config.max_body_bytes,
                                             .drain = drain},
                                 parts->gate);
  if (!http) return std::unexpected(http.error());
  parts->http = std::move(*http);
  parts->host = config.host.find(':') == std::string::npos ? config.host : "[" + config.host + "]";
  parts->metrics.add_gauge("lichen_connections", "Open connections", {},
                           [&http = *parts->http] { return http.connections(); });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::ready(Runtime& runtime) {
  add_runtime(parts_->metrics, runtime);
  const AccessOptions& access = parts_->options.access;
  if (access.keys || access.admin) parts_->keys.emplace(runtime.ledger());
  parts_->gate.open(parts_->api.emplace(runtime, parts_->options,
                                        parts_->keys ? &*parts_->keys : nullptr, parts_->metrics));
  parts_->http->stop_on_signals();
}

std::string Server::url() const {
  return "http://" + parts_->host + ":" + std::to_string(parts_->http->port());
}

void Server::run() { parts_->http->run(); }
void Server::stop() { parts_->http->stop(); }
Metrics& Server::metrics() { return parts_->metrics; }

}  // namespace lichen::serving
