// Questions about documents of any length, for `extract` and whoever else reads them. No family of
// the suite: a document does not fit into most models' contexts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "eval/tasks/sample.h"

namespace lichen::eval::tasks {

inline constexpr std::size_t kLeastDocument = 1'000;     // bytes
inline constexpr std::size_t kMostDocument = 64u << 20;  // bytes

/// Task `index` of a suite about reports of about `bytes` bytes on made-up companies, in paragraphs
/// and pages. What the question takes stands somewhere in it, among figures of other companies,
/// years and measures. The levels are those of `extract_jobs`: one figure, two, three, four or
/// five. A function of its arguments alone; the splits ask in ways of their own.
Sample make_document_sample(const SampleOptions& options, std::size_t bytes, int level,
                            std::uint64_t index);

}  // namespace lichen::eval::tasks
