// The routes that answer, in OpenAI's and Anthropic's APIs, whole and as streams.
#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "serving/anthropic_request.h"
#include "serving/api.h"
#include "serving/responses_request.h"

namespace lichen::serving {

namespace json = boost::json;

namespace {

/// Events are gathered into one write until a batch has this many bytes.
constexpr std::size_t kBatchBytes = 64u << 10;

std::string join_ids(const TurnGroup& turns) {
  std::string ids;
  for (std::size_t choice = 0; choice < turns.size(); ++choice) {
    ids += (choice == 0 ? "" : ",") + turns.receipt(choice).id;
  }
  return ids;
}

ReplyHead head_of(const Receipt& receipt, std::string model) {
  return {.id = receipt.id.substr(receipt.id.find('_') + 1),
          .created =
              std::chrono::duration_cast<std::chrono::seconds>(receipt.started.time_since_epoch())
                  .count(),
          .model = std::move(model)};
}

/// The turns of one request among those in progress.
class TurnSlots {
 public:
  TurnSlots(std::atomic<int>& in_flight, Metrics& metrics, int count)
      : in_flight_(in_flight), metrics_(metrics), count_(count) {
    taken_ = in_flight_.fetch_add(count_) + count_;
    metrics_.turns_in_flight(count_);
  }
  ~TurnSlots() {
    in_flight_.fetch_sub(count_);
    metrics_.turns_in_flight(-count_);
  }
  TurnSlots(const TurnSlots&) = delete;
  TurnSlots& operator=(const TurnSlots&) = delete;

  bool within(int most) const { return taken_ <= most; }

