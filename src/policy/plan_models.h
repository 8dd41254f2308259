// Which models a plan's expression names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/config.h"

namespace lichen::policy {

/// The model of that name, also as it is with one of its adapters, "small+sql"; null where there is
/// none.
const ModelConfig* model_named(const Config& config, std::string_view name);

/// The models below a node of a plan, also where it names other plans; each once, in their order.
std::vector<const ModelConfig*> models_below(const Config& config, const YamlNode& node);

}  // namespace lichen::policy
