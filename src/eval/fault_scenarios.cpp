#include "eval/fault_scenarios.h"

#include <algorithm>
#include <utility>

namespace lichen::eval {
namespace {

using model::Reply;
using std::chrono::milliseconds;

constexpr std::string_view kBegun = "The answer is";
constexpr std::string_view kText = "The answer is 42.";
constexpr std::int64_t kPrompt = 7;  // tokens, by the endpoints' usage
constexpr int kFlaps = 30;

Reply answer() { return Reply::chat({"The answer", " is", " 42."}, kPrompt); }
Reply rest() { return Reply::chat({" 42."}, kPrompt + 2); }
Reply begun() { return Reply::events().delta("The answer").delta(" is").wait(milliseconds(20)); }
Reply busy(std::string_view seconds) {
  return Reply::json(R"({"error":{"message":"slow down"}})", 429,
                     "Retry-After: " + std::string(seconds) + "\r\n");
}
Reply broken(int status) { return Reply::json(R"({"error":{"message":"broken"}})", status); }

bool decided(const FaultSight& sight, std::string_view words) {
  return std::ranges::any_of(sight.recorded.decisions, [words](const Decision& decision) {
    return decision.reason.contains(words) || decision.choice.contains(words);
  });
}

/// Steps of the remote model that were charged for: the endpoints have worked for each.
int charged(const FaultSight& sight) {
  return static_cast<int>(std::ranges::count_if(
      sight.recorded.steps, [](const Step& step) { return step.remote && step.tokens_in > 0; }));
}

bool exact(const FaultSight& sight) {
  const auto step = std::ranges::find(sight.recorded.steps, "answer", &Step::role);
  return step != sight.recorded.steps.end() && !step->estimated && step->tokens_in == kPrompt &&
         step->tokens_out == 3;
}

bool written_by(const FaultSight& sight, std::vector<std::string> authors) {
  std::vector<std::string> names;
  for (const Stretch& stretch : sight.recorded.authors) names.push_back(stretch.model);
  return names == authors;
}

void whole_answer(const FaultSight& sight, FaultChecks& checks) {
  checks.served("the whole answer came", sight.answer && sight.answer->text == kText);
  checks.accounted("the remote model is its author", written_by(sight, {"cloud"}));
}

/// From one attempt that counts; those that were turned away cost nothing.
void one_paid_answer(const FaultSight& sight, FaultChecks& checks) {
  whole_answer(sight, checks);
  checks.accounted("its tokens are the endpoint's own count", exact(sight));
  checks.accounted("nothing else was charged", charged(sight) == 1);
}

void by_second(const FaultSight& sight, FaultChecks& checks) {
  checks.served("the second endpoint was asked once", sight.second.size() == 1);
  checks.accounted("the receipt says why it went there", !sight.recorded.decisions.empty());
}

void gone_on_with(const FaultSight& sight, FaultChecks& checks) {
  whole_answer(sight, checks);
  by_second(sight, checks);
  checks.accounted("both parts are charged", charged(sight) == 2);
  const auto& answered = sight.answer;
  checks.accounted("the tokens of both parts add up",
                   answered && answered->completion_tokens == totals(sight.recorded).tokens_out);
}

void left_while_at_work(const FaultSight& sight, FaultChecks& checks) {
  whole_answer(sight, checks);
  by_second(sight, checks);
  checks.accounted("what the silent one may have done is charged", charged(sight) == 2);
}

void by_local(const FaultSight& sight, FaultChecks& checks) {
  checks.served("the local model answered", sight.answer && !sight.answer->text.empty());
  checks.accounted("it is named as the author", written_by(sight, {sight.local}));
}

std::vector<FaultScenario> turned_away() {
  return {
      {.id = "rate-limit-once",
       .title = "429 with Retry-After",
       .first = {busy("0.2"), answer()},
       .check =
           [](const auto& sight, auto& checks) {
             one_paid_answer(sight, checks);
             checks.served("it waited as long as was asked", sight.seconds >= 0.2);
             checks.honest("it asked twice and no more", sight.first.size() == 2);
           }},
      {.id = "rate-limit-persistent",
       .title = "429 always",
       .first = {busy("30")},
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             one_paid_answer(sight, checks);
             checks.served("the pause is kept to", sight.first.size() == 1);
           },
       .requests = 4},
      {.id = "error-once",
       .title = "500 once",
       .first = {broken(500), answer()},
       .check = one_paid_answer},
      {.id = "unavailable-persistent",
       .title = "503 always",
       .first = {broken(503)},
       .check =
           [](const auto& sight, auto& checks) {
             by_local(sight, checks);
             checks.served("it is not asked any more", decided(sight, "none of its endpoints"));
             checks.honest("nothing is charged", charged(sight) == 0);
           },
       .requests = 6},
      {.id = "reset-before-header",
       .title = "reset before the response's header",
       .first = {Reply::raw().reset(), answer()},
       .check = one_paid_answer},
  };
}

std::vector<FaultScenario> silent() {
  return {
      {.id = "no-response",
       .title = "no response",
       .first = {Reply::raw().stall()},
       .second = {answer()},
       .check = left_while_at_work},
      {.id = "first-token-late",
       .title = "first token after 20 s",
       .first = {Reply::events().wait(std::chrono::seconds(20)).delta("late").finish().done()},
       .second = {answer()},
       .check = left_while_at_work},
      {.id = "cut",
       .title = "cut in mid-stream",
       .first = {begun().close()},
       .second = {rest()},
       .check = gone_on_with},
      {.id = "stall",
       .title = "stall in mid-stream",
       .first = {begun().stall()},
       .second = {rest()},
       .check = gone_on_with},
      {.id = "malformed-event",
       .title = "an event that is no JSON, in mid-stream",
       .first = {begun().event(R"({"choices": [)").done()},
       .second = {rest()},
       .check = gone_on_with},
      {.id = "no-done",
       .title = "no [DONE] at the end",
       .first = {Reply::events().delta("The answer").delta(" is 42.").finish().end()},
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             whole_answer(sight, checks);
             checks.honest("it was not asked again",
                           sight.first.size() == 1 && sight.second.empty());
             checks.accounted("its tokens are marked as an estimate",
                              charged(sight) == 1 && sight.recorded.steps.front().estimated);
           }},
  };
}

