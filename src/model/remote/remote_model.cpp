#include "model/remote_model.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <utility>

#include "base/bounds.h"
#include "base/document.h"
#include "model/remote/openai_embeddings.h"
#include "model/remote/remote_answer.h"
#include "model/remote/remote_call.h"

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
class RemoteModel : public Model {
 public:
  RemoteModel(Remote remote, asio::any_io_executor io)
      : remote_(std::move(remote)), io_(std::move(io)) {}

  const std::string& name() const override { return remote_.name; }
  bool local() const override { return false; }
  std::int64_t context_length() const override { return remote_.options.context; }
  bool continues() const override { return remote_.options.continues != Continuation::none; }

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
};

awaitable<std::expected<EmbeddingReply, Failure>> embed_once(RemoteCall& call,
                                                             OpenAiRequest request,
                                                             std::size_t count) {
  const auto& remote = call.remote();
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
  call.watchdog.phase(Bound::idle, Clock::now() + remote.options.idle_timeout);
  const auto body = co_await response->read_all();
  if (!body) co_return std::unexpected(call.explain(body.error()));
  co_return read_embeddings(*body, count, remote.errors);
}

awaitable<Result<Embeddings>> RemoteModel::embed_there(std::vector<std::string> texts, Turn* turn,
                                                       asio::any_io_executor strand) {
  if (texts.empty()) co_return Embeddings{};
  auto request = write_embedding_request(texts, remote_.options.model);
  if (!request) co_return std::unexpected(request.error());
  std::int64_t bytes = 0;
  for (const auto& text : texts) bytes += static_cast<std::int64_t>(text.size());

  RemoteCall call(remote_, *turn, "embed", std::move(strand));
  for (int tries = 0;; ++tries) {
    auto reply = co_await embed_once(call, *request, texts.size());
    const auto tokens = reply ? reply->prompt_tokens : std::nullopt;
    const bool again = !reply && co_await call.may_retry(reply.error(), tries);
    if (again) continue;
    if (call.may_be_billed()) {
      call.step.estimated = !tokens;
      call.step.tokens_in = tokens.value_or(call.estimate(bytes));
    }
    call.settle();
    if (!reply) co_return std::unexpected(std::move(reply.error().error));
    co_return std::move(reply->vectors);
  }
}

Result<void> check(const RemoteModelOptions& options) {
  const auto bad = [](const std::string& what) { return fail(Errc::bad_config, what); };
  const auto zero = std::chrono::milliseconds(0);
  if (options.model.empty()) return bad("model is empty; it must be the endpoint's name for it");
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

}  // namespace

Result<ModelPtr> open_remote_model(std::string name, RemoteModelOptions options,
                                   asio::any_io_executor io) {
  const auto named = [&](const Error& error) {
    return std::unexpected(Error{error.code, "model `" + name + "`: " + error.detail});
  };
  if (auto checked = check(options); !checked) return named(checked.error());
  auto endpoint = parse_endpoint(options);
  if (!endpoint) return named(endpoint.error());
  auto client =
      HttpClient::open({.host = endpoint->host,
                        .authority = endpoint->authority,
                        .ca_file = options.ca_file,
                        .max_connections = static_cast<std::size_t>(options.max_connections),
                        .connect_timeout = options.connect_timeout},
                       io);
  if (!client) return named(client.error());

  Remote remote;
  remote.name = std::move(name);
  remote.errors = {.model = remote.name,
                   .endpoint_model = options.model,
                   .url = options.url,
                   .key_env = options.key_env,
                   .key = endpoint->key};
  if (!endpoint->key.empty()) remote.fields = "Authorization: Bearer " + endpoint->key + "\r\n";
  remote.options = std::move(options);
  remote.endpoint = std::move(*endpoint);
  remote.client = std::move(*client);
  return std::make_shared<RemoteModel>(std::move(remote), std::move(io));
}

}  // namespace lichen::model
