// What a capture of a teacher's odds costs beside plain scoring: reading answers for the
// log-probabilities of their tokens alone, against the same with the likeliest alternatives at each
// place, kept in a capture (`lichen distill collect --reference`). The aim: tokens/s at least 0.8
// of plain scoring. Prints JSON.
//
//   capture_bench TEACHER.gguf [ANSWERS [ALTERNATIVES]]
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "eval/generated_suite.h"
#include "mechanisms/distillation/answer_scorer.h"
#include "mechanisms/distillation/capture_writer.h"
#include "model/open_local_model.h"

namespace {

namespace asio = boost::asio;
using namespace lichen;

constexpr int kRounds = 5;  // of which the best counts, for each answer and way

/// Reads question and answer; with `capture` keeps what the teacher thinks of it.
awaitable<double> read(const mechanisms::AnswerScorer& scorer, const eval::Task& task,
                       mechanisms::CaptureWriter* capture) {
  Turn turn("bench");
  mechanisms::TaughtAnswer taught{.id = task.id,
                                  .messages = {{.role = "user", .content = task.prompt}}};
  taught.answer.text = task.reference;
  const auto start = Clock::now();
  (void)*co_await scorer.score({.messages = taught.messages}, taught.answer, turn);
  if (capture != nullptr) (void)*capture->add(taught);
  co_return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: capture_bench TEACHER.gguf [ANSWERS [ALTERNATIVES]]\n");
    return 2;
  }
  const auto number = [&](int place, int usual) {
    return argc > place ? std::max(1, std::atoi(argv[place])) : usual;
  };
  const auto lane = model::open_lane();
  const auto teacher =
      lane ? model::open_local_model("teacher",
                                     {.gguf = argv[1], .batcher = {.prefix_cache_bytes = 0}}, *lane)
           : std::unexpected(lane.error());
  if (!teacher) {
    std::fprintf(stderr, "%s\n", teacher.error().detail.c_str());
    return 1;
  }
  const auto suite = eval::generated_suite({}, eval::tasks::cells_of({}, {}),
                                           static_cast<std::uint64_t>(number(2, 100)));
  const int alternatives = number(3, 48);
  const mechanisms::AnswerScorer plain(*teacher, 0), full(*teacher, alternatives);
  const auto file =
      std::filesystem::temp_directory_path() / ("capture_bench_" + std::to_string(getpid()));
  asio::io_context io;
  const auto work = asio::make_work_guard(io);
  std::thread thread([&io] { io.run(); });
  const auto run = [&io](awaitable<double> one) {
    return asio::co_spawn(io, std::move(one), asio::use_future).get();
  };
  std::array<double, 2> sums{};
  std::uint64_t tokens = 0;
  for (const eval::Task& task : suite.tasks) {
    std::array<double, 2> best{1e12, 1e12};
    for (int round = 0; round < kRounds; ++round) {
      auto capture = *mechanisms::CaptureWriter::open(file, {"teacher", alternatives});
      best[0] = std::min(best[0], run(read(plain, task, nullptr)));
      best[1] = std::min(best[1], run(read(full, task, &capture)));
      if (round == 0) tokens += capture.tokens();
      std::filesystem::remove(file.string() + ".partial");
    }
    sums[0] += best[0];
    sums[1] += best[1];
  }
  io.stop();
  thread.join();
  std::printf(
      "{\"answers\": %zu, \"tokens\": %llu, \"alternatives\": %d, \"plain_tokens_per_s\": %.0f, "
      "\"capture_tokens_per_s\": %.0f, \"ratio\": %.3f}\n",
      suite.tasks.size(), static_cast<unsigned long long>(tokens), alternatives,
      static_cast<double>(tokens) / sums[0], static_cast<double>(tokens) / sums[1],
      sums[0] / sums[1]);
  return 0;
}
