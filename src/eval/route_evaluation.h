// How good a kind of router is on recorded outcomes: trained on some parts of the data and
// judged on the others, so that no prompt is judged by a router that was trained on it.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "eval/curve.h"
#include "eval/route_data.h"
#include "eval/statistics.h"
#include "mechanisms/routing/risk.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::eval {

enum class SplitBy : std::uint8_t { prompt, subject };

struct RouteEvaluationOptions {
  mechanisms::TrainingOptions training = {};  // its progress and stop are used for the whole
  int folds = 5;                              // 2 to 100
  SplitBy split = SplitBy::prompt;
};

/// Figures of one way to choose, with 95 % bootstrap intervals (see `bootstrap_mean`) of APGR.
struct RouteFigures {
  CurveFigures figures = {};
  Estimate apgr = {};
};

struct RouteEvaluation {
  std::size_t examples = 0;
  double small_quality = 0;  // of each model alone
  double large_quality = 0;
  RouteFigures router = {};
  std::vector<double> apgr_by_fold = {};
  RouteFigures length = {};  // floors and ceiling
  RouteFigures random = {};
  RouteFigures oracle = {};
  double decision_us = 0;      // median time of one decision
  double decision_p95_us = 0;  // its nearest-rank 95th percentile
};

/// `bad_request` where a part has one class only or large is not better than small; `cancelled`.
Result<RouteEvaluation> evaluate_router(const RouteData& data,
                                        const RouteEvaluationOptions& options);

/// Of a router that is trained already, on data that it has not seen. `bad_model` says what in its
/// file does not fit; `bad_request` as above, or where the data is not for this router.
Result<RouteEvaluation> evaluate_trained(const RouteData& data, const mechanisms::RouterFile& file);

boost::json::object to_json(const RouteEvaluation& evaluation);

struct RiskEvaluationOptions {
  mechanisms::TrainingOptions training = {};
  mechanisms::RiskTarget target = {};
  int resamples = 300;
  std::size_t calibration = 0;  // requests of a calibration sample; 0: as many as the pool has
};

/// What became of a stated risk over many calibrations.
struct RiskEvaluation {
  std::size_t pool = 0;         // requests, none of which the router was trained on
  std::size_t calibration = 0;  // of each sample
  int resamples = 0;
  int violations = 0;  // samples whose threshold has a true risk over alpha
  int refused = 0;     // samples that allowed no threshold: large answered all
  double mean_risk = 0;
  double mean_large_share = 0;  // of requests that large answers
  double mean_quality = 0;      // right answers / requests

  double violation_rate() const { return static_cast<double>(violations) / resamples; }
};

/// Trains on half of the prompts. The other half is taken as the whole population: calibration
/// samples are drawn from it with replacement, so they are independent, as the bound demands, and
/// the true risk of a threshold is known exactly. Comparing with a second sample instead would
/// count that sample's own noise as violations.
Result<RiskEvaluation> evaluate_risk(const RouteData& data, const RiskEvaluationOptions& options);

boost::json::object to_json(const RiskEvaluation& evaluation);

}  // namespace lichen::eval
