// Suites made by the generator (tasks/), ready to be measured on.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "eval/suite.h"
#include "eval/tasks/sample.h"

namespace lichen::eval {

/// `count` tasks over these cells, of which there must be one: what `lichen suite` writes.
Suite generated_suite(const tasks::SampleOptions& options,
                      std::span<const tasks::FamilyLevel> cells, std::uint64_t count);

/// One cell of each family, the levels taking turns: the smallest suite that has some of
/// everything.
std::vector<tasks::FamilyLevel> one_cell_of_each_family();

/// "add-2-17": the id of sample `index`.
std::string sample_id(const tasks::Sample& sample, std::uint64_t index);

}  // namespace lichen::eval
