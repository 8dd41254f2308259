// A plan that is measured for what is counted of it or learned for it.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "eval/plan_calibration.h"
#include "policy/config.h"

namespace lichen::cli {

/// A plan, what chooses in it, and the models alone, in a configuration that can be measured.
struct PlanSubject {
  policy::Config config;
  eval::CalibratedPlan plan;
  policy::YamlNode mechanism;  // as it stands in the configuration's file
  boost::json::object identity;
};

/// `prepared` makes a configuration that can be loaded before there is the file that is to be made.
Result<PlanSubject> plan_subject(const policy::Config& config, const std::string& plan,
                                 policy::Config (*prepared)(policy::Config));

/// The key of the mechanism that chooses in the plan: "cascade". Fails as
/// policy::choosing_mechanism.
Result<std::string> choosing_key(const policy::Config& config, const std::string& plan);

}  // namespace lichen::cli
