#include "policy/remote_fields.h"

#include <spdlog/fmt/fmt.h>

#include <boost/url/parse.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "base/bounds.h"
#include "policy/config_fields.h"

namespace lichen::policy {
namespace {

using std::filesystem::path;

constexpr double kLeastWeight = 0.001;
constexpr double kMostWeight = 1'000;

void read_url(Fields& fields, std::string& url) {
  fields.read("url", url);
  if (fields.failed() || !fields.has("url")) return;
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || (parsed->scheme() != "http" && parsed->scheme() != "https") ||
      parsed->host().empty()) {
    fields.fail("url", "`url` must be like https://api.example.com/v1");
  } else if (parsed->has_userinfo()) {
    fields.fail("url",
                "`url` must have no user and password: name the variable that holds the key "
                "in `key_env`");
  } else if (parsed->has_fragment()) {
    fields.fail("url",
                "`url` must have no fragment (#): it is the base of all requests, like "
                "https://api.example.com/v1");
  }
}

void read_timeouts(Fields& model, const path& file, model::RemoteModelOptions& options) {
  const YamlNode* node = model.find("timeouts");
  if (node == nullptr || model.failed()) return;
  Fields fields(file, *node, "`timeouts`");
  fields.read("connect", options.connect_timeout);
  fields.read("headers", options.headers_timeout);
  fields.read("first_token", options.first_token_timeout);
  fields.read("idle", options.idle_timeout);
  fields.read("total", options.total_timeout);
  if (auto error = fields.finish()) model.fail(*std::move(error));
}

void read_continues(Fields& fields, model::Continuation& continues) {
  using enum model::Continuation;
  std::string how = "none";
  fields.read("continues", how);
  if (how == "final_message") {
    continues = final_message;
  } else if (how == "prefix") {
    continues = prefix;
  } else if (how == "last_message") {
    continues = last_message;
  } else if (how != "none") {
    fields.fail("continues",
                "`continues` must be none, final_message (vLLM, SGLang), prefix (DeepSeek) or "
                "last_message (llama-server)");
  }
}

/// `[https://a.example/v1, {url: https://b.example/v1, model: big-2, weight: 2}]`
void read_urls(Fields& model, const path& file, model::RemoteModelOptions& options) {
  const YamlNode* list = model.find("urls");
  if (list == nullptr || model.failed()) return;
  if (!list->is(YamlNode::Kind::sequence) || list->items.empty()) {
    return model.fail("urls",
                      "`urls` must be a list of urls or {url, model, key_env, price, weight}");
  }
  for (const YamlNode& item : list->items) {
    YamlNode map = item;
    if (item.is(YamlNode::Kind::scalar)) {  // short for {url: ...}
      map.kind = YamlNode::Kind::map;
      map.items = {item};
      map.items.front().key = "url";
      map.items.front().key_line = item.line;
      map.items.front().key_column = item.column;
    }
    model::UpstreamOptions upstream;
    Fields fields(file, map, "one of `urls`");
    read_url(fields, upstream.url);
    fields.read("model", upstream.model);
    fields.read("key_env", upstream.key_env);
    check_variable(fields, "key_env", upstream.key_env);
    read_price(fields, file, upstream.price);
    fields.read("weight", upstream.weight, kLeastWeight, kMostWeight);
    fields.require({"url"});
    if (auto error = fields.finish()) return model.fail(*std::move(error));
    if (upstream.model.empty() && options.model.empty()) {
      return model.fail("urls", fmt::format("`model` says what {} calls the model: name it there, "
                                            "or beside `urls` for all of them",
                                            upstream.url));
    }
    options.urls.push_back(std::move(upstream));
  }
}

void read_hedge(Fields& fields, std::optional<model::Hedge>& hedge) {
  if (!fields.has("hedge")) return;
  const YamlNode& node = *fields.find("hedge");
  hedge.emplace();
  int percentile = 0;
  const char* end = node.text.data() + node.text.size();
  if (node.is(YamlNode::Kind::scalar) && node.text.starts_with('p')) {
    const auto [at, problem] = std::from_chars(node.text.data() + 1, end, percentile);
    if (problem != std::errc() || at != end || percentile < 50 || percentile > 99) {
      return fields.fail("hedge",
                         "`hedge` must be a time like 500ms, or p50 to p99: later than so many "
                         "percent of the latest first tokens");
    }
    hedge->percentile = percentile;
    return;
  }
  fields.read("hedge", hedge->after);
}

}  // namespace

model::RemoteModelOptions read_remote(Fields& fields, const path& file) {
  model::RemoteModelOptions options;
  fields.read("model", options.model);
  if (fields.has("url")) fields.require({"model"});
  read_url(fields, options.url);
  read_urls(fields, file, options);
  read_hedge(fields, options.hedge);
  if (options.hedge && options.urls.size() < 2) {
    fields.fail("hedge",
                "`hedge` needs at least two `urls`: the second is asked when the first "
                "is late");
  }
  fields.read("key_env", options.key_env);
  check_variable(fields, "key_env", options.key_env);
  read_price(fields, file, options.price);
  fields.read("context", options.context, 0, kMaxContext);
  fields.read("bytes_per_token", options.bytes_per_token, 0.1, 100);
  std::string ca_file;
  fields.read("ca_file", ca_file);
  if (!ca_file.empty()) options.ca_file = resolve(file, ca_file).string();
  fields.read("max_connections", options.max_connections, 1, 65'536);
  fields.read("max_response_bytes", options.max_response_bytes, 1'024, 1ll << 40);
  fields.read("retries", options.retries, 0, base::kMostRetries);
  fields.read("retry_backoff", options.retry_backoff);
  fields.read("allow_insecure", options.allow_insecure);
  fields.read("max_tokens_field", options.max_tokens_field);
  fields.read("returns_reasoning", options.returns_reasoning);
  if (const YamlNode* probe = fields.find("probe"); probe != nullptr && probe->text == "never") {
    options.probe_interval = std::chrono::milliseconds(0);
  } else {
    fields.read("probe", options.probe_interval);
  }
  fields.read("returns_reasoning", options.returns_reasoning);
  read_continues(fields, options.continues);
  read_timeouts(fields, file, options);
  fields.refuse({"threads", "max_sessions", "kv_mb", "kv_layout", "attention", "prefix_cache_mb",
                 "batch", "gpu_layers", "sampling", "adapters", "versions", "version"},
                "is for a local model (one with `gguf`); this one has `url` or `urls`");
  return options;
}

}  // namespace lichen::policy
