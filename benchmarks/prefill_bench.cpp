// What the decision of `route: {by: prefill}` costs where small answers: the time to small's first
// token through the route, as a ratio to small alone, over prompts of the suite. The aim: at most
// 1.05. Prints JSON. Beside it what reading the prompt's own log-probabilities would cost, which
// the router does without: every token of which one is wanted needs a row of logits.
//
//   prefill_bench SMALL.gguf [PROMPTS]
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "eval/generated_suite.h"
#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/prefill_features.h"
#include "mechanisms/routing/route.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/scripted_options.h"
#include "model/open_local_model.h"

namespace {

namespace asio = boost::asio;
using namespace lichen;

constexpr int kRounds = 7;  // of which the best counts, for each prompt and way
constexpr std::size_t kTail = 8;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Which router it is makes no difference to the time: it need only be of the right size.
mechanisms::RouterFile some_router(const model::LocalModel& small) {
  const auto width = mechanisms::kPrefillScalars + static_cast<std::size_t>(small.hidden_width());
  std::vector<mechanisms::Example> examples;
  for (std::uint64_t i = 0; i < 200; ++i) {
    mechanisms::Example example{.prompt = {}, .small_right = i % 2 == 0, .large_right = i % 3 != 0};
    for (std::uint64_t k = 0; k < width; ++k) {
      example.features.push_back(
          static_cast<float>(mechanisms::unit_interval(mechanisms::mixed(i * width + k))));
    }
    examples.push_back(std::move(example));
  }
  auto file = *mechanisms::train_router(examples, {.kind = mechanisms::RouterKind::prefill});
  file.origin.small_hash = *small.file_hash();
  return file;
}

AnswererPtr route_to_small(const std::shared_ptr<model::LocalModel>& small) {
  const auto path =
      std::filesystem::temp_directory_path() / ("prefill_bench_" + std::to_string(getpid()));
  (void)*mechanisms::save_router_file(some_router(*small), path);
  mechanisms::ScriptedOptions options;
  options.answerers = {{"small", small}, {"large", small}};
  options.choices = {{"by", "prefill"}, {"router", path.string()}};
  options.numbers = {{"threshold", 1}};
  auto route = *mechanisms::build_route(options);
  std::filesystem::remove(path);
  return route;
}

/// Until the first token.
awaitable<double> answered(Answerer& answerer, std::string prompt) {
  Turn turn("bench");
  const auto start = Clock::now();
  (void)*co_await answerer.answer(
      {.messages = {{"user", std::move(prompt)}}, .sampling = {.temperature = 0}, .max_tokens = 1},
      turn);
  co_return microseconds_since(start);
}

/// A pass over the prompt that brings back log-probabilities of its last `tail` tokens.
awaitable<double> read_with_logprobs(model::LocalModel& small, std::vector<Token> prompt,
                                     std::size_t tail) {
  Turn turn("bench");
  const auto start = Clock::now();
  Session session = small.open_session(turn);
  std::span<const Token> rest(prompt);
  if (rest.size() > tail) {
    (void)*co_await session.decode(rest.first(rest.size() - tail), {.rows = Want::Rows::none});
    rest = rest.last(tail);
  }
  Want want = mechanisms::prefill_look();
  want.rows = Want::Rows::all;
  want.input_logprobs = true;
  (void)*co_await session.decode(rest, want);
  co_return microseconds_since(start);
}

awaitable<double> read_plainly(model::LocalModel& small, std::vector<Token> prompt) {
  Turn turn("bench");
  const auto start = Clock::now();
  Session session = small.open_session(turn);
  (void)*co_await session.decode(prompt, {.logprob = true});
  co_return microseconds_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: prefill_bench SMALL.gguf [PROMPTS]\n");
    return 2;
  }
  auto lane = model::open_lane();
  auto small = lane ? model::open_local_model(
                          "small", {.gguf = argv[1], .batcher = {.prefix_cache_bytes = 0}}, *lane)
                    : std::unexpected(lane.error());
  if (!small) {
    std::fprintf(stderr, "%s\n", small.error().detail.c_str());
    return 1;
  }
  const auto route = route_to_small(*small);
  const auto suite = eval::generated_suite({}, eval::tasks::cells_of({}, {}),
                                           argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200);
  asio::io_context io;
  const auto work = asio::make_work_guard(io);
  std::thread thread([&io] { io.run(); });
  const auto run = [](auto executor, awaitable<double> one) {
    return asio::co_spawn(executor, std::move(one), asio::use_future).get();
  };
  constexpr std::size_t kWays = 5;
  double sums[kWays] = {};
  std::size_t tokens = 0;
  for (const auto& task : suite.tasks) {
    const auto prompt = *(*small)->vocabulary().tokenize(task.prompt, true);
    tokens += prompt.size();
    double best[kWays];
    std::fill_n(best, kWays, 1e12);
    for (int round = 0; round < kRounds; ++round) {
      const auto on_lane = (*lane)->executor();
      const double times[kWays] = {
          run(io.get_executor(), answered(**small, task.prompt)),
          run(io.get_executor(), answered(*route, task.prompt)),
          run(on_lane, read_plainly(**small, prompt)),
          run(on_lane, read_with_logprobs(**small, prompt, kTail)),
          run(on_lane, read_with_logprobs(**small, prompt, prompt.size()))};
      for (std::size_t i = 0; i < kWays; ++i) best[i] = std::min(best[i], times[i]);
    }
    for (std::size_t i = 0; i < kWays; ++i) sums[i] += best[i];
  }
  io.stop();
  thread.join();
  const auto n = static_cast<double>(suite.tasks.size());
  std::printf(
      "{\"prompts\": %.0f, \"prompt_tokens\": %.1f, \"first_token_us\": %.0f, "
      "\"route_first_token_us\": %.0f, \"ratio\": %.4f, \"with_tail_logprobs_ratio\": %.3f, "
      "\"with_all_logprobs_ratio\": %.3f}\n",
      n, static_cast<double>(tokens) / n, sums[0] / n, sums[1] / n, sums[1] / sums[0],
      sums[3] / sums[2], sums[4] / sums[2]);
  return 0;
}
