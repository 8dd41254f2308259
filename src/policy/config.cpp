#include "policy/config.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/bounds.h"
#include "policy/config_fields.h"
#include "policy/fields.h"
#include "policy/remote_fields.h"

namespace lichen::policy {
namespace {

using std::filesystem::path;

constexpr std::size_t kMaxName = 128;
constexpr int kMaxSessions = 256;  // what libllama can hold (LLAMA_MAX_SEQ)

/// Names travel in JSON, in URLs and on the command line.
void check_name(Fields& fields, const std::string& name) {
  if (name.empty() || name.size() > kMaxName || !all_of(name, "._:/@-")) {
    fields.fail(name, fmt::format("a name has 1 to {} letters, digits and ._:/@-", kMaxName));
  }
}

void read_logit_bias(Fields& sampling, const path& file, std::map<std::int32_t, float>& bias) {
  const YamlNode* node = sampling.find("logit_bias");
  if (node == nullptr || sampling.failed()) return;
  Fields fields(file, *node, "`logit_bias`");
  for (const YamlNode& item : node->items) {
    std::int32_t token = -1;
    const char* end = item.key.data() + item.key.size();
    const auto [at, problem] = std::from_chars(item.key.data(), end, token);
    if (problem != std::errc() || at != end || token < 0) {
      fields.fail(item.key,
                  fmt::format("`logit_bias` maps token ids to numbers, not `{}`", item.key));
    }
    fields.read(item.key, bias[token], -100, 100);
  }
  if (auto error = fields.finish()) sampling.fail(*std::move(error));
}

void read_sampling(Fields& model, const path& file, Sampling& sampling) {
  constexpr double kAboveZero = 1e-6;
  const YamlNode* node = model.find("sampling");
  if (node == nullptr || model.failed()) return;
  Fields fields(file, *node, "`sampling`");
  fields.read("temperature", sampling.temperature, 0, 2);
  fields.read("top_k", sampling.top_k, 0, 1'000'000);
  fields.read("top_p", sampling.top_p, kAboveZero, 1);
  fields.read("min_p", sampling.min_p, 0, 0.999);
  fields.read("repetition_penalty", sampling.repetition_penalty, base::kLeastRepetitionPenalty,
              base::kMostRepetitionPenalty);
  fields.read("presence_penalty", sampling.presence_penalty, -2, 2);
  fields.read("frequency_penalty", sampling.frequency_penalty, -2, 2);
  fields.read("seed", sampling.seed, 0, INT64_MAX);
  read_logit_bias(fields, file, sampling.logit_bias);
  if (auto error = fields.finish()) model.fail(*std::move(error));
}

void read_adapters(Fields& model, const path& file, std::vector<model::AdapterOptions>& adapters) {
  const YamlNode* list = model.find("adapters");
  if (list == nullptr || model.failed()) return;
  if (!list->is(YamlNode::Kind::sequence)) {
    return model.fail("adapters", "`adapters` must be a list of {name, gguf, scale}");
  }
  std::set<std::string> names;
  for (const YamlNode& node : list->items) {
    model::AdapterOptions adapter;
    std::string gguf;
    Fields fields(file, node, "an adapter");
    fields.read("name", adapter.name);
    fields.read("gguf", gguf);
    fields.read("scale", adapter.scale, -100, 100);
    fields.require({"name", "gguf"});
    if (!all_of(adapter.name, "._:/@-")) {
      fields.fail("name", "an adapter's name has letters, digits and ._:/@-");
    }
    if (!names.insert(adapter.name).second) {
      fields.fail("name", fmt::format("there is another adapter `{}` here", adapter.name));
    }
    if (auto error = fields.finish()) return model.fail(*std::move(error));
    adapter.gguf = resolve(file, gguf);
    adapters.push_back(std::move(adapter));
  }
}

void read_kv(Fields& fields, model::LocalModelOptions& options) {
  constexpr std::int64_t kMiB = 1 << 20;
  constexpr std::int64_t kMostMiB = 1 << 24;
  std::int64_t kv_mb = 0;
  fields.read("kv_mb", kv_mb, 0, kMostMiB);
  options.kv_bytes = kv_mb * kMiB;
  std::string layout = "auto";
  fields.read("kv_layout", layout);
  if (layout == "unified") {
    options.kv_layout = model::KvLayout::unified;
  } else if (layout == "split") {
    options.kv_layout = model::KvLayout::split;
  } else if (layout != "auto") {
    fields.fail("kv_layout",
                "`kv_layout` must be auto, unified (sessions share one pool of cells) or split "
                "(each has its own)");
  }
  std::string attention = "auto";
  fields.read("attention", attention);
  if (attention == "flash") {
    options.attention = model::Attention::flash;
  } else if (attention == "plain") {
    options.attention = model::Attention::plain;
  } else if (attention != "auto") {
    fields.fail("attention",
                "`attention` must be auto, flash (little memory) or plain (products of matrices: "
                "faster on a CPU where each session has cells of its own)");
  }
  std::int64_t prefix_cache_mb = -1;
  fields.read("prefix_cache_mb", prefix_cache_mb, 0, kMostMiB);
  if (prefix_cache_mb >= 0) options.batcher.prefix_cache_bytes = prefix_cache_mb * kMiB;
}

model::LocalModelOptions read_local(Fields& fields, const path& file) {
  model::LocalModelOptions options;
  std::string gguf;
  fields.read("gguf", gguf);
  options.gguf = resolve(file, gguf);
  fields.read("context", options.context, 0, kMaxContext);
  fields.read("max_sessions", options.max_sessions, 1, kMaxSessions);
  read_kv(fields, options);
  fields.read("threads", options.threads, 0, 1'024);
  fields.read("batch", options.batch, 1, 1 << 16);
  fields.read("gpu_layers", options.gpu_layers, -1, 100'000);
  read_price(fields, file, options.price);
  read_sampling(fields, file, options.sampling);
  read_adapters(fields, file, options.adapters);
  std::string versions;
  fields.read("versions", versions);
  if (!versions.empty()) options.versions = resolve(file, versions);
  if (fields.has("version")) {
    if (versions.empty()) fields.fail("version", "`version` is one of those in `versions: FOLDER`");
    fields.read("version", options.version.emplace(), 0, 1'000'000);
  }
  fields.refuse({"model", "key_env", "hedge", "probe", "timeouts", "bytes_per_token", "ca_file",
                 "max_connections", "max_response_bytes", "retries", "retry_backoff",
                 "allow_insecure", "max_tokens_field", "continues", "returns_reasoning"},
                "is for a remote model (one with `url` or `urls`); this one has `gguf`");
  return options;
}

Result<ModelConfig> read_model(const path& file, const YamlNode& node) {
  ModelConfig config{.name = node.key, .options = {}, .line = node.key_line};
  Fields fields(file, node, fmt::format("model `{}`", node.key));
  const bool local = fields.has("gguf");
  const int places = int{local} + int{fields.has("url")} + int{fields.has("urls")};
  if (!fields.failed() && places != 1) {
    fields.fail("", fmt::format("model `{}` needs {} `gguf` (a local file), `url` (an endpoint) or "
                                "`urls` (several)",
                                node.key, places > 1 ? "only one of" : "one of"));
  }
  if (local) {
    config.options = read_local(fields, file);
  } else {
    config.options = read_remote(fields, file);
  }
  if (auto error = fields.finish()) return std::unexpected(*std::move(error));
  return config;
}

/// A section that is absent or left empty is one without entries.
bool present(const YamlNode* section) {
  return section != nullptr && !section->is(YamlNode::Kind::null);
}

std::optional<Error> read_models(const path& file, const YamlNode& section, Config& config) {
  Fields names(file, section, "`models`");
  for (const YamlNode& node : section.items) {
    check_name(names, node.key);
    if (names.failed()) break;
    Result<ModelConfig> model = read_model(file, node);
    if (!model) return std::move(model).error();
    config.models.push_back(*std::move(model));
  }
  return names.error();
}

std::optional<Error> read_plans(const path& file, const YamlNode& section, Config& config) {
  std::map<std::string_view, int> model_lines;
  for (const ModelConfig& model : config.models) model_lines.emplace(model.name, model.line);
  Fields names(file, section, "`plans`");
  for (const YamlNode& node : section.items) {
    check_name(names, node.key);
    if (const auto model = model_lines.find(node.key); model != model_lines.end()) {
      names.fail(node.key, fmt::format("`{}` is already the model in line {}: plans and models "
                                       "share their names, so give the plan another",
                                       node.key, model->second));
    }
    if (names.failed()) break;
    config.plans.push_back({.name = node.key, .expression = node, .line = node.key_line});
  }
  return names.error();
}

/// A scheme, a host and perhaps a port, as browsers write it.
bool is_origin(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const std::string_view authority = text.substr(scheme + 3);
  return !authority.empty() && authority.find_first_of("/?#@, ") == std::string_view::npos &&
         std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void read_sites(Fields& fields, ServeConfig& serve) {
  fields.read("hosts", serve.hosts, "host names");
  for (const std::string& host : serve.hosts) {
    const bool ipv6 = host.starts_with('[') && host.ends_with(']');
    if (!host.empty() && (ipv6 || host.find_first_of(":/*, ") == std::string::npos)) continue;
    fields.fail("hosts", fmt::format("`hosts` has names alone, without ports: `{}` is none", host));
  }
  fields.read("origins", serve.origins, "origins of web pages");
  for (const std::string& origin : serve.origins) {
    if (origin == "*" && serve.api_key_env.empty() && !serve.keys) {
      fields.fail("origins",
                  "with `*` any web page that is open in a browser here may ask, which needs "
                  "`api_key_env` or `keys`");
    } else if (origin != "*" && !is_origin(origin)) {
      fields.fail("origins",
                  fmt::format("`origins` has scheme, host and perhaps port in lower case, like "
                              "https://app.example.org, or `*`: `{}` is none",
                              origin));
    }
  }
}

std::optional<Error> read_serve(const path& file, const YamlNode& section, ServeConfig& serve) {
  Fields fields(file, section, "`serve`");
  fields.read("host", serve.host);
  fields.read("port", serve.port, 0, 65'535);
  fields.read("plan", serve.plan);
  if (const YamlNode* plan = section.find("plan")) serve.plan_line = plan->line;
  fields.read("api_key_env", serve.api_key_env);
  check_variable(fields, "api_key_env", serve.api_key_env);
  fields.read("admin_key_env", serve.admin_key_env);
  check_variable(fields, "admin_key_env", serve.admin_key_env);
  fields.read("keys", serve.keys);
  fields.read("io_threads", serve.io_threads, 1, 256);
  fields.read("max_connections", serve.max_connections, 1, 1'000'000);
  fields.read("max_connections_per_address", serve.max_connections_per_address, 0, 1'000'000);
  fields.read("max_turns", serve.max_turns, 1, 1'000'000);
  fields.read("max_body_bytes", serve.max_body_bytes, 1'024, 1ll << 32);
  read_sites(fields, serve);
  fields.read("max_messages", serve.max_messages, 1, 1'000'000);
  fields.read("max_tokens", serve.max_tokens, 0, kMaxContext);
  fields.read("deadline", serve.deadline);
  fields.read("watch", serve.watch);
  serve.line = section.key_line;
  return fields.finish();
}

std::optional<Error> read_ledger(const path& file, const YamlNode& section, LedgerConfig& ledger) {
  Fields fields(file, section, "`ledger`");
  std::string where;
  fields.read("path", where);
  if (!where.empty()) ledger.path = where == "none" ? path(where) : resolve(file, where);
  fields.read("url", ledger.server.url);
  if (fields.has("path") && fields.has("url")) {
    fields.fail("url",
                "`ledger` needs only one of `path` (a file) and `url` (a PostgreSQL database)");
  }
  if (fields.has("url") && !fields.failed()) {
    if (const Result<void> good = ledger::check(ledger.server); !good) {
      fields.fail("url", good.error().detail);
    }
  }
  fields.read("password_env", ledger.server.password_env);
  check_variable(fields, "password_env", ledger.server.password_env);
  if (fields.has("password_env") && !fields.has("url")) {
    fields.fail("password_env", "`password_env` is of a PostgreSQL database, which needs `url`");
  }
  fields.read("durable", ledger.durable);
  if (ledger.durable && where == "none") {
    fields.fail("durable", "`durable` needs a ledger on disk; `path: none` keeps none");
  }
  fields.read("record", ledger.record, "plans and models");
  if (const YamlNode* record = section.find("record")) ledger.record_line = record->key_line;
  return fields.finish();
}

}  // namespace

Result<Config> parse_config(const std::string& yaml, const path& file) {
  Result<YamlNode> root = parse_yaml(yaml, file);
  if (!root) return std::unexpected(std::move(root).error());
  Config config;
  config.file = file;
  Fields fields(file, *root, "a configuration");
  const YamlNode* models = fields.find("models");
  const YamlNode* plans = fields.find("plans");
  const YamlNode* serve = fields.find("serve");
  const YamlNode* ledger = fields.find("ledger");
  std::optional<Error> error = fields.finish();
  if (!error && present(models)) error = read_models(file, *models, config);
  if (!error && present(plans)) error = read_plans(file, *plans, config);
  if (!error && present(serve)) error = read_serve(file, *serve, config.serve);
  if (!error && present(ledger)) error = read_ledger(file, *ledger, config.ledger);
  if (error) return std::unexpected(*std::move(error));
  return config;
}

Result<Config> load_config(const path& file) {
  const Result<std::string> yaml = read_yaml_file(file, "configuration");
  if (!yaml) return std::unexpected(yaml.error());
  return parse_config(*yaml, file);
}

}  // namespace lichen::policy
