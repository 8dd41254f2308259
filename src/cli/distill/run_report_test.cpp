#include "cli/distill/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TrainedRun some_run() {
  TrainedRun run{.command_line = "lichen-distill train",
                 .method = "rank=4",
                 .parameters = 1'000'000,
                 .trained = 20'000,
                 .learned = 1'500,
                 .held_out = 80};
  run.options.student = "small.gguf";
  run.options.out = "new/tuned.gguf";
  run.options.threads = 2;
  run.report.state.step = 3;
  for (std::int64_t step = 1; step <= 3; ++step) {
    run.report.state.curve.push_back({.step = step, .loss = 1.0 / static_cast<double>(step)});
  }
  return run;
}

TEST(RunReport, SaysWhatWasDoneOnTheTerminal) {
  auto run = some_run();
  EXPECT_THAT(summary(run), HasSubstr("adapter (rank=4), 20,000 of 1,000,000 parameters"));
  EXPECT_THAT(summary(run), HasSubstr("1,500, 80 held out\n"));
  EXPECT_THAT(summary(run), HasSubstr("loss        1.0000 -> 0.3333\n"));
  EXPECT_THAT(summary(run), Not(HasSubstr("whose weights")));
  run.report.state.before = {.loss = 1.5};
  run.report.state.best = {.loss = 0.25};
  run.report.state.best_step = 2;
  EXPECT_THAT(summary(run), Not(HasSubstr("accepted")));
  run.report.state.before->acceptance = 0.5;
  run.report.state.best->acceptance = 0.75;
  EXPECT_THAT(summary(run), HasSubstr("accepted    50.0 % -> 75.0 % of its drafts"));
  run.left_out = 7;
  run.options.from = "old.gguf";
  EXPECT_THAT(summary(run), HasSubstr("adapter (rank=4), from old.gguf, 20,000"));
  EXPECT_THAT(summary(run), HasSubstr("1.5000 -> 0.2500 at step 2, whose weights were written"));
  EXPECT_THAT(summary(run), HasSubstr("7 left out for their length"));
}

TEST(RunReport, IsJsonAndAPageToo) {
  auto run = some_run();
  EXPECT_EQ(to_json(run).at("curve").as_array().size(), 3u);
  EXPECT_FALSE(to_json(run).contains("held_out_loss"));
  run.report.state.before = {.loss = 1.5, .acceptance = 0.5};
  run.report.state.best = run.report.state.curve[1].held_out = {.loss = 0.25, .acceptance = 0.75};
  const auto json = to_json(run);
  EXPECT_EQ(json.at("held_out_loss_before"), 1.5);
  EXPECT_EQ(json.at("held_out_loss"), 0.25);
  EXPECT_EQ(json.at("acceptance_before"), 0.5);
  EXPECT_EQ(json.at("acceptance"), 0.75);
  EXPECT_EQ(json.at("curve").at(1).at("held_out"), 0.25);
  EXPECT_EQ(json.at("curve").at(1).at("acceptance"), 0.75);
  EXPECT_FALSE(to_json(run).contains("from"));
  run.options.from = "old.gguf";
  EXPECT_EQ(to_json(run).at("from"), "old.gguf");
  EXPECT_EQ(page_of(run).title, "tuned");
  EXPECT_THAT(page_of(run).tiles, Contains(Pair("held out", "0.2500")));
  EXPECT_THAT(page_of(run).tiles, Contains(Pair("drafts accepted", "75.0 %")));
}

}  // namespace
}  // namespace lichen::cli
