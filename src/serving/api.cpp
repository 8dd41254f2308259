#include "serving/api.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
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
#include "serving/json_fields.h"
#include "serving/openai_reply.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::size_t kMaxRequestId = 128;
constexpr std::size_t kMaxLoggedPath = 200;
constexpr const char* kAnthropicKey = "x-api-key";

ApiError bad(Errc code, std::string detail, std::string param = {}) {
  return {.error = {.code = code, .detail = std::move(detail)}, .param = std::move(param)};
}

/// What follows `prefix` in the path, with %XX resolved.
std::string last_segment(std::string_view path, std::string_view prefix) {
  const auto rest = path.substr(std::min(prefix.size(), path.size()));
  const auto encoded = boost::urls::make_pct_string_view(rest);
  if (!encoded) return std::string(rest);
  std::string text;
  encoded->decode({}, boost::urls::string_token::assign_to(text));
  return text;
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

awaitable<Result<Receipt>> find_receipt(ledger::Ledger* ledger, std::string id) {
  co_return ledger->find(id);
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

awaitable<Result<void>> give_feedback(Runtime* runtime, FeedbackCall call) {
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
  bool open;    // needs no key
  awaitable<void> (Api::*run)(Exchange&);
  ErrorForm errors = ErrorForm::openai;

  bool matches(std::string_view target) const {
    return prefix ? target.size() > path.size() && target.starts_with(path) : target == path;
  }
  bool allows(http::verb method) const {
    return method == verb || (method == http::verb::head && verb == http::verb::get);
  }
};

const Api::Route* Api::find_route(std::string_view path) {
  static constexpr std::array<Route, 12> kRoutes = {{
      {http::verb::post, "/v1/chat/completions", false, false, &Api::chat},
      {http::verb::post, "/v1/completions", false, false, &Api::completion},
      {http::verb::post, "/v1/responses", false, false, &Api::response},
      {http::verb::post, "/v1/messages", false, false, &Api::messages, ErrorForm::anthropic},
      {http::verb::post, "/v1/messages/count_tokens", false, false, &Api::count_tokens,
       ErrorForm::anthropic},
      {http::verb::post, "/v1/embeddings", false, false, &Api::embedding},
      {http::verb::post, "/v1/feedback", false, false, &Api::feedback},
      {http::verb::get, "/v1/models", false, false, &Api::models},
      {http::verb::get, "/v1/models/", true, false, &Api::model},
      {http::verb::get, "/v1/receipts/", true, false, &Api::receipt},
      {http::verb::get, "/health", false, true, &Api::health},
      {http::verb::get, "/metrics", false, false, &Api::metrics},
  }};
  const auto route = std::ranges::find_if(kRoutes, [&](const Route& r) { return r.matches(path); });
  return route == kRoutes.end() ? nullptr : &*route;
}

Api::Api(Runtime& runtime, ApiOptions options, Metrics& metrics)
    : runtime_(runtime),
      options_(std::move(options)),
      metrics_(metrics),
      started_(std::time(nullptr)) {}

std::optional<HttpResponse> Api::admit(const HttpRequest& header) {
  const std::string_view target = header.target();
  const std::string_view path = target.substr(0, target.find('?'));
  const Route* route = find_route(path);
  const ErrorForm form = route == nullptr ? ErrorForm::openai : route->errors;
  if ((route == nullptr || !route->open) && options_.key && !admits(header)) {
    const bool given = header.count(http::field::authorization) + header.count(kAnthropicKey) > 0;
    return error_response(
        bad(Errc::unauthorized,
            given ? "the API key is not right"
                  : "this server needs an API key: Authorization: Bearer KEY, or x-api-key: KEY"),
        form);
  }
  if (route == nullptr) return error_response(404, "there is no such path");
  if (route->allows(header.method())) return std::nullopt;
  const bool get = route->verb == http::verb::get;
  HttpResponse response = error_response(
      405, get ? "this path answers to GET and HEAD" : "this path answers to POST", form);
  response.headers.emplace_back("Allow", get ? "GET, HEAD" : "POST");
  return response;
}

bool Api::admits(const HttpRequest& header) const {
  if (const auto key = header[kAnthropicKey]; !key.empty()) return options_.key->is(key);
  return options_.key->admits(header[http::field::authorization]);
}

awaitable<void> Api::handle(Exchange& exchange) {
  const Route* route = find_route(exchange.path());  // there is one: `admit` has looked
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
  const Route* route = find_route(exchange.path());
  co_await respond(exchange,
                   error_response(error, route == nullptr ? ErrorForm::openai : route->errors));
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

awaitable<void> Api::embedding(Exchange& exchange) {
  auto body = parse_body(exchange.request().body());
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  if (!body->is_object()) {
    co_return co_await fail(exchange, bad(Errc::bad_request, "the body must be a JSON object"));
  }
  auto call = parse_embedding(body->get_object());
  if (!call) co_return co_await fail(exchange, std::move(call.error()));
  auto until = deadline(exchange, call->timeout);
  if (!until) co_return co_await fail(exchange, std::move(until.error()));
  if (const auto models = runtime_.models(); call->model.empty() && models.size() == 1) {
    call->model = models.front()->name();
  }
  if (auto model = runtime_.find_model(call->model); !model) {
    co_return co_await fail(exchange, unknown(model.error()));
  }

  Turn turn(call->model);
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
  if (!embeddings) co_return co_await fail(exchange, ApiError{.error = embeddings.error()});

  std::int64_t tokens = 0;
  for (const Step& step : turn.receipt.steps) tokens += step.tokens_in;
  HttpResponse response{.body = embeddings_json(call->model, *embeddings, call->base64, tokens)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::models(Exchange& exchange) {
  json::array list;
  for (const auto& plan : runtime_.plan_names()) list.push_back(plan_entry(plan, started_));
  for (const auto& model : runtime_.models()) list.push_back(model_entry(*model, started_));
  const json::object body = {{"object", "list"}, {"data", std::move(list)}};
  HttpResponse response{.body = json::serialize(body)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::model(Exchange& exchange) {
  const std::string name = last_segment(exchange.path(), "/v1/models/");
  const auto plans = runtime_.plan_names();
  HttpResponse response;
  if (std::ranges::find(plans, name) != plans.end()) {
    response.body = json::serialize(plan_entry(name, started_));
  } else if (auto model = runtime_.find_model(name)) {
    response.body = json::serialize(model_entry(**model, started_));
  } else {
    response = error_response(unknown(model.error()));
  }
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::receipt(Exchange& exchange) {
  std::string id = last_segment(exchange.path(), "/v1/receipts/");
  auto found = co_await asio::co_spawn(
      ledger_users_, find_receipt(&runtime_.ledger(), std::move(id)), asio::use_awaitable);
  if (!found) co_return co_await fail(exchange, ApiError{.error = found.error()});
  HttpResponse response{.body = json::serialize(to_json(*found))};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::feedback(Exchange& exchange) {
  auto body = parse_body(exchange.request().body());
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  if (!body->is_object()) {
    co_return co_await fail(exchange, bad(Errc::bad_request, "the body must be a JSON object"));
  }
  const auto call = parse_feedback(body->get_object());
  if (!call) co_return co_await fail(exchange, call.error());
  const auto kept =
      co_await asio::co_spawn(ledger_users_, give_feedback(&runtime_, *call), asio::use_awaitable);
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
