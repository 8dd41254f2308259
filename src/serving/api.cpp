#include "serving/api.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/pct_string_view.hpp>
#include <charconv>
#include <ctime>

#include "ledger/ledger.h"
#include "policy/config.h"
#include "policy/cost_bound.h"
#include "policy/nearest.h"
#include "serving/json_fields.h"
#include "serving/openai_reply.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::size_t kMaxRequestId = 128;
constexpr std::size_t kMaxLoggedPath = 200;

ApiError bad(Errc code, std::string detail, std::string param = {}) {
  return {.error = {.code = code, .detail = std::move(detail)}, .param = std::move(param)};
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

Error no_receipt(const std::string& id) { return {Errc::not_found, "there is no receipt " + id}; }

/// `not_found` as well where it is another key's.
awaitable<Result<Receipt>> find_receipt(ledger::Ledger* ledger, std::string id, KeyPtr key) {
  Result<Receipt> found = ledger->find(id);
  if (found && key && found->key != key->id) co_return std::unexpected(no_receipt(id));
  co_return found;
}

struct FeedbackCall {
  std::string receipt;
  Feedback feedback;
};

ApiResult<FeedbackCall> parse_feedback(const json::object& object) {
  JsonFields body(object);
  FeedbackCall call;
  call.receipt = body.text("receipt").value_or("");
  if (call.receipt.empty()) body.wrong("receipt", "is required: a receipt's id");
  const auto score = body.number("score", 0, 1);
  if (!score) body.wrong("score", "is required: a number from 0 to 1");
  call.feedback.score = score.value_or(0);
  call.feedback.comment = body.text("comment").value_or("");
  if (call.feedback.comment.size() > kMaxFeedbackComment) {
    body.wrong("comment", "must be at most " + std::to_string(kMaxFeedbackComment) + " bytes long");
  }
  return body.result(std::move(call));
}

/// `not_found` as well where it is another key's.
awaitable<Result<void>> give_feedback(Runtime* runtime, FeedbackCall call, KeyPtr key) {
  if (key) {
    const Result<Receipt> receipt = runtime->ledger().find(call.receipt);
    if (receipt && receipt->key != key->id) co_return std::unexpected(no_receipt(call.receipt));
  }
  co_return runtime->feedback(call.receipt, call.feedback);
}

/// Of a plan or model that there is not.
ApiError unknown(Error error) {
  const std::string_view code = error.code == Errc::not_found ? "model_not_found" : "";
  return {.error = std::move(error), .param = "model", .code = code};
}

json::object plan_entry(std::string_view name, std::int64_t created) {
  return {{"id", name},
          {"object", "model"},
          {"created", created},
          {"owned_by", "lichen"},
          {"lichen", {{"kind", "plan"}}}};
}

json::object model_entry(const Model& model, std::int64_t created) {
  json::object facts = {{"kind", "model"}, {"local", model.local()}};
  if (model.context_length() > 0) facts["context_length"] = model.context_length();
  return {{"id", model.name()},
          {"object", "model"},
          {"created", created},
          {"owned_by", "lichen"},
          {"lichen", std::move(facts)}};
}

}  // namespace

struct Api::Route {
  http::verb verb;
  std::string_view path;
  bool prefix;  // anything may follow, and something must
  Right right;
  awaitable<void> (Api::*run)(Exchange&);
  ErrorForm errors = ErrorForm::openai;

  bool matches(std::string_view target) const {
    return prefix ? target.size() > path.size() && target.starts_with(path) : target == path;
  }
  bool allows(http::verb method) const {
    return method == verb || (method == http::verb::head && verb == http::verb::get);
  }
};

