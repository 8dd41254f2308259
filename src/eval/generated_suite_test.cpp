#include "eval/generated_suite.h"

#include <gtest/gtest.h>

#include <set>

namespace lichen::eval {
namespace {

TEST(GeneratedSuite, IsWhatTheSuiteFileSays) {
  const tasks::SampleOptions options{.split = tasks::Split::calibration, .seed = 3};
  const auto cells = tasks::cells_of({}, {});
  std::string jsonl;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto sample = tasks::make_sample(options, cells, i);
    jsonl += tasks::to_json_line(sample, sample_id(sample, i)) + "\n";
  }
  const auto written = parse_suite(jsonl, "calibration.jsonl");
  ASSERT_TRUE(written) << written.error().detail;
  const auto made = generated_suite(options, cells, 300);
  EXPECT_EQ(made.name, "calibration");
  ASSERT_EQ(made.tasks.size(), 300u);
  for (std::size_t i = 0; i < made.tasks.size(); ++i) {
    EXPECT_EQ(made.tasks[i].id, written->tasks[i].id);
    EXPECT_EQ(made.tasks[i].family, written->tasks[i].family);
    EXPECT_EQ(made.tasks[i].level, written->tasks[i].level);
    EXPECT_EQ(made.tasks[i].prompt, written->tasks[i].prompt);
    EXPECT_EQ(made.tasks[i].reference, written->tasks[i].reference);
    EXPECT_EQ(made.tasks[i].check, written->tasks[i].check);
  }
}

TEST(GeneratedSuite, TheSmallestHasEveryFamilyAndEveryLevel) {
  const auto cells = one_cell_of_each_family();
  const auto suite = generated_suite({}, cells, cells.size());
  std::set<std::string> families;
  std::set<int> levels;
  for (const Task& task : suite.tasks) {
    families.insert(task.family);
    levels.insert(task.level);
  }
  EXPECT_EQ(families.size(), tasks::families().size());
  EXPECT_EQ(levels, (std::set{1, 2, 3, 4}));
}

}  // namespace
}  // namespace lichen::eval
