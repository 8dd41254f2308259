#include "serving/server.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "model/local_model.h"
#include "model/remote_model.h"
#include "policy/plan.h"
#include "policy/same_options.h"
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

using Readings = std::vector<Metrics::Reading>;

/// What the lane does for one local model.
void add_lane(Readings& readings, const std::shared_ptr<model::LocalModel>& model) {
  const auto add = [&](const char* name, const char* help, auto model::BatcherStats::* field) {
    readings.push_back(
        {std::string("lichen_lane_") + name, help, {{"model", model->name()}}, [model, field] {
           return static_cast<double>(model->stats().*field);
         }});
  };
  using Stats = model::BatcherStats;
  add("sessions", "Open sessions", &Stats::sessions);
  add("waiting_steps", "Steps that waited for the latest batch", &Stats::waiting);
  add("used_cells", "KV cells in use", &Stats::used_cells);
  add("prefix_cache_bytes", "Memory of finished sequences that prompts may begin like",
      &Stats::prefix_cache_bytes);
  add("batches_total", "Batches decoded", &Stats::batches);
  add("tokens_total", "Tokens decoded", &Stats::tokens);
  add("cached_tokens_total", "Prompt tokens that the prefix cache supplied", &Stats::cached_tokens);
  add("preemptions_total", "Sessions moved out of the KV cache", &Stats::preemptions);
}

/// The index of an upstream is as fixed as the model.
void add_upstreams(Readings& readings, const std::shared_ptr<model::RemoteModel>& model) {
  const auto states = model->upstreams();
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto add = [&](const char* name, const char* help, auto value) {
      readings.push_back({std::string("lichen_upstream_") + name,
                          help,
                          {{"model", model->name()}, {"upstream", states[i].name}},
                          [model, i, value] { return value(model->upstreams()[i]); }});
    };
    using State = model::UpstreamState;
    add("admitted", "Share of its traffic that the breaker lets pass: 1 closed, 0 open",
        [](const State& state) { return state.admitted; });
    add("state", "Its breaker: 0 closed, 1 half open, 2 open", [](const State& state) {
      return state.open ? 2.0 : state.admitted < 1 ? 1.0 : 0.0;
    });
    add("in_flight", "Requests in progress",
        [](const State& state) { return static_cast<double>(state.in_flight); });
    add("first_token_seconds", "Average time to the first token of late; 0: unknown",
        [](const State& state) { return state.first_token_s.value_or(0); });
    add("attempts_total", "Requests sent, repeated ones too",
        [](const State& state) { return static_cast<double>(state.requests); });
    add("failures_total", "Attempts that failed for a cause of the upstream's own",
        [](const State& state) { return static_cast<double>(state.failures); });
  }
}

void add_mechanism(Readings& readings, const policy::PlanMetric& of) {
  const auto& [name, help, labels, read] = of.metric;
  Metrics::Labels all = labels;
  all["plan"] = of.plan;
  readings.push_back({name, help, std::move(all), read});
}

/// What there is to read of a runtime, as long as it lives.
Readings readings_of(Runtime& runtime) {
  const auto& ledger = runtime.ledger();
  Readings readings = {
      {"lichen_ledger_pending",
       "Receipts in memory that wait to be written",
       {},
       [&ledger] { return static_cast<double>(ledger.health().pending); }},
      {"lichen_ledger_lost_total",
       "Receipts dropped since the start",
       {},
       [&ledger] { return static_cast<double>(ledger.health().lost); }},
      {"lichen_ledger_ok", "1 when the latest write of the ledger succeeded", {}, [&ledger] {
         return ledger.health().ok ? 1.0 : 0.0;
       }}};
  for (const policy::PlanMetric& metric : runtime.metrics()) add_mechanism(readings, metric);
  for (const ModelPtr& model : runtime.models()) {
    if (auto local = std::dynamic_pointer_cast<model::LocalModel>(model)) {
      add_lane(readings, local);
    }
    if (auto remote = std::dynamic_pointer_cast<model::RemoteModel>(model)) {
      add_upstreams(readings, remote);
    }
  }
  return readings;
}

/// A runtime and the routes over it. Each request holds the one that it began with.
struct Generation {
  Generation(std::shared_ptr<Runtime> answering, ApiOptions options, std::shared_ptr<Keys> known,
             Metrics& metrics)
      : runtime(std::move(answering)),
        keys(std::move(known)),
        api(*runtime, std::move(options), keys.get(), metrics) {}
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<Keys> keys;  // of its ledger; null where nothing has a use for them
  Api api;
};

/// In front of the routes: leads to those of the latest generation, and speaks for the server while
/// there is none yet and when it ends.
class Gate final : public Handler {
 public:
  // From any thread.
  void open(std::shared_ptr<Generation> generation) {
    std::lock_guard lock(mutex_);
    replaced_ = replaced_ || latest_ != nullptr;
    latest_.swap(generation);  // the former may go when the lock is no longer held
  }
  std::shared_ptr<Generation> latest() const {
    std::lock_guard lock(mutex_);
    return latest_;
  }
  /// Before anything is asked.
  void in(const HttpServer& http) { http_ = &http; }