std::span<const Api::Route> Api::routes() {
  using enum http::verb;
  static constexpr Route kRoutes[] = {
      {post, "/v1/chat/completions", false, Right::answers, &Api::chat},
      {post, "/v1/completions", false, Right::answers, &Api::completion},
      {post, "/v1/responses", false, Right::answers, &Api::response},
      {post, "/v1/messages", false, Right::answers, &Api::messages, ErrorForm::anthropic},
      {post, "/v1/messages/count_tokens", false, Right::answers, &Api::count_tokens,
       ErrorForm::anthropic},
      {post, "/v1/embeddings", false, Right::answers, &Api::embedding},
      {post, "/v1/feedback", false, Right::answers, &Api::feedback},
      {get, "/v1/models", false, Right::answers, &Api::models},
      {get, "/v1/models/", true, Right::answers, &Api::model},
      {get, "/v1/receipts/", true, Right::answers, &Api::receipt},
      {get, "/v1/admin/keys", false, Right::admin, &Api::list_keys},
      {post, "/v1/admin/keys", false, Right::admin, &Api::make_key},
      {get, "/v1/admin/keys/", true, Right::admin, &Api::show_key},
      {patch, "/v1/admin/keys/", true, Right::admin, &Api::change_key},
      {delete_, "/v1/admin/keys/", true, Right::admin, &Api::revoke_key},
      {post, "/v1/admin/reload", false, Right::admin, &Api::reload},
      {get, "/health", false, Right::none, &Api::health},
      {get, "/metrics", false, Right::operates, &Api::metrics},
  };
  return kRoutes;
}

const Api::Route* Api::find_route(std::string_view path, http::verb method) {
  const auto found = std::ranges::find_if(
      routes(), [&](const Route& route) { return route.matches(path) && route.allows(method); });
  return found == routes().end() ? nullptr : &*found;
}

ErrorForm Api::error_form(std::string_view path) {
  const auto found =
      std::ranges::find_if(routes(), [&](const Route& route) { return route.matches(path); });
  return found == routes().end() ? ErrorForm::openai : found->errors;
}

std::string Api::allowed_methods(std::string_view path) {
  std::string methods;
  for (const Route& route : routes()) {
    if (!route.matches(path)) continue;
    methods += (methods.empty() ? "" : ", ") + std::string(http::to_string(route.verb));
    if (route.verb == http::verb::get) methods += ", HEAD";
  }
  return methods;
}

Api::Api(Runtime& runtime, ApiOptions options, Keys* keys, Metrics& metrics)
    : runtime_(runtime),
      options_(std::move(options)),
      keys_(keys),
      access_(options_.access, keys == nullptr ? nullptr : &keys->ring),
      metrics_(metrics),
      started_(std::time(nullptr)) {
  if (keys_ != nullptr) claims_.emplace(keys_->allowances);
}

std::optional<HttpResponse> Api::admit(const HttpRequest& header) {
  const std::string_view target = header.target();
  const std::string_view path = target.substr(0, target.find('?'));
  const ErrorForm form = error_form(path);
  const Route* route = find_route(path, header.method());
  if (route != nullptr && route->right == Right::none) return std::nullopt;
  const Result<Caller> caller = access_.identify(header);
  // Strangers do not learn which paths there are.
  if (!caller) return error_response(ApiError{.error = caller.error()}, form);
  const std::string methods = allowed_methods(path);
  if (methods.empty()) return error_response(404, "there is no such path", form);
  if (route == nullptr) {
    HttpResponse response = error_response(405, "this path answers to " + methods, form);
    response.headers.emplace_back("Allow", methods);
    return response;
  }
  if (caller->right >= route->right) return std::nullopt;
  return error_response(403,
                        route->right == Right::operates ? "a virtual key does not open this path"
                        : access_.administers()
                            ? "this path is for the administrator's key (`admin_key_env`)"
                            : "there is no administrator's key: `serve: {admin_key_env: VARIABLE}` "
                              "names one",
                        form);
}

ApiResult<Caller> Api::caller(const Exchange& exchange) const {
  Result<Caller> caller = access_.identify(exchange.request());
  if (!caller) return std::unexpected(ApiError{.error = std::move(caller.error())});
  return *std::move(caller);
}

awaitable<void> Api::handle(Exchange& exchange) {
  // There is one: `admit` has looked.
  const Route* route = find_route(exchange.path(), exchange.request().method());
  exchange.notes.route = route->path;
  co_await (this->*route->run)(exchange);
}

HttpResponse Api::refusal(unsigned status, std::string detail) {
  return error_response(status, detail);
}

