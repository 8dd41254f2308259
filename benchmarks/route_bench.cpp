// How long a trained router takes to decide. The aim: at most 100 us for a prompt of some hundred
// characters.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {
namespace {

constexpr int kVocabulary = 5'000;

/// Words of two to nine letters in random order.
std::string prompt_of(std::size_t bytes, std::uint64_t seed) {
  std::string text;
  while (text.size() < bytes) {
    const std::uint64_t word = mixed(mixed(seed++) % kVocabulary);
    for (std::uint64_t i = 0; i < 2 + word % 8; ++i) {
      text += static_cast<char>('a' + mixed(word + i) % 26);
    }
    text += ' ';
  }
  return text;
}

std::unique_ptr<TextRouter> router_of(RouterKind kind) {
  constexpr std::uint64_t kExamples = 2'000;
  constexpr std::size_t kBytes = 400;
  std::vector<Example> examples;
  for (std::uint64_t i = 0; i < kExamples; ++i) {
    examples.push_back({.prompt = prompt_of(kBytes, i * 1'000),
                        .small_right = mixed(i) % 3 != 0,
                        .large_right = mixed(i) % 5 != 0});
  }
  return *make_text_router(*train_router(examples, {.kind = kind}));
}

void decide(benchmark::State& state, RouterKind kind) {
  const auto router = router_of(kind);
  const std::string prompt = prompt_of(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(router->need(prompt));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("bytes")->Arg(400)->Arg(2'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(decide, linear, RouterKind::linear)->Apply(sizes);
BENCHMARK_CAPTURE(decide, knn, RouterKind::knn)->Apply(sizes);
BENCHMARK_CAPTURE(decide, mf, RouterKind::mf)->Apply(sizes);
BENCHMARK_CAPTURE(decide, ensemble, RouterKind::ensemble)->Apply(sizes);

}  // namespace
}  // namespace lichen::mechanisms

BENCHMARK_MAIN();
