// Which models a plan's expression names.
#pragma once

#include <string>
#include <vector>

#include "policy/config.h"

namespace lichen::policy {

/// The models below a node of a plan, also where it names other plans; each once, in their order.
std::vector<const ModelConfig*> models_below(const Config& config, const YamlNode& node);

}  // namespace lichen::policy
