// A training run as one HTML page: its loss curve and how it was made.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mechanisms/distillation/training/checkpoint.h"

namespace lichen::cli {

struct LossPage {
  std::string title;
  std::vector<std::pair<std::string, std::string>> tiles;   // what came out, by name
  std::vector<training::CurvePoint> curve;                  // at least one
  std::vector<std::pair<std::string, std::string>> origin;  // how it was made, by name
};

/// Needs nothing beside it: no network, no script. Well-formed XML.
std::string to_html(const LossPage& page);

}  // namespace lichen::cli