void Api::served(const Served& served) {
  metrics_.request(served.notes.route, served.notes.plan, served.status, served.ms / 1'000);
  const bool frequent = served.notes.route == "/health" || served.notes.route == "/metrics";
  spdlog::log(frequent ? spdlog::level::debug : spdlog::level::info, "{} {} {} {:.1f} ms {}",
              served.method, served.path.substr(0, kMaxLoggedPath), served.status, served.ms,
              served.notes.receipts);
}

awaitable<void> Api::respond(Exchange& exchange, HttpResponse response) {
  add_common_headers(exchange, response);
  co_await exchange.respond(std::move(response));
}

void Api::add_common_headers(Exchange& exchange, HttpResponse& response) {
  if (!exchange.notes.receipts.empty()) {
    response.headers.emplace_back("x-lichen-receipt", exchange.notes.receipts);
  }
  const auto id = exchange.header("x-request-id");
  if (!id.empty() && id.size() <= kMaxRequestId && printable(id)) {
    response.headers.emplace_back("x-request-id", std::string(id));
  }
}

awaitable<void> Api::fail(Exchange& exchange, ApiError error) {
  co_await respond(exchange, error_response(error, error_form(exchange.path())));
}

std::string Api::last_segment(const Exchange& exchange, std::string_view prefix) {
  const auto path = exchange.path();
  const auto rest = path.substr(std::min(prefix.size(), path.size()));
  const auto encoded = boost::urls::make_pct_string_view(rest);
  if (!encoded) return std::string(rest);
  std::string text;
  encoded->decode({}, boost::urls::string_token::assign_to(text));
  return text;
}

ApiResult<json::object> Api::body_object(const Exchange& exchange) {
  auto body = parse_body(exchange.request().body());
  if (!body) return std::unexpected(std::move(body.error()));
  if (!body->is_object()) {
    return std::unexpected(bad(Errc::bad_request, "the body must be a JSON object"));
  }
  return std::move(body->get_object());
}

ApiResult<Clock::time_point> Api::deadline(const Exchange& exchange,
                                           std::optional<std::chrono::milliseconds> timeout) const {
  auto shortest = std::min(options_.deadline, timeout.value_or(options_.deadline));
  if (const auto text = exchange.header("x-lichen-deadline-ms"); !text.empty()) {
    std::int64_t ms = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (problem != std::errc{} || end != text.data() + text.size() || ms < 1) {
      return std::unexpected(bad(Errc::bad_request,
                                 "x-lichen-deadline-ms: must be a whole number of milliseconds",
                                 "x-lichen-deadline-ms"));
    }
    shortest = std::min(shortest, std::chrono::milliseconds(std::min(ms, std::int64_t{1} << 40)));
  }
  return Clock::now() + shortest;
}

ApiResult<std::string> Api::resolve(const std::string& asked, const Caller& caller) const {
  const auto plan = resolve(asked);
  // Who may not ask all does not learn what else there is.
  const bool some = caller.key && !caller.key->limits.plans.empty();
  if (!some || (plan && caller.may_ask(*plan))) return plan;
  return std::unexpected(
      unknown({Errc::not_found, "this key may not ask `" + (plan ? *plan : asked) +
                                    "`; it may ask: " + policy::list(caller.key->limits.plans)}));
}

ApiResult<std::string> Api::resolve(const std::string& asked) const {
  const std::string& name = asked.empty() ? options_.plan : asked;
  if (auto found = runtime_.find(name); !found) return std::unexpected(unknown(found.error()));
  if (!name.empty()) return name;
  // The runtime has a default; its rule, so that the reply can say which.
  if (const auto& plan = runtime_.config().serve.plan; !plan.empty()) return plan;
  if (runtime_.find("default")) return "default";
  const auto plans = runtime_.plan_names();
  return plans.empty() ? runtime_.models().front()->name() : plans.front();
}

awaitable<ApiResult<Spending>> Api::claim(Exchange& exchange, const Caller& caller,
                                          const std::string& plan, const Expected& expected,
                                          Clock::time_point deadline) {
  if (!caller.key) co_return Spending();
  const ledger::Claim claim = {
      .tokens = expected.tokens_in + expected.tokens_out,
      .usd = policy::cost_bound(runtime_.config(), plan, expected.tokens_in, expected.tokens_out)};
  auto spending = co_await claims_->make(exchange, caller.key, claim, deadline);
  if (!spending) co_return std::unexpected(ApiError{.error = std::move(spending.error())});
  co_return *std::move(spending);
}

awaitable<void> Api::embedding(Exchange& exchange) {
  auto body = body_object(exchange);
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  auto call = parse_embedding(*body);
  if (!call) co_return co_await fail(exchange, std::move(call.error()));
  auto until = deadline(exchange, call->timeout);
  if (!until) co_return co_await fail(exchange, std::move(until.error()));
  if (const auto models = runtime_.models(); call->model.empty() && models.size() == 1) {
    call->model = models.front()->name();
  }
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  if (auto may = resolve(call->model, *caller); !may) {
    co_return co_await fail(exchange, std::move(may.error()));
  }
  if (auto model = runtime_.find_model(call->model); !model) {
    co_return co_await fail(exchange, unknown(model.error()));
  }
  const Expected expected = caller->key ? expected_use(call->texts) : Expected{};
  auto spending = co_await claim(exchange, *caller, call->model, expected, *until);
  if (!spending) co_return co_await fail(exchange, std::move(spending.error()));

  Turn turn(call->model);
  turn.receipt.key = caller->key_id();
  turn.deadline = *until;
  turn.priority = call->priority;
  exchange.notes.plan = call->model;
  exchange.notes.receipts = turn.receipt.id;
  exchange.watch(*until, [&turn](Error why) { turn.cancel(why.code, std::move(why.detail)); });
  metrics_.turns_in_flight(1);
  auto embeddings = co_await runtime_.embed(std::move(call->texts), turn);
  metrics_.turns_in_flight(-1);
  exchange.watch({}, {});
  metrics_.turn(turn.receipt);
  spending->add(turn.receipt);
  spending->settle();
  if (!embeddings) co_return co_await fail(exchange, ApiError{.error = embeddings.error()});

  std::int64_t tokens = 0;
  for (const Step& step : turn.receipt.steps) tokens += step.tokens_in;
  HttpResponse response{.body = embeddings_json(call->model, *embeddings, call->base64, tokens)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::models(Exchange& exchange) {
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  json::array list;
  for (const auto& plan : runtime_.plan_names()) {
    if (caller->may_ask(plan)) list.push_back(plan_entry(plan, started_));
  }
  for (const auto& model : runtime_.models()) {
    if (caller->may_ask(model->name())) list.push_back(model_entry(*model, started_));
  }
  const json::object body = {{"object", "list"}, {"data", std::move(list)}};
  HttpResponse response{.body = json::serialize(body)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::model(Exchange& exchange) {
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  const std::string name = last_segment(exchange, "/v1/models/");
  if (auto may = resolve(name, *caller); !may) {
    co_return co_await fail(exchange, std::move(may.error()));
  }
  const auto plans = runtime_.plan_names();
  const bool plan = std::ranges::find(plans, name) != plans.end();
  HttpResponse response{
      .body = json::serialize(plan ? plan_entry(name, started_)
                                   : model_entry(**runtime_.find_model(name), started_))};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::receipt(Exchange& exchange) {
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  std::string id = last_segment(exchange, "/v1/receipts/");
  auto found = co_await asio::co_spawn(ledger_users_,
                                       find_receipt(&runtime_.ledger(), std::move(id), caller->key),
                                       asio::use_awaitable);
  if (!found) co_return co_await fail(exchange, ApiError{.error = found.error()});
  HttpResponse response{.body = json::serialize(to_json(*found))};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::feedback(Exchange& exchange) {
  auto body = body_object(exchange);
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  const auto call = parse_feedback(*body);
  if (!call) co_return co_await fail(exchange, call.error());
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  const auto kept = co_await asio::co_spawn(
      ledger_users_, give_feedback(&runtime_, *call, caller->key), asio::use_awaitable);
  if (!kept) {
    const bool unknown = kept.error().code == Errc::not_found;
    co_return co_await fail(exchange, {.error = kept.error(), .param = unknown ? "receipt" : ""});
  }
  const auto& [score, comment] = call->feedback;
  const json::object reply = {{"receipt", call->receipt},
                              {"score", score},
                              {"comment", comment.empty() ? json::value() : json::value(comment)}};
  HttpResponse response{.body = json::serialize(reply)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::health(Exchange& exchange) {
  HttpResponse response{.body = R"({"status":"ok"})"};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::metrics(Exchange& exchange) {
  HttpResponse response{.body = metrics_.text(),
                        .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  co_await respond(exchange, std::move(response));
}

}  // namespace lichen::serving
