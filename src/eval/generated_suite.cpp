#include "eval/generated_suite.h"

#include <cassert>
#include <utility>

namespace lichen::eval {

std::string sample_id(const tasks::Sample& sample, std::uint64_t index) {
  return std::string(sample.family) + "-" + std::to_string(sample.level) + "-" +
         std::to_string(index);
}

Suite generated_suite(const tasks::SampleOptions& options,
                      std::span<const tasks::FamilyLevel> cells, std::uint64_t count) {
  assert(!cells.empty());
  Suite suite{.name = std::string(tasks::name_of(options.split)), .tasks = {}};
  for (std::uint64_t index = 0; index < count; ++index) {
    auto sample = tasks::make_sample(options, cells, index);
    suite.tasks.push_back({.id = sample_id(sample, index),
                           .family = std::string(sample.family),
                           .level = sample.level,
                           .prompt = std::move(sample.prompt),
                           .reference = std::move(sample.reference),
                           .check = find_check(sample.check).value(),
                           .answer = std::move(sample.answer)});
  }
  return suite;
}

std::vector<tasks::FamilyLevel> one_cell_of_each_family() {
  // Beginning at level 3 gives the families of long texts their shorter levels.
  constexpr std::size_t kFirst = 2;
  std::vector<tasks::FamilyLevel> cells;
  for (const auto& family : tasks::families()) {
    cells.push_back({&family, static_cast<int>((cells.size() + kFirst) % tasks::kLevels) + 1});
  }
  return cells;
}

}  // namespace lichen::eval
