// Whether an adapter answers in its model's place from now on: what `lichen distill promote` and
// `watch` share.
#pragma once

#include <boost/json/array.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/promotion.h"
#include "eval/suite.h"
#include "policy/bound_files.h"
#include "policy/config.h"

namespace lichen::cli {

/// The local model of that name, which keeps versions. `not_found` names the models that there are;
/// `bad_config`: it keeps none.
Result<model::LocalModelOptions*> model_with_versions(policy::Config& config,
                                                      const std::string& name);

struct Candidate {
  std::string model;
  std::filesystem::path adapter;
};

struct Comparison {
  eval::PromotionRule rule = {};
  int concurrency = 8;
  std::string judge = {};  // plan or model for `judge` checks
};

/// Has the model as it is and with the candidate answer the suite. Blocks; Ctrl-C ends it.
Result<eval::Promotion> compare(policy::Config config, const Candidate& candidate,
                                const eval::Suite& suite, const Comparison& how);

/// A plan whose calibration was made anew: what small answers at the plan's own risk, for people.
struct Recalibrated {
  std::string plan;
  std::filesystem::path file;
  std::string before;
  std::string after;
};

struct NewVersion {
  int number = 0;
  std::vector<Recalibrated> recalibrated = {};
  std::vector<policy::BoundFile> stale = {};  // to be made anew by hand
};

/// The candidate answers from now on. With `recalibrate` first the calibrations of all plans that
/// it is in are counted for it, as they were before, beside what the files hold for other versions:
/// a process that ends meanwhile leaves the version before in use. `bad_request`: a plan has
/// something learned with the version before, which nobody makes anew unasked.
Result<NewVersion> take_up(policy::Config config, const Candidate& candidate,
                           const std::string& why, bool recalibrate);

/// For people: what was made with the version before, and how to make it anew. Empty: nothing was.
std::string stale_text(const std::vector<policy::BoundFile>& stale, const std::string& model);
boost::json::array json_of(const std::vector<policy::BoundFile>& stale);
std::string recalibrated_text(const std::vector<Recalibrated>& plans);
boost::json::array json_of(const std::vector<Recalibrated>& plans);

}  // namespace lichen::cli