 private:
  std::atomic<int>& in_flight_;
  Metrics& metrics_;
  const int count_;
  int taken_;
};

void settle(Spending& spending, const TurnGroup& turns) {
  for (std::size_t choice = 0; choice < turns.size(); ++choice) {
    spending.add(turns.receipt(choice));
  }
  spending.settle();
}

/// Whether kept answers are not wanted: the client says so, or it wants several of one prompt,
/// which are to differ.
bool wants_fresh(const Exchange& exchange, const CompletionCall& call) {
  return call.per_prompt > 1 ||
         boost::algorithm::icontains(exchange.header("cache-control"), "no-cache");
}

/// What caches did for the turns, which have ended: "hit", or "hit,miss" of two; empty: there are
/// none.
std::string cache_notes(const TurnGroup& turns) {
  std::string notes;
  for (std::size_t choice = 0; choice < turns.size(); ++choice) {
    const auto& decisions = turns.receipt(choice).decisions;
    const auto found = std::ranges::find(decisions, "cache", &Decision::mechanism);
    if (found != decisions.end()) notes += (notes.empty() ? "" : ",") + found->choice;
  }
  return notes;
}

/// Once one choice has failed, the others are of no use.
void stop_others(TurnGroup& turns) {
  turns.cancel(Error{Errc::cancelled, "another choice of the same request failed"});
}

}  // namespace

awaitable<void> Api::chat(Exchange& exchange) {
  return complete(exchange, read_call(exchange, parse_chat));
}

awaitable<void> Api::completion(Exchange& exchange) {
  return complete(exchange, read_call(exchange, parse_completion));
}

awaitable<void> Api::response(Exchange& exchange) {
  return complete(exchange, read_call(exchange, parse_response));
}

awaitable<void> Api::messages(Exchange& exchange) {
  return complete(exchange, read_call(exchange, parse_messages));
}

awaitable<void> Api::count_tokens(Exchange& exchange) {
  auto call = read_call(exchange, parse_count_tokens);
  if (!call) co_return co_await fail(exchange, std::move(call.error()));
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  auto plan = resolve(call->model, *caller);
  if (!plan) co_return co_await fail(exchange, std::move(plan.error()));
  exchange.notes.plan = *plan;
  auto until = deadline(exchange, call->timeout);
  if (!until) co_return co_await fail(exchange, std::move(until.error()));
  auto spending = co_await claim(exchange, *caller, *plan, {}, *until);
  if (!spending) co_return co_await fail(exchange, std::move(spending.error()));
  const TurnSlots slots(*options_.turns_in_flight, metrics_, 1);
  if (!slots.within(options_.max_turns)) co_return co_await fail(exchange, overloaded(1));
  const auto tokens = co_await runtime_.count_tokens(*plan, std::move(call->requests.front()));
  if (!tokens) co_return co_await fail(exchange, ApiError{.error = tokens.error()});
  HttpResponse response{.body = json::serialize(json::object{{"input_tokens", *tokens}})};
  co_await respond(exchange, std::move(response));
}

ApiResult<CompletionCall> Api::read_call(Exchange& exchange, ParseCall parse) const {
  const auto body = body_object(exchange);
  if (!body) return std::unexpected(body.error());
  return parse(*body, options_.limits);
}

ApiError Api::overloaded(std::size_t turns) const {
  return {.error = {Errc::overloaded, "the server answers " + std::to_string(options_.max_turns) +
                                          " requests at once (`max_turns`) and cannot take " +
                                          std::to_string(turns) + " more now; try again later"}};
}

awaitable<void> Api::complete(Exchange& exchange, ApiResult<CompletionCall> call) {
  if (!call) co_return co_await fail(exchange, std::move(call.error()));
  auto until = deadline(exchange, call->timeout);
  if (!until) co_return co_await fail(exchange, std::move(until.error()));
  const auto caller = this->caller(exchange);
  if (!caller) co_return co_await fail(exchange, caller.error());
  auto plan = resolve(call->model, *caller);
  if (!plan) co_return co_await fail(exchange, std::move(plan.error()));
  // Counting is work that only a key asks for.
  const Expected expected = caller->key ? expected_use(call->requests) : Expected{};
  auto spending = co_await claim(exchange, *caller, *plan, expected, *until);
  if (!spending) co_return co_await fail(exchange, std::move(spending.error()));

  const TurnSlots slots(*options_.turns_in_flight, metrics_,
                        static_cast<int>(call->requests.size()));
  if (!slots.within(options_.max_turns)) {
    co_return co_await fail(exchange, overloaded(call->requests.size()));
  }

  TurnGroup turns(runtime_, exchange.executor(),
                  {.plan = *plan,
                   .choices = call->requests.size(),
                   .deadline = *until,
                   .priority = call->priority,
                   .fresh = wants_fresh(exchange, *call),
                   .stream = call->stream,
                   .key = caller->key_id()});
  exchange.notes.plan = *plan;
  exchange.notes.receipts = join_ids(turns);
  const auto writer = make_reply_writer(*call, head_of(turns.receipt(0), std::move(*plan)));

  std::exception_ptr thrown;
  try {
    turns.start(std::move(call->requests));
    exchange.watch(*until, [&turns](const Error& why) { turns.cancel(why); });
    if (call->stream) {
      co_await stream(exchange, turns, *writer, *spending);
    } else {
      co_await reply(exchange, turns, *writer, *spending);
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  exchange.watch({}, {});
  if (thrown) {
    // Their coroutines use `turns`, so they must end before it does.
    turns.cancel(Error{Errc::cancelled, "the server could not write the reply"});
    co_await turns.drain();
    settle(*spending, turns);
  }
  for (std::size_t choice = 0; choice < turns.size(); ++choice) {
    metrics_.turn(turns.receipt(choice));
  }
  if (thrown) std::rethrow_exception(thrown);
}

awaitable<void> Api::reply(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer,
                           Spending& spending) {
  std::vector<Answer> answers(turns.size());
  std::optional<Error> failure;
  while (!turns.finished()) {
    TurnEvent event = co_await turns.next();
    auto* end = std::get_if<Result<Answer>>(&event.what);
    if (end == nullptr || failure) continue;
    if (*end) {
      answers[event.choice] = std::move(**end);
    } else {
      failure = std::move(end->error());
      stop_others(turns);
    }
  }
  settle(spending, turns);
  if (failure) co_return co_await fail(exchange, ApiError{.error = std::move(*failure)});
  HttpResponse response{.body = writer.whole(answers)};
  if (std::string notes = cache_notes(turns); !notes.empty()) {
    response.headers.emplace_back("x-lichen-cache", std::move(notes));
  }
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::stream(Exchange& exchange, TurnGroup& turns, ReplyWriter& writer,
                            Spending& spending) {
  std::optional<Error> failure;
  bool begun = false;
  std::string batch;
  while (!turns.finished()) {
    std::optional<TurnEvent> event = co_await turns.next();
    // What came while the last write was under way goes out together.
    for (; event; event = batch.size() < kBatchBytes ? turns.try_next() : std::nullopt) {
      if (failure) continue;
      if (!begun && batch.empty()) writer.start(batch);
      if (const auto* piece = std::get_if<Piece>(&event->what)) {
        writer.piece(batch, event->choice, *piece);
      } else if (auto& end = std::get<Result<Answer>>(event->what); end) {
        writer.end(batch, event->choice, *end);
      } else {
        failure = std::move(end.error());
        stop_others(turns);
      }
    }
    if (turns.finished() || failure) continue;
    if (!begun) begin_stream(exchange);
    begun = true;
    // The turns' ends are still to be taken, whether anybody listens or not.
    if (!co_await exchange.write(batch)) {
      turns.cancel(Error{Errc::cancelled, "the client does not read its stream any more"});
    }
    batch.clear();
  }
  settle(spending, turns);
  if (failure && !begun) {
    // Nothing has been sent yet, so the error can have its own status.
    co_return co_await fail(exchange, ApiError{.error = std::move(*failure)});
  }
  if (!begun) begin_stream(exchange);
  if (failure) {
    writer.error(batch, ApiError{.error = std::move(*failure)});
  } else {
    writer.done(batch);
  }
  co_await exchange.finish(batch);
}

void Api::begin_stream(Exchange& exchange) {
  HttpResponse head{.content_type = "text/event-stream"};
  head.headers.emplace_back("Cache-Control", "no-cache");
  head.headers.emplace_back("X-Accel-Buffering", "no");  // asks nginx not to hold events back
  add_common_headers(exchange, head);
  exchange.begin_stream(std::move(head));
}

}  // namespace lichen::serving