  std::optional<HttpResponse> admit(const HttpRequest& header) override {
    const std::string_view target = header.target();
    const bool health = target.substr(0, target.find('?')) == "/health";
    if (health && http_->stopping()) return status("draining");
    if (const auto generation = latest()) return generation->api.admit(header);
    return health ? status("loading") : error_response(503, "the models are still being loaded");
  }
  awaitable<void> handle(Exchange& exchange) override {
    const auto generation = latest();  // there is one: it was admitted
    if (replaced_.load(std::memory_order_relaxed)) {
      // Perhaps by the one before, whose keys and routes may have been others.
      if (auto refused = generation->api.admit(exchange.request())) {
        co_return co_await exchange.respond(*std::move(refused));
      }
    }
    co_await generation->api.handle(exchange);
  }
  HttpResponse refusal(unsigned status, std::string detail) override {
    return error_response(status, detail);
  }
  void served(const Served& served) override {
    if (const auto generation = latest()) generation->api.served(served);
  }

 private:
  static HttpResponse status(std::string_view word) {
    return {.status = 503, .body = R"({"status":")" + std::string(word) + "\"}"};
  }

  mutable std::mutex mutex_;
  std::shared_ptr<Generation> latest_;  // guarded by mutex_
  std::atomic<bool> replaced_ = false;  // there was another one before
  const HttpServer* http_ = nullptr;
};

/// Refuses what cannot change while the server runs.
Result<void> check_fixed(const policy::ServeConfig& running, const policy::ServeConfig& wanted,
                         const std::filesystem::path& file) {
  const auto changed = [&](const char* key, const auto& now) {
    std::ostringstream detail;
    detail << file.string() << ':' << wanted.line << ": `" << key
           << "` of `serve` cannot change while the server runs: it is " << now
           << "; restart it, or set that again";
    return fail(Errc::bad_config, detail.str());
  };
  if (wanted.host != running.host) return changed("host", running.host);
  if (wanted.port != running.port) return changed("port", running.port);
  if (wanted.io_threads != running.io_threads) return changed("io_threads", running.io_threads);
  return {};
}

/// Before models are loaded for it: what `Runtime::find` would say of the default plan.
Result<void> check_plan(const policy::Config& config, const std::string& plan) {
  if (plan.empty()) return {};
  for (const policy::PlanConfig& known : config.plans) {
    if (known.name == plan) return {};
  }
  for (const policy::ModelConfig& model : config.models) {
    if (model.name == plan) return {};
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local == nullptr) continue;
    for (const model::AdapterOptions& adapter : local->adapters) {
      if (model.name + "+" + adapter.name == plan) return {};
    }
  }
  return fail(Errc::bad_config, config.file.string() + ": there is no plan or model `" + plan +
                                    "`, which the server answers by: add it, or start the server "
                                    "with another");
}

HttpLimits limits_of(const policy::ServeConfig& serve) {
  return {.max_connections = serve.max_connections,
          .max_connections_per_address = serve.max_connections_per_address,
          .max_body_bytes = serve.max_body_bytes,
          .sites = {.hosts = serve.hosts, .origins = serve.origins}};
}

}  // namespace

struct Server::Parts {
  Parts(boost::asio::io_context& context, policy::ServeConfig config)
      : io(context), serve(std::move(config)) {}

  /// `bad_config`: a key's variable is not set.
  Result<ApiOptions> api_options(const policy::ServeConfig& config) {
    auto key = read_key("api_key_env", config.api_key_env);
    if (!key) return std::unexpected(key.error());
    auto admin = read_key("admin_key_env", config.admin_key_env);
    if (!admin) return std::unexpected(admin.error());
    return ApiOptions{
        .access = {.key = *key, .admin = *admin, .keys = config.keys},
        .plan = config.plan,
        .limits = {.max_messages = config.max_messages, .max_tokens = config.max_tokens},
        .max_turns = config.max_turns,
        .deadline = config.deadline,
        .turns_in_flight = turns_in_flight};
  }

  /// The point at which one configuration takes the place of another.
  void open(std::shared_ptr<Runtime> runtime, ApiOptions api) {
    if (reload) api.reload = reload;
    Readings readings = readings_of(*runtime);
    std::shared_ptr<Keys> keys;
    if (api.access.keys || api.access.admin) {
      // What keys may still use goes on with the ledger.
      const auto former = gate.latest();
      const bool same = former && former->keys && &former->runtime->ledger() == &runtime->ledger();
      keys = same ? former->keys : std::make_shared<Keys>(runtime->ledger());
    }
    auto* generation = new Generation(std::move(runtime), std::move(api), std::move(keys), metrics);
    gate.open(std::shared_ptr<Generation>(generation, [this](Generation* gone) {
      // Models and the ledger may take their time to go, and so may work for later: unless the
      // server itself ends, it ends with what it began with.
      boost::asio::post(reaper, [gone, end = ending.get_token()] {
        if (!end.stop_requested()) gone->runtime->settle(end);
        delete gone;
      });
    }));
    metrics.replace(std::move(readings));
  }

