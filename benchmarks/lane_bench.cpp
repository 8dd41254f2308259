// The lane against the workload of llama-batched-bench: N sequences of 64 prompt tokens, then 64
// generated tokens each. Prints tokens/s, prompts included, as that tool's last column does.
//
//   lane_bench MODEL.gguf THREADS [Google Benchmark's options]
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>

#include "model/open_local_model.h"

namespace {

namespace asio = boost::asio;
using namespace lichen;

constexpr int kPrompt = 64;
constexpr int kGenerate = 64;

awaitable<bool> sequence(model::LocalModel& model, Turn& turn, std::vector<Token> prompt) {
  Session session = model.open_session(turn);
  auto rows = co_await session.decode(prompt);
  for (int i = 0; rows && i < kGenerate; ++i) {
    const Token token = rows->front().token;
    rows = co_await session.decode(std::span(&token, 1));
  }
  co_return rows.has_value();
}

void run(benchmark::State& state, model::LocalModel& model) {
  const int sequences = static_cast<int>(state.range(0));
  const int vocabulary = model.vocabulary().size();
  unsigned salt = 1;
  Turn turn("bench");
  const model::BatcherStats before = model.stats();
  for (auto _ : state) {
    std::vector<std::future<bool>> all;
    for (int s = 0; s < sequences; ++s) {
      std::vector<Token> prompt;
      // Different in every run, so that the prefix cache has no part in it.
      for (int i = 0; i < kPrompt; ++i) {
        salt = salt * 1664525 + 1013904223;
        prompt.push_back(
            static_cast<Token>(10 + (salt >> 8) % static_cast<unsigned>(vocabulary - 10)));
      }
      all.push_back(asio::co_spawn(model.lane().executor(),
                                   sequence(model, turn, std::move(prompt)), asio::use_future));
    }
    for (auto& one : all) {
      if (!one.get()) state.SkipWithError("a step failed");
    }
  }
  state.counters["batches"] =
      benchmark::Counter(static_cast<double>(model.stats().batches - before.batches),
                         benchmark::Counter::kAvgIterations);
  state.counters["tokens_per_s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * sequences * (kPrompt + kGenerate),
      benchmark::Counter::kIsRate);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: lane_bench MODEL.gguf THREADS [benchmark options]\n");
    return 2;
  }
  auto lane = lichen::model::open_lane({.name = "cpu", .threads = std::atoi(argv[2])});
  if (!lane) {
    std::fprintf(stderr, "%s\n", lane.error().detail.c_str());
    return 1;
  }
  auto model = lichen::model::open_local_model(
      "bench", {.gguf = argv[1], .threads = std::atoi(argv[2])}, *lane);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().detail.c_str());
    return 1;
  }
  argv[2] = argv[0];
  argc -= 2;
  argv += 2;
  for (int sequences : {1, 2, 4, 8, 16, 32}) {
    benchmark::RegisterBenchmark("lane", [&](benchmark::State& state) { run(state, **model); })
        ->Arg(sequences)
        ->UseRealTime()
        ->MinTime(1.0)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
