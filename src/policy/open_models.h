// Opens the models of a configuration.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/runtime.h"
#include "policy/config.h"

namespace lichen::policy {

/// One after another, in the order of the file; adapters follow their model as models of their own.
/// Local models share one lane. An error names the file and the model's line.
Result<std::vector<ModelPtr>> open_models(const Config& config, boost::asio::any_io_executor io,
                                          const Runtime::Progress& progress);

}  // namespace lichen::policy
