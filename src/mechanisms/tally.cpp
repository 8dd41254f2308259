#include "mechanisms/tally.h"

#include <algorithm>
#include <numeric>

namespace lichen::mechanisms {

/// The fewest that, were they all for the leader, would leave the rest too few for the second.
std::size_t votes_wanted(std::span<const Votes> cast, std::span<const Votes> left) {
  Votes leader = 0, second = 0;
  for (const Votes votes : cast) {
    second = std::max(second, std::min(leader, votes));
    leader = std::max(leader, votes);
  }
  Votes rest = std::accumulate(left.begin(), left.end(), Votes{0});
  std::size_t wanted = 0;
  for (; wanted < left.size() && leader <= second + rest; ++wanted) {
    leader += left[wanted];
    rest -= left[wanted];
  }
  return wanted;
}

}  // namespace lichen::mechanisms
