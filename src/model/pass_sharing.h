// Which sequences share a pass where each costs as much as the longest of them.
#pragma once

#include <climits>
#include <vector>

#include "model/backend.h"

namespace lichen::model {

struct PassCandidate {
  int cells;   // of the sequence, with the tokens that it is to decode
  int tokens;  // to decode
  Seq seq;     // -1: not in the cache yet
};

/// Numbers of cells.
struct CellRange {
  int least = 0;
  int most = INT_MAX;
  bool holds(int cells) const { return least <= cells && cells <= most; }
};

/// The sequences that the one at `front` of `candidates` shares its pass with: those of so many
/// cells. Plain attention (`plan_kv`) goes over as many cells in each sequence of a pass as the
/// longest has, so one long text would slow all others; a pass of its own costs as much as some
/// cells more. The ranges of all are chosen so that all passes together cost the least.
CellRange shared_pass(const std::vector<PassCandidate>& candidates, const PassCandidate& front);

}  // namespace lichen::model
