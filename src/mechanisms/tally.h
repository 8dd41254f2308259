// Votes for answers: when it is known which has the most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lichen::mechanisms {

/// Whole numbers, so that sums do not depend on the order in which votes come in.
using Votes = std::int64_t;

/// How many of the votes that are `left`, taken in their order, must be cast at least before it can
/// be known which candidate has the most: 0 once the leader cannot even be drawn level with.
/// `cast`: what each candidate has.
std::size_t votes_wanted(std::span<const Votes> cast, std::span<const Votes> left);

}  // namespace lichen::mechanisms
