// How long `auto` takes to choose a plan, and to learn from a score. The aim: some microseconds
// beside the reading of the prompt.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "mechanisms/policy/plan_chooser.h"
#include "mechanisms/policy/prompt_sketch.h"

namespace lichen::mechanisms {
namespace {

std::string prompt(int number) {
  std::string text = "What is the capital of country " + std::to_string(number) + "?";
  while (text.size() < 400) text += " Mind that it has moved " + std::to_string(text.size());
  return text;
}

ChooserOptions three_arms() {
  return {.arms = {"small", "cascade", "large"},
          .safe = 2,
          .risk = RiskTarget{.alpha = 0.05, .delta = 0.1},
          .budget_per_hour = 1e12,
          .p95_ms = 100};
}

void sketch(benchmark::State& state) {
  const std::string text = prompt(1);
  for (auto _ : state) benchmark::DoNotOptimize(sketch_of(text));
}
BENCHMARK(sketch)->Unit(benchmark::kMicrosecond);

/// Each request is chosen for, settled and scored, with a full memory of earlier ones.
void choose_and_learn(benchmark::State& state) {
  PlanChooser chooser(three_arms());
  const Sketch x = sketch_of(prompt(1));
  double now = 1.7e9;
  std::size_t request = 0;
  const auto one = [&] {
    const std::string id = "rcpt_" + std::to_string(request++);
    const auto choice = chooser.choose(id, x, now++);
    chooser.settle(*choice, {.usd = 1, .budget = 1, .ms = 50}, now);
    chooser.feedback(id, request % 3 == 0 ? 0 : 1);
  };
  for (std::size_t i = 0; i < PlanChooser::kMostPending; ++i) one();
  for (auto _ : state) one();
}
BENCHMARK(choose_and_learn)->Unit(benchmark::kMicrosecond);

void keep_state(benchmark::State& state) {
  PlanChooser chooser(three_arms());
  for (std::size_t i = 0; i < PlanChooser::kMostPending; ++i) {
    const std::string id = "rcpt_" + std::to_string(i);
    const auto choice = chooser.choose(id, sketch_of(prompt(static_cast<int>(i))), 1.7e9);
    chooser.settle(*choice, {.budget = 1, .ms = 50}, 1.7e9);
    chooser.feedback(id, 1);
  }
  for (auto _ : state) benchmark::DoNotOptimize(chooser.state());
  state.counters["bytes"] = static_cast<double>(chooser.state().size());
}
BENCHMARK(keep_state)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lichen::mechanisms

BENCHMARK_MAIN();