std::vector<FaultScenario> refused() {
  return {
      {.id = "context-length",
       .title = "400: longer than the context",
       .first = {Reply::json(R"({"error":{"message":"too long","code":"context_length_exceeded"}})",
                             400)},
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             by_local(sight, checks);
             checks.honest("it was asked once", sight.first.size() + sight.second.size() == 1);
             checks.accounted("the receipt says why", decided(sight, "context_overflow"));
           }},
      {.id = "content-filter",
       .title = "400: content filter",
       .first = {Reply::json(R"({"error":{"message":"no","code":"content_filter"}})", 400)},
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             checks.served("it is a refusal",
                           !sight.answer && sight.answer.error().code == Errc::refused);
             checks.honest("nobody else was asked",
                           sight.first.size() == 1 && sight.second.empty() && sight.shown.empty());
             checks.accounted("nothing is charged", charged(sight) == 0);
           }},
      {.id = "prefix-refused",
       .title = "cut, and the next refuses the prefix",
       .first = {begun().close()},
       .second = {Reply::json(R"({"error":{"message":"no assistant message"}})", 400)},
       .check =
           [](const auto& sight, auto& checks) {
             checks.served("the local model wrote the rest",
                           sight.answer && sight.answer->text.starts_with(kBegun) &&
                               sight.answer->text.size() > kBegun.size());
             checks.accounted("both are authors", written_by(sight, {"cloud", sight.local}));
             checks.accounted("what was begun is charged", charged(sight) == 1);
           }},
  };
}

std::vector<FaultScenario> others() {
  std::vector<Reply> flapping;
  for (int i = 0; i < 8 * kFlaps; ++i) flapping.push_back(i % 2 == 0 ? answer() : broken(503));
  return {
      {.id = "flapping",
       .title = "an endpoint that fails every other time",
       .first = flapping,
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             one_paid_answer(sight, checks);
             checks.served("every request got the whole answer",
                           std::ranges::count(sight.texts, kText) == kFlaps);
             checks.honest("retries keep to their budget",
                           sight.first.size() + sight.second.size() <= kFlaps + kFlaps / 5 + 10);
           },
       .requests = kFlaps},
      {.id = "who-answered",
       .title = "the account names who answered",
       .first = {broken(500)},
       .second = {answer()},
       .check =
           [](const auto& sight, auto& checks) {
             one_paid_answer(sight, checks);
             by_second(sight, checks);
             // The second costs 2 and 20 USD per million tokens, the first 1 and 10.
             const auto usd = totals(sight.recorded).usd.value_or(0);
             checks.accounted("at that one's price",
                              std::abs(usd - (kPrompt * 2 + 3 * 20) / 1e6) < 1e-12);
           }},
  };
}

}  // namespace

std::vector<FaultScenario> fault_scenarios() {
  std::vector<FaultScenario> all = turned_away();
  for (auto& more : {silent(), refused(), others()})
    std::ranges::copy(more, std::back_inserter(all));
  return all;
}

}  // namespace lichen::eval
