// The routes: OpenAI's and Anthropic's APIs over a runtime, receipts, feedback, health and metrics.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lichen/runtime.h"
#include "policy/reload_report.h"
#include "serving/access.h"
#include "serving/api_error.h"
#include "serving/claims.h"
#include "serving/exchange.h"
#include "serving/metrics.h"
#include "serving/openai_request.h"
#include "serving/reply_writer.h"
#include "serving/spending.h"
#include "serving/turn_group.h"

namespace lichen::serving {

struct ApiOptions {
  AccessOptions access = {};
  std::string plan = {};  // of requests that name none; empty: the runtime's default
  RequestLimits limits = {};
  int max_turns = 1'024;  // in progress at once; a request that needs more is `overloaded`
  std::chrono::milliseconds deadline{600'000};  // of a request
  /// Shared by those that answer one server's requests.
  std::shared_ptr<std::atomic<int>> turns_in_flight = std::make_shared<std::atomic<int>>(0);
  /// Loads the configuration again; blocks, so call it on no I/O thread.
  std::function<Result<policy::ReloadReport>()> reload = {};
};

/// Virtual keys and what they may still use.
struct Keys {
  explicit Keys(ledger::Ledger& ledger) : ring(ledger), allowances(ledger.allowances()) {}
  KeyRing ring;
  const std::shared_ptr<ledger::Allowances> allowances;
};

/// Called from all I/O threads. `runtime`, `keys` and `metrics` outlive it; `keys` is null where
/// the options have no use for them.
class Api final : public Handler {
 public:
  Api(Runtime& runtime, ApiOptions options, Keys* keys, Metrics& metrics);

  std::optional<HttpResponse> admit(const HttpRequest& header) override;
  awaitable<void> handle(Exchange& exchange) override;
  HttpResponse refusal(unsigned status, std::string detail) override;
  void served(const Served& served) override;

 private:
  struct Route;
  /// The route of that path and method; null where there is none.
  static const Route* find_route(std::string_view path, boost::beast::http::verb method);
  static std::span<const Route> routes();
  static ErrorForm error_form(std::string_view path);
  /// For the header Allow; empty where there is no such path.
  static std::string allowed_methods(std::string_view path);

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

  // The administration (api_admin.cpp)
  awaitable<void> list_keys(Exchange& exchange);
  awaitable<void> make_key(Exchange& exchange);
  awaitable<void> show_key(Exchange& exchange);
  awaitable<void> change_key(Exchange& exchange);
  awaitable<void> revoke_key(Exchange& exchange);
  awaitable<void> reload(Exchange& exchange);
  /// Runs `work` where it may wait for the disk, and answers with what it returns.
  awaitable<void> administer(Exchange& exchange, std::function<Result<boost::json::object>()> work,
                             unsigned status = 200);
  /// Answers with what came of it.
  awaitable<void> tell(Exchange& exchange, Result<boost::json::object> done, unsigned status);

  awaitable<void> complete(Exchange& exchange, ApiResult<CompletionCall> call);
  awaitable<void> reply(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer,
                        Spending& spending);
  awaitable<void> stream(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer,
                         Spending& spending);
  static void begin_stream(Exchange& exchange);
  /// What follows `prefix` in the path, with %XX resolved.
  static std::string last_segment(const Exchange& exchange, std::string_view prefix);
  static ApiResult<boost::json::object> body_object(const Exchange& exchange);
  static void add_common_headers(Exchange& exchange, HttpResponse& response);
  awaitable<void> respond(Exchange& exchange, HttpResponse response);
  awaitable<void> fail(Exchange& exchange, ApiError error);

  using ParseCall = ApiResult<CompletionCall> (*)(const boost::json::object&, RequestLimits);
  ApiResult<CompletionCall> read_call(Exchange& exchange, ParseCall parse) const;
  /// Of a request that `admit` let in; what has changed since may refuse it now.
  ApiResult<Caller> caller(const Exchange& exchange) const;
  /// Sets aside what the requests may use, where a virtual key asks.
  awaitable<ApiResult<Spending>> claim(Exchange& exchange, const Caller& caller,
                                       const std::string& plan, const Expected& expected,
                                       Clock::time_point deadline);
  /// As many turns more than there may be.
  ApiError overloaded(std::size_t turns) const;
  /// When the client, its header and the configuration want the request to end.
  ApiResult<Clock::time_point> deadline(const Exchange& exchange,
                                        std::optional<std::chrono::milliseconds> timeout) const;
  /// The plan or model that was asked for; the default one's name when none was. `not_found` also
  /// where the caller may not ask it.
  ApiResult<std::string> resolve(const std::string& asked, const Caller& caller) const;
  ApiResult<std::string> resolve(const std::string& asked) const;

  Runtime& runtime_;
  const ApiOptions options_;
  Keys* const keys_;
  const Access access_;
  Metrics& metrics_;
  const std::int64_t started_;                // Unix time, seconds
  boost::asio::thread_pool ledger_users_{1};  // reading and rating receipts blocks
  std::optional<Claims> claims_;              // where there are virtual keys
};

}  // namespace lichen::serving
