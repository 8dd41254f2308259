#include "eval/faults.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <memory>
#include <utility>

#include "eval/fault_scenarios.h"
#include "ledger/ledger.h"
#include "lichen/runtime.h"
#include "policy/config.h"

namespace lichen::eval {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using model::FakeUpstream;

/// A client that reads all there is.
class Client : public Sink {
 public:
  awaitable<bool> write(Piece piece) override {
    text += piece.text;
    co_return true;
  }
  std::string text;
};

/// Waits are cut to what can be waited for: a first token of 20 s is as late after half a second.
constexpr std::string_view kConfig = R"(
models:
  cloud:
    urls:
      - {{url: "{}", weight: 1000, price: {{input: 1, output: 10}}}}{}
    model: big-1
    continues: final_message
    retries: {}
    retry_backoff: 20ms
    timeouts: {{connect: 500ms, headers: 500ms, first_token: 500ms, idle: 300ms}}
plans:
  default: {{fallback: {{of: [cloud, "{}"]}}}}
ledger: {{path: none}}
)";

std::string second_url(const FakeUpstream* second) {
  if (second == nullptr) return "";
  return fmt::format("\n      - {{url: \"{}\", weight: 1, price: {{input: 2, output: 20}}}}",
                     second->url());
}

std::string_view name_of(FaultCheck::Kind kind) {
  switch (kind) {
    case FaultCheck::Kind::honest: return "honest";
    case FaultCheck::Kind::served: return "served";
    case FaultCheck::Kind::accounted: return "accounted";
  }
  return "honest";
}

/// What holds whatever went wrong.
void check_always(const FaultScenario& scenario, const FaultSight& sight, FaultChecks& checks) {
  checks.honest(fmt::format("it took at most {:.1f} s", scenario.most_seconds),
                sight.seconds <= scenario.most_seconds);
  const bool answered = sight.answer.has_value();
  checks.honest(
      "what was shown is the answer, or an error says that it is not",
      answered ? sight.answer->text == sight.shown : !sight.answer.error().detail.empty());
  checks.honest("the ledger knows whether it was answered",
                sight.recorded.error.empty() == answered);
  std::int64_t bytes = 0;
  for (const Stretch& stretch : sight.recorded.authors) bytes += stretch.bytes;
  checks.accounted("each byte that was shown has an author",
                   bytes == static_cast<std::int64_t>(sight.shown.size()));
}

Result<FaultOutcome> run_one(const FaultScenario& scenario, const FaultOptions& options,
                             const asio::any_io_executor& io) {
  const ModelPtr& local = options.local;
  const FakeUpstream first(scenario.first);
  std::optional<FakeUpstream> second;
  if (!scenario.second.empty()) second.emplace(scenario.second);
  auto config = policy::parse_config(
      fmt::format(kConfig, first.url(), second_url(second ? &*second : nullptr), options.retries,
                  local->name()),
      "faults.yaml");
  if (!config) return std::unexpected(config.error());
  const auto runtime = Runtime::open(*std::move(config), io, {}, {local});
  if (!runtime) return std::unexpected(runtime.error());

  FaultSight sight;
  sight.local = local->name();
  for (int i = 0; i < scenario.requests; ++i) {
    Client client;
    Turn turn("default", &client);
    turn.deadline = Clock::now() + std::chrono::seconds(30);
    Request request{.messages = {{"user", "What is 12 + 30?"}}, .max_tokens = 64};
    const auto began = Clock::now();
    auto answering =
        asio::co_spawn(io, (*runtime)->answer(std::move(request), turn), asio::use_future);
    sight.answer = answering.get();
    sight.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    sight.shown = std::move(client.text);
    if (sight.answer) sight.texts.push_back(sight.answer->text);
    auto recorded = (*runtime)->ledger().find(turn.receipt.id);
    if (!recorded) return std::unexpected(recorded.error());
    sight.recorded = *std::move(recorded);
  }
  sight.first = first.requests();
  if (second) sight.second = second->requests();

  FaultChecks checks;
  check_always(scenario, sight, checks);
  scenario.check(sight, checks);
  FaultOutcome outcome{
      .id = scenario.id, .title = scenario.title, .seconds = sight.seconds, .seen = {}};
  outcome.seen = sight.answer ? sight.answer->text
                              : fmt::format("{}: {}", to_string(sight.answer.error().code),
                                            sight.answer.error().detail);
  outcome.checks = checks.take();
  outcome.verdict = verdict_of(outcome.checks);
  return outcome;
}

}  // namespace

std::string_view to_string(FaultVerdict verdict) {
  switch (verdict) {
    case FaultVerdict::pass: return "pass";
    case FaultVerdict::partial: return "partial";
    case FaultVerdict::safe: return "safe";
    case FaultVerdict::fail: return "fail";
  }
  return "fail";
}

FaultVerdict verdict_of(const std::vector<FaultCheck>& checks) {
  const auto all = [&checks](FaultCheck::Kind kind) {
    return std::ranges::all_of(
        checks, [kind](const FaultCheck& check) { return check.kind != kind || check.ok; });
  };
  if (!all(FaultCheck::Kind::honest)) return FaultVerdict::fail;
  if (!all(FaultCheck::Kind::served)) return FaultVerdict::safe;
  return all(FaultCheck::Kind::accounted) ? FaultVerdict::pass : FaultVerdict::partial;
}

json::object to_json(const FaultOutcome& outcome) {
  json::array checks;
  for (const FaultCheck& check : outcome.checks) {
    checks.push_back(
        json::object{{"kind", name_of(check.kind)}, {"what", check.what}, {"ok", check.ok}});
  }
  return {{"id", outcome.id},
          {"title", outcome.title},
          {"verdict", to_string(outcome.verdict)},
          {"seconds", outcome.seconds},
          {"seen", outcome.seen},
          {"checks", std::move(checks)}};
}

Result<std::vector<FaultOutcome>> run_faults(const FaultOptions& options,
                                             asio::any_io_executor io) {
  const std::vector<FaultScenario> scenarios = fault_scenarios();
  std::vector<FaultOutcome> outcomes;
  for (const FaultScenario& scenario : scenarios) {
    if (options.progress) options.progress(scenario.title, outcomes.size(), scenarios.size());
    Result<FaultOutcome> outcome = run_one(scenario, options, io);
    if (!outcome) return std::unexpected(outcome.error());
    outcomes.push_back(*std::move(outcome));
  }
  return outcomes;
}

}  // namespace lichen::eval
