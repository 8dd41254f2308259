// Files that were made with the models of a plan, and fit no others: calibrations, learned
// confidences and weights, heads, routers.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "policy/config.h"

namespace lichen::policy {

struct BoundFile {
  std::string plan;  // in which it is named
  std::filesystem::path file;
  std::vector<std::string> models;    // local ones that it was made with, as the plan names them
  std::vector<std::string> commands;  // that make it anew, one after the other
  bool calibration = false;           // of the plan (mechanisms/routing/calibration_file.h)
};

/// Of all plans, what others are made with first: a confidence before the calibration of its plan.
std::vector<BoundFile> bound_files(const Config& config);
/// Those that were made with one model.
std::vector<BoundFile> bound_files(const Config& config, std::string_view model);

/// Those of them that hold nothing for the versions that answer now. Of calibrations that is known,
/// which may hold something for several; of what was learned it is taken for granted.
std::vector<BoundFile> stale_files(const Config& config, std::string_view model);

/// "my.calibration (plan bounded): lichen route calibrate --plan bounded -o my.calibration"
std::string how_to_make_anew(const BoundFile& file);

}  // namespace lichen::policy