  boost::asio::io_context& io;
  std::stop_source ending;
  boost::asio::thread_pool reaper{1};
  const std::shared_ptr<std::atomic<int>> turns_in_flight = std::make_shared<std::atomic<int>>(0);
  Metrics metrics;
  std::string host;
  Gate gate;
  std::unique_ptr<HttpServer> http;
  ApiOptions first;  // as the server was opened with
  Reload reload;

  std::mutex changing;        // one configuration after the other
  policy::ServeConfig serve;  // guarded by changing, once there is a runtime
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() {
  parts_->ending.request_stop();
  parts_->metrics.replace({});
  parts_->gate.open(nullptr);
  parts_->reaper.join();  // what is on its way is gone then
}

Result<std::unique_ptr<Server>> Server::open(boost::asio::io_context& io,
                                             const policy::ServeConfig& config,
                                             std::chrono::milliseconds drain) {
  auto parts = std::make_unique<Parts>(io, config);
  auto options = parts->api_options(config);
  if (!options) return std::unexpected(options.error());
  auto http =
      HttpServer::listen(io,
                         HttpOptions{.host = config.host,
                                     .port = config.port,
                                     .allow_public = options->access.key || options->access.keys,
                                     .io_threads = config.io_threads,
                                     .limits = limits_of(config),
                                     .drain = drain},
                         parts->gate);
  if (!http) return std::unexpected(http.error());
  parts->http = std::move(*http);
  parts->first = *std::move(options);
  parts->gate.in(*parts->http);
  parts->host = config.host.find(':') == std::string::npos ? config.host : "[" + config.host + "]";
  parts->metrics.add_gauge("lichen_connections", "Open connections", {},
                           [&http = *parts->http] { return http.connections(); });
  parts->metrics.add_counter("lichen_connections_evicted_total",
                             "Idle or slow connections that were closed to make room for others",
                             {}, [&http = *parts->http] { return http.evicted(); });
  parts->metrics.add_counter("lichen_connections_refused_total",
                             "Connections that were closed or answered with 503 at once", {},
                             [&http = *parts->http] { return http.refused(); });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::ready(std::shared_ptr<Runtime> runtime) {
  parts_->open(std::move(runtime), parts_->first);
  parts_->http->stop_on_signals();
}

void Server::ready(Runtime& runtime) {
  ready(std::shared_ptr<Runtime>(&runtime, [](Runtime*) {}));
}

Result<policy::ReloadReport> Server::take_up(policy::Config config,
                                             const policy::ServeConfig& serve) {
  const std::lock_guard lock(parts_->changing);
  const auto begun = Clock::now();
  const auto former = parts_->gate.latest();
  if (!former) return fail(Errc::overloaded, "the models are still being loaded");
  Result<void> good = check_fixed(parts_->serve, serve, config.file);
  if (good) good = check_plan(config, serve.plan);
  if (!good) return std::unexpected(std::move(good).error());
  auto options = parts_->api_options(serve);
  if (!options) return std::unexpected(std::move(options).error());
  if (!options->access.key && !options->access.keys && !parts_->http->loopback()) {
    return fail(Errc::bad_config, config.file.string() +
                                      ": `serve` needs `api_key_env` or `keys`: the server can be "
                                      "reached from other machines at " +
                                      parts_->serve.host);
  }
  auto runtime = Runtime::reopen(*former->runtime, std::move(config), parts_->io.get_executor());
  if (!runtime) return std::unexpected(std::move(runtime).error());

  policy::ReloadReport report = policy::report_reload(*former->runtime, **runtime);
  if (!policy::same_serve(parts_->serve, serve)) report.blocks.emplace_back("serve");
  parts_->serve = serve;
  parts_->http->set_limits(limits_of(serve));
  parts_->open(*std::move(runtime), *std::move(options));
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
  return report;
}

std::shared_ptr<Runtime> Server::runtime() const {
  const auto generation = parts_->gate.latest();
  return generation ? generation->runtime : nullptr;
}

void Server::on_reload(Reload reload) { parts_->reload = std::move(reload); }

Result<policy::ReloadReport> Server::reload() {
  if (!parts_->reload) {
    return fail(Errc::unsupported, "this server cannot load its configuration again");
  }
  return parts_->reload();
}

std::string Server::url() const {
  return "http://" + parts_->host + ":" + std::to_string(parts_->http->port());
}

void Server::run() { parts_->http->run(); }
void Server::stop() { parts_->http->stop(); }
Metrics& Server::metrics() { return parts_->metrics; }

}  // namespace lichen::serving
