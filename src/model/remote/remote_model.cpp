#include "model/remote_model.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <utility>

#include "base/bounds.h"
#include "base/document.h"
#include "model/remote/offline_model.h"
#include "model/remote/openai_embeddings.h"
#include "model/remote/remote_answer.h"
#include "model/remote/remote_call.h"
#include "model/remote/upstream_probe.h"

namespace lichen::model {

namespace asio = boost::asio;

namespace {

std::string describe(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

/// Every call runs on a strand of its own, whatever its caller's executor is: the watchdog's timer,
/// stops from other threads and the call's reads never meet.
class HttpModel : public RemoteModel {
 public:
  HttpModel(Remote remote, std::vector<Host> hosts, asio::any_io_executor io)
      : remote_(std::move(remote)), io_(std::move(io)) {
    const auto& options = remote_.options;
    if (options.probe_interval.count() == 0) return;
    probe_.emplace(remote_.upstreams, std::move(hosts),
                   ProbeOptions{.interval = options.probe_interval,
                                .connect_timeout = options.connect_timeout},
                   io_);
  }

  const std::string& name() const override { return remote_.name; }
  bool local() const override { return false; }
  std::int64_t context_length() const override { return remote_.options.context; }
  bool continues() const override { return remote_.options.continues != Continuation::none; }
  std::vector<UpstreamState> upstreams() const override { return remote_.upstreams->states(); }

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const asio::any_io_executor strand = asio::make_strand(io_);
    return on_strand<Answer>(strand, answer_there(std::move(request), &turn, strand));
  }

  /// As `bytes_per_token` has it, of the messages' texts.
  awaitable<Result<std::int64_t>> count_tokens(Request request) override {
    const auto bytes = static_cast<double>(base::text_bytes(request));
    co_return static_cast<std::int64_t>(std::ceil(bytes / remote_.options.bytes_per_token));
  }

  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override {
    const asio::any_io_executor strand = asio::make_strand(io_);
    return on_strand<Embeddings>(strand, embed_there(std::move(texts), &turn, strand));
  }

 private:
  template <class T>
  static awaitable<Result<T>> on_strand(asio::any_io_executor strand, awaitable<Result<T>> work) {
    auto [problem, result] =
        co_await asio::co_spawn(strand, std::move(work), asio::as_tuple(asio::use_awaitable));
    if (problem) co_return fail(Errc::internal, "remote call: " + describe(problem));
    co_return std::move(result);
  }

  awaitable<Result<Answer>> answer_there(Request request, Turn* turn,
                                         asio::any_io_executor strand) {
    Result<Request> read = base::with_document_read(std::move(request));
    if (!read) co_return std::unexpected(std::move(read).error());
    RemoteAnswer answer(remote_, *turn, std::move(strand));
    co_return co_await answer.run(*std::move(read));
  }

  awaitable<Result<Embeddings>> embed_there(std::vector<std::string> texts, Turn* turn,
                                            asio::any_io_executor strand);

  const Remote remote_;
  const asio::any_io_executor io_;
  std::optional<UpstreamProbe> probe_;
};

awaitable<std::expected<EmbeddingReply, Failure>> embed_once(RemoteCall& call,
                                                             OpenAiRequest request,
                                                             std::size_t count) {
  const auto& remote = call.remote();
  const auto& errors = call.upstream().errors;
  auto response = co_await call.send(
      std::move(request.api), std::move(request.body),
      std::max(remote.options.headers_timeout, remote.options.first_token_timeout));
  if (!response) {
    auto failure = std::move(response.error());
    if (const auto status = call.last_status(); status == 404 || status == 405 || status == 501) {
      failure = {{Errc::unsupported,
                  "`" + remote.name + "` offers no embeddings: " + failure.error.detail}};
    }
    co_return std::unexpected(std::move(failure));
  }
  const auto body = co_await response->read_all(remote.options.idle_timeout);
  if (!body) co_return std::unexpected(call.explain(body.error()));
  call.mark_first_token();
  co_return read_embeddings(*body, count, errors);
}

awaitable<Result<Embeddings>> HttpModel::embed_there(std::vector<std::string> texts, Turn* turn,
                                                     asio::any_io_executor strand) {
  if (texts.empty()) co_return Embeddings{};
  std::int64_t bytes = 0;
  for (const auto& text : texts) bytes += static_cast<std::int64_t>(text.size());

  remote_.budget->request();
  RemoteCall call(remote_, *turn, "embed", Traffic::embeddings, std::move(strand));
  for (;;) {
    if (auto chosen = call.choose(); !chosen) co_return std::unexpected(chosen.error().error);
    auto request = write_embedding_request(texts, call.upstream().model);
    if (!request) co_return std::unexpected(request.error());
    auto reply = co_await embed_once(call, *std::move(request), texts.size());
    const auto tokens = reply ? reply->prompt_tokens : std::nullopt;
    const bool again = !reply && co_await call.may_retry(reply.error());
    if (again && !call.may_be_billed()) continue;
    if (call.may_be_billed()) {
      call.step.estimated = !tokens;
      call.step.tokens_in = tokens.value_or(call.estimate(bytes));
    }
    if (reply) call.succeeded();
    again ? call.settle_as("failed") : call.settle();
    if (again) continue;
    if (!reply) co_return std::unexpected(std::move(reply.error().error));
    co_return std::move(reply->vectors);
  }
}

Result<void> check(const RemoteModelOptions& options) {
  const auto bad = [](const std::string& what) { return fail(Errc::bad_config, what); };
  const auto zero = std::chrono::milliseconds(0);
  if (options.url.empty() == options.urls.empty()) {
    return bad("either url or urls must say where the endpoint is");
  }
  if (options.hedge && options.urls.size() < 2) {
    return bad("hedge needs at least two urls: the second is asked when the first is late");
  }
  if (options.max_connections < 1) return bad("max_connections must be at least 1");
  if (!(options.bytes_per_token > 0) || !std::isfinite(options.bytes_per_token)) {
    return bad("bytes_per_token must be above 0");
  }
  if (options.context < 0) return bad("context must not be negative; 0 means unknown");
  if (options.retries < 0 || options.retries > base::kMostRetries) {
    return bad("retries must be 0 to " + std::to_string(base::kMostRetries));
  }
  if (options.retry_backoff < zero) return bad("retry_backoff must not be negative");
  if (options.max_response_bytes == 0) return bad("max_response_bytes must be above 0");
  if (options.max_tokens_field.empty()) return bad("max_tokens_field must not be empty");
  const auto longest = std::chrono::hours(24 * 365);
  if (options.probe_interval < zero || options.probe_interval > longest) {
    return bad("probe_interval must not be negative, and at most a year");
  }
  for (const auto& [key, time] : {std::pair{"connect_timeout", options.connect_timeout},
                                  {"headers_timeout", options.headers_timeout},
                                  {"first_token_timeout", options.first_token_timeout},
                                  {"idle_timeout", options.idle_timeout},
                                  {"total_timeout", options.total_timeout}}) {
    if (time <= zero || time > longest) {
      return bad(std::string(key) + " must be above 0 and at most a year");
    }
  }
  return {};
}

/// The places of a model, each with what it has in common with the others filled in.
std::vector<UpstreamOptions> places_of(const RemoteModelOptions& options) {
  std::vector<UpstreamOptions> places = options.urls;
  if (places.empty()) places.push_back({.url = options.url});
  for (UpstreamOptions& place : places) {
    if (place.model.empty()) place.model = options.model;
    if (place.key_env.empty()) place.key_env = options.key_env;
    if (!place.price) place.price = options.price;
  }
  return places;
}

Result<Upstream> open_upstream(const std::string& name, const UpstreamOptions& place,
                               const RemoteModelOptions& options, asio::any_io_executor io) {
  if (place.model.empty()) {
    return fail(Errc::bad_config, "model is empty; it must be the endpoint's name for it");
  }
  if (!(place.weight > 0) || !std::isfinite(place.weight)) {
    return fail(Errc::bad_config, "weight must be above 0");
  }
  auto endpoint = parse_endpoint(place, options.allow_insecure);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto client =
      HttpClient::open({.host = endpoint->host,
                        .authority = endpoint->authority,
                        .ca_file = options.ca_file,
                        .max_connections = static_cast<std::size_t>(options.max_connections),
                        .connect_timeout = options.connect_timeout},
                       std::move(io));
  if (!client) return std::unexpected(client.error());
  Upstream upstream{.name = endpoint->authority,
                    .model = place.model,
                    .price = place.price,
                    .endpoint = std::move(*endpoint),
                    .fields = {},
                    .errors = {.model = name,
                               .endpoint_model = place.model,
                               .url = place.url,
                               .key_env = place.key_env},
                    .client = std::move(*client)};
  const auto& key = upstream.errors.key = upstream.endpoint.key;
  if (!key.empty()) upstream.fields = "Authorization: Bearer " + key + "\r\n";
  return upstream;
}

}  // namespace

Result<ModelPtr> open_remote_model(std::string name, RemoteModelOptions options,
                                   asio::any_io_executor io) {
  const auto named_error = [&](const Error& error) {
    return std::unexpected(Error{error.code, "model `" + name + "`: " + error.detail});
  };
  if (auto checked = check(options); !checked) return named_error(checked.error());
  if (options.offline) return std::make_shared<OfflineModel>(std::move(name), options);
  Remote remote;
  std::vector<Upstreams::Named> named;
  std::vector<Host> hosts;
  for (const UpstreamOptions& place : places_of(options)) {
    auto upstream = open_upstream(name, place, options, io);
    if (!upstream) return named_error(upstream.error());
    const auto same = std::ranges::count_if(remote.places, [&](const Upstream& other) {
      return other.endpoint.authority == upstream->endpoint.authority;
    });
    if (same > 0) upstream->name += "#" + std::to_string(same + 1);
    named.push_back({upstream->name, place.weight});
    hosts.push_back(upstream->endpoint.host);
    remote.places.push_back(std::move(*upstream));
  }
  remote.name = std::move(name);
  remote.options = std::move(options);
  const bool probed = remote.options.probe_interval.count() > 0;
  remote.upstreams =
      std::make_shared<Upstreams>(std::move(named), UpstreamsOptions{.probed = probed});
  remote.budget = std::make_unique<RetryBudget>();
  remote.first_tokens = std::make_unique<RecentTimes>();
  return std::make_shared<HttpModel>(std::move(remote), std::move(hosts), std::move(io));
}

}  // namespace lichen::model
