// The routes: OpenAI's and Anthropic's APIs over a runtime, receipts, feedback, health and metrics.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/runtime.h"
#include "policy/reload_report.h"
#include "serving/api_error.h"
#include "serving/api_key.h"
#include "serving/exchange.h"
#include "serving/metrics.h"
#include "serving/openai_request.h"
#include "serving/reply_writer.h"
#include "serving/turn_group.h"

namespace lichen::serving {

struct ApiOptions {
  std::optional<ApiKey> key = {};  // none: everybody is let in
  std::string plan = {};           // of requests that name none; empty: the runtime's default
  RequestLimits limits = {};
  int max_turns = 1'024;  // in progress at once; a request that needs more is `overloaded`
  std::chrono::milliseconds deadline{600'000};  // of a request
  /// Shared by those that answer one server's requests.
  std::shared_ptr<std::atomic<int>> turns_in_flight = std::make_shared<std::atomic<int>>(0);
  /// Loads the configuration again; blocks, so call it on no I/O thread.
  std::function<Result<policy::ReloadReport>()> reload = {};
};

/// Called from all I/O threads. `runtime` and `metrics` outlive it.
class Api final : public Handler {
 public:
  Api(Runtime& runtime, ApiOptions options, Metrics& metrics);

  std::optional<HttpResponse> admit(const HttpRequest& header) override;
  awaitable<void> handle(Exchange& exchange) override;
  HttpResponse refusal(unsigned status, std::string detail) override;
  void served(const Served& served) override;

 private:
  struct Route;
  static const Route* find_route(std::string_view path);

  // One for each route
  awaitable<void> chat(Exchange& exchange);
  awaitable<void> completion(Exchange& exchange);
  awaitable<void> response(Exchange& exchange);
  awaitable<void> messages(Exchange& exchange);
  awaitable<void> count_tokens(Exchange& exchange);
  awaitable<void> embedding(Exchange& exchange);
  awaitable<void> models(Exchange& exchange);
  awaitable<void> model(Exchange& exchange);
  awaitable<void> receipt(Exchange& exchange);
  awaitable<void> feedback(Exchange& exchange);
  awaitable<void> health(Exchange& exchange);
  awaitable<void> metrics(Exchange& exchange);

  awaitable<void> complete(Exchange& exchange, ApiResult<CompletionCall> call);
  awaitable<void> reply(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer);
  awaitable<void> stream(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer);
  static void begin_stream(Exchange& exchange);
  static void add_common_headers(Exchange& exchange, HttpResponse& response);
  awaitable<void> respond(Exchange& exchange, HttpResponse response);
  awaitable<void> fail(Exchange& exchange, ApiError error);

  using ParseCall = ApiResult<CompletionCall> (*)(const boost::json::object&, RequestLimits);
  ApiResult<CompletionCall> read_call(Exchange& exchange, ParseCall parse) const;
  /// Whether a request has the key, in one of the headers for it.
  bool admits(const HttpRequest& header) const;
  /// When the client, its header and the configuration want the request to end.
  ApiResult<Clock::time_point> deadline(const Exchange& exchange,
                                        std::optional<std::chrono::milliseconds> timeout) const;
  /// The plan or model that was asked for; the default one's name when none was.
  ApiResult<std::string> resolve(const std::string& asked) const;

  Runtime& runtime_;
  const ApiOptions options_;
  Metrics& metrics_;
  const std::int64_t started_;                // Unix time, seconds
  boost::asio::thread_pool ledger_users_{1};  // reading and rating receipts blocks
};

}  // namespace lichen::serving
