// How good a router is at telling which requests need the large model, at every threshold: computed
// from what small and large answered alone and from the scores by which the router would choose.
// As RouteLLM defines it (Ong et al. 2024, arXiv 2406.18665, section 3.3):
//
//   PGR(c)   performance gap recovered: (q(c) - q_small) / (q_large - q_small), where q(c) is the
//            quality when the share c of all requests goes to large
//   APGR     the mean of PGR(c) over c from 0 to 1; 0.5 for a choice at random
//   CPT(x)   the smallest c with PGR(c) >= x
//
// RouteLLM samples c at ten places; here the area is exact.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace lichen::eval {

/// One request: what each model made of it alone, and how sure the router is that small suffices.
struct Replay {
  bool small_right = false;
  bool large_right = false;
  double score = 0;  // minus infinity: large answers whatever the threshold
};

struct CurvePoint {
  double share = 0;    // of the requests that go to large, 0 to 1
  double quality = 0;  // right answers / requests
  bool operator==(const CurvePoint&) const = default;
};

/// Quality at every threshold, by growing share, from (0, q_small) to (1, q_large); straight
/// between two points, which is what choosing between their thresholds by lot gives. Requests of
/// one score are one step, since no threshold tells them apart. Empty without requests.
std::vector<CurvePoint> quality_curve(std::span<const Replay> requests);

/// The score that no router can beat: requests that only large gets right go to large first, those
/// that only small gets right last.
double oracle_score(bool small_right, bool large_right);

struct CurveFigures {
  double apgr = 0;
  std::optional<double> cpt50 = {};  // none: PGR stays under 0.5
  std::optional<double> cpt80 = {};
};

/// How well the score tells small's right answers from its wrong ones: the probability that one of
/// the former has the higher score, ties counting half (area under the ROC curve; Fawcett 2006).
/// Nothing where small gets all right, or all wrong.
std::optional<double> auroc(std::span<const Replay> requests);

/// PGR of a quality; nothing where large is not better than small, since there is no gap.
std::optional<double> gap_recovered(double quality, double small, double large);

/// Of a curve from `quality_curve`; nothing where large is not better than small.
std::optional<CurveFigures> figures_of(std::span<const CurvePoint> curve);

}  // namespace lichen::eval
