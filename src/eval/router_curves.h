// The curve of each plan that chooses between small and large by a score, beside the choices that
// every router must be compared with: at random, by the prompt's length, and by an oracle.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/baselines.h"
#include "eval/curve.h"
#include "eval/outcome.h"
#include "eval/suite.h"

namespace lichen::eval {

struct NamedCurve {
  std::string name;  // the plan's, "length", "random" or "oracle"
  std::vector<CurvePoint> points;
  std::optional<CurveFigures> figures;  // none where large is not better than small
};

struct RouterCurves {
  std::string plan;
  std::string mechanism;                 // that compared the score
  std::optional<double> threshold = {};  // that the plan was measured with; none: it changed
  double small_quality = 0;              // of each model alone
  double large_quality = 0;
  CurvePoint measured = {};              // where the plan itself is: its share and quality
  std::optional<double> recovered = {};  // PGR of that
  std::optional<double> auroc = {};      // of the score, see curve.h
  double risk = 0;                       // share of requests lost: wrong where large alone is right
  std::vector<NamedCurve> curves = {};   // the plan's, length, random, oracle
  std::string note = {};                 // why there are no figures; empty: there are
};

/// Of every plan whose requests were all decided by one scored choice between the two baselines:
/// only then do the models' own answers tell what another threshold would have given. A request
/// that the mechanism decided without a score (small failed) goes to large at every threshold.
/// Nothing where a baseline was not measured.
std::vector<RouterCurves> router_curves(const Suite& suite, const std::vector<std::string>& plans,
                                        const Baselines& baselines,
                                        const std::vector<Outcome>& outcomes);

boost::json::object to_json(const RouterCurves& router);

}  // namespace lichen::eval
