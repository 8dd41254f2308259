#include "model/pass_sharing.h"

#include <algorithm>
#include <limits>

namespace lichen::model {
namespace {

/// libllama goes over a multiple of so many cells.
constexpr int kPadding = 256;

/// What a pass costs however little is in it: as much as so many cells of one token. Between 400
/// (the bundled large model) and 900 (the small one), on two cores.
constexpr double kPassCells = 512;

int padded(int cells) { return (cells + kPadding - 1) / kPadding * kPadding; }

/// A pass takes sequences with consecutive numbers; those behind a gap take another.
double passes(std::vector<Seq> numbers) {
  std::ranges::sort(numbers);
  double passes = 1;
  for (std::size_t i = 1; i < numbers.size(); ++i) passes += numbers[i] != numbers[i - 1] + 1;
  return passes;
}

}  // namespace

CellRange shared_pass(const std::vector<PassCandidate>& candidates, const PassCandidate& front) {
  std::vector<int> lengths;  // padded, each once, rising
  for (const PassCandidate& candidate : candidates) lengths.push_back(padded(candidate.cells));
  std::ranges::sort(lengths);
  const auto doubled = std::ranges::unique(lengths);
  lengths.erase(doubled.begin(), doubled.end());
  if (lengths.size() < 2) return {};

  const auto cost = [&](std::size_t from, std::size_t to) {  // one range of lengths, both included
    double tokens = 0;
    std::vector<Seq> numbers;
    for (const PassCandidate& candidate : candidates) {
      const int length = padded(candidate.cells);
      if (length < lengths[from] || length > lengths[to]) continue;
      tokens += candidate.tokens;
      if (candidate.seq >= 0) numbers.push_back(candidate.seq);
    }
    return passes(std::move(numbers)) * kPassCells + tokens * lengths[to];
  };

  // The cheapest division of the first n lengths into ranges, and where its last range begins.
  std::vector<double> least(lengths.size() + 1, std::numeric_limits<double>::infinity());
  std::vector<std::size_t> begins(lengths.size() + 1, 0);
  least[0] = 0;
  for (std::size_t to = 0; to < lengths.size(); ++to) {
    for (std::size_t from = 0; from <= to; ++from) {
      const double total = least[from] + cost(from, to);
      if (total >= least[to + 1]) continue;
      least[to + 1] = total;
      begins[to + 1] = from;
    }
  }
  std::size_t end = lengths.size();
  while (padded(front.cells) < lengths[begins[end]]) end = begins[end];
  return {.least = lengths[begins[end]] - kPadding + 1, .most = lengths[end - 1]};
}

}  // namespace lichen::model
