// A plan's calibration as a file (sealed_json.h): what it was counted for and what was counted.
// `lichen route calibrate --plan` makes it; a plan takes its threshold from it by
// `risk: {alpha, delta}` and `calibration: FILE`.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mechanisms/mechanism.h"
#include "mechanisms/routing/risk.h"

namespace lichen::mechanisms {

struct PlanCalibration {
  /// The mechanism, its options and its models by their hashes (Options::identity): a plan of which
  /// another thing is true gives other scores.
  boost::json::object valid_for;
  /// The measurement's options, by which it can be made again; the maker's own.
  boost::json::object made_with = {};
  /// By need, which is minus the score of the receipts' decisions; of a handover by its thresholds
  /// as Criterion::turned.
  Calibration counts;
};

/// Needs to test, growing, the same for every plan, since they must not depend on the calibration
/// data: dense where scores crowd, at 0 and 1 of probabilities and at 0 of log-probabilities.
std::vector<double> plan_thresholds();

/// One for each version of the plan's models that it was made with, the newest first; at least one.
/// As load_sealed; `bad_model` for counts that cannot be, too.
Result<std::vector<PlanCalibration>> load_plan_calibrations(const std::filesystem::path& file);
/// The one that is valid for a plan; else the first. Not empty.
const PlanCalibration& calibration_for(const std::vector<PlanCalibration>& calibrations,
                                       const boost::json::object& identity);
/// Puts it in front of what the file holds for other versions of the models, of which the last
/// seven stay. What else the file was made for is gone.
Result<void> save_plan_calibration(const PlanCalibration& calibration,
                                   const std::filesystem::path& file);

/// Where two identities differ first: "`confidence` was mean and is min", or "in `small`, version 1
/// answered and version 2 does now". Empty: nowhere.
std::string first_difference(const boost::json::object& was, const boost::json::object& is);

/// `risk` of a plan: {alpha, delta}, or nothing.
Result<std::optional<RiskTarget>> read_risk(Options& options);

/// What `risk` and `calibration` promise; where they show no threshold a warning is logged. None:
/// the plan has neither key. `bad_config`: one key without the other, a threshold beside them, or a
/// file that cannot be used or was made for another plan.
Result<std::optional<Bound>> read_plan_bound(Options& options);

/// The score from which on small answers; infinity where large has to answer everything.
double least_score(const Bound& bound);

/// What the choice for a target means, for people: "small answers 43 % of the requests, ...".
std::string describe(const Calibration& counts, const RiskTarget& target);

}  // namespace lichen::mechanisms
