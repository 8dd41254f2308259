// Each struct is taken apart into all of its fields: one that gains a field no longer compiles here
// until somebody has said whether it counts.
#include "policy/same_options.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lichen::policy {
namespace {

auto fields(const Price& price) {
  const auto& [input, output, cached_input] = price;
  return std::tie(input, output, cached_input);
}

auto fields(const Sampling& sampling) {
  const auto& [temperature, top_k, top_p, min_p, repetition, presence, frequency, seed, bias] =
      sampling;
  return std::tie(temperature, top_k, top_p, min_p, repetition, presence, frequency, seed, bias);
}

auto fields(const model::AdapterOptions& adapter) {
  const auto& [name, gguf, scale] = adapter;
  return std::tie(name, gguf, scale);
}

auto fields(const model::BatcherOptions& batcher) {
  const auto& [prefill_patience, background_patience, prefix_cache_bytes, powercap] = batcher;
  return std::tie(prefill_patience, background_patience, prefix_cache_bytes, powercap);
}

auto fields(const model::UpstreamOptions& upstream) {
  const auto& [url, model, key_env, price, weight] = upstream;
  return std::tie(url, model, key_env, price, weight);
}

auto fields(const model::Hedge& hedge) {
  const auto& [after, percentile] = hedge;
  return std::tie(after, percentile);
}

auto fields(const model::LocalModelOptions& options) {
  const auto& [gguf, context, max_sessions, kv_layout, attention, kv_bytes, threads, repeatable,
               batch, gpu_layers, price, sampling, adapters, versions, version, batcher,
               times_folder] = options;
  return std::tie(gguf, context, max_sessions, kv_layout, attention, kv_bytes, threads, repeatable,
                  batch, gpu_layers, price, sampling, adapters, versions, version, batcher,
                  times_folder);
}

auto fields(const model::RemoteModelOptions& options) {
  const auto& [url, model, key_env, price, urls, hedge, context, bytes_per_token, ca_file,
               max_connections, connect_timeout, headers_timeout, first_token_timeout, idle_timeout,
               total_timeout, max_response_bytes, retries, retry_backoff, allow_insecure,
               max_tokens_field, continues, returns_reasoning, offline, probe_interval] = options;
  return std::tie(url, model, key_env, price, urls, hedge, context, bytes_per_token, ca_file,
                  max_connections, connect_timeout, headers_timeout, first_token_timeout,
                  idle_timeout, total_timeout, max_response_bytes, retries, retry_backoff,
                  allow_insecure, max_tokens_field, continues, returns_reasoning, offline,
                  probe_interval);
}

auto fields(const ServeConfig& serve) {
  const auto& [host, port, line, plan, plan_line, watch, api_key_env, admin_key_env, keys,
               io_threads, max_connections, max_turns, max_connections_per_address, max_body_bytes,
               hosts, origins, max_messages, max_tokens, deadline] = serve;
  return std::tie(host, port, plan, watch, api_key_env, admin_key_env, keys, io_threads,
                  max_connections, max_turns, max_connections_per_address, max_body_bytes, hosts,
                  origins, max_messages, max_tokens, deadline);
}

auto fields(const LedgerConfig& ledger) {
  const auto& [path, server, durable, record, record_line] = ledger;
  return std::tie(path, server, durable, record);
}

/// In a struct, so that each function finds the others.
struct Same {
  template <class T>
  static bool values(const T& one, const T& other) {
    if constexpr (requires { fields(one); }) {
      return tuples(fields(one), fields(other));
    } else {
      return one == other;
    }
  }
  template <class T>
  static bool values(const std::optional<T>& one, const std::optional<T>& other) {
    return one.has_value() == other.has_value() && (!one || values(*one, *other));
  }
  template <class T>
  static bool values(const std::vector<T>& one, const std::vector<T>& other) {
    return std::ranges::equal(one, other,
                              [](const T& left, const T& right) { return values(left, right); });
  }
  template <class... T>
  static bool tuples(const std::tuple<T...>& one, const std::tuple<T...>& other) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (values(std::get<I>(one), std::get<I>(other)) && ...);
    }(std::index_sequence_for<T...>());
  }
};

}  // namespace

bool same_model(const ModelConfig& one, const ModelConfig& other) {
  const auto& [name, options, line] = one;
  if (name != other.name || options.index() != other.options.index()) return false;
  return std::visit(
      [&other](const auto& mine) {
        using Options = std::remove_cvref_t<decltype(mine)>;
        return Same::values(mine, std::get<Options>(other.options));
      },
      options);
}

bool same_serve(const ServeConfig& one, const ServeConfig& other) {
  return Same::values(one, other);
}

bool same_ledger(const LedgerConfig& one, const LedgerConfig& other) {
  return Same::values(one, other);
}

}  // namespace lichen::policy
