// What a plan's scores depend on, so that a calibration of one plan is not taken for another's.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "policy/config.h"

namespace lichen::policy {

/// {"mechanism": "cascade", options and operands by their keys ...}. Names of plans are replaced by
/// what the plans are, those of models by what they are: {"gguf": "9c1f..."}, with the version that
/// answers where one was promoted ("version", "adapter": its hash), or
/// {"url": "https://...", "model": "big-1"}; a value that is a file's name by its hash. What only
/// sets the mechanism's own threshold is left out, and so are names. `mechanism` is the node under
/// the mechanism's key.
Result<boost::json::object> mechanism_identity(const Config& config, const YamlNode& mechanism);

/// What a model of the configuration is, as it stands in identities.
Result<boost::json::object> model_identity(const Config& config, std::string_view model);

/// The mechanism of a plan that chooses between operands `small` and `large`, also where the plan
/// names another or it stands within others. `bad_config`: there is none, or more than one.
Result<const YamlNode*> choosing_mechanism(const Config& config, std::string_view plan);

/// The mechanism of that name in a plan, also where the plan names another or it stands within
/// others. `bad_config`: there is none, or more than one.
Result<const YamlNode*> only_mechanism(const Config& config, std::string_view plan,
                                       std::string_view mechanism);

/// The configuration with nothing watched by `shadow`.
Config without_shadows(Config config);
/// The configuration with cascades that stop no draft early, unless they say so: a stopped draft
/// has no score to tell from what other thresholds would have done.
Config with_whole_scores(Config config);
/// The configuration with the thresholds that come from calibrations replaced by defaults, and
/// without hedging and early stops, so that what has no calibration yet can be measured for one.
Config without_calibrations(Config config);
/// And with confidences and criteria that are learned replaced by the default ones.
Config without_learned(Config config);

/// A plan of the mechanism alone, with a threshold in place of its own.
PlanConfig at_threshold(YamlNode mechanism, double threshold, std::string name);

/// A line for each `risk` in the plan: which threshold holds and from how many prompts, or that
/// there was an alarm.
std::vector<std::string> risk_notes(const Config& config, const PlanConfig& plan);

}  // namespace lichen::policy
