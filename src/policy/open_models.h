// Opens the models of a configuration.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/runtime.h"
#include "model/lane.h"
#include "policy/config.h"

namespace lichen::policy {

/// Models and what is needed to take some of them over into another configuration.
struct OpenModels {
  /// What a model's files were when it was opened.
  struct Files {
    std::string stamps;   // of those that its options name
    std::string version;  // of the choice in its `versions`
  };

  std::shared_ptr<model::Lane> lane = {};  // of all local models; none where there are none
  std::map<std::string, Files, std::less<>> files = {};
  std::vector<ModelPtr> models = {};
};

/// The models of a configuration, and which one that was.
struct FormerModels {
  const Config& config;
  const OpenModels& open;
};

/// One after another, in the order of the file; adapters follow their model as models of their own.
/// Local models share one lane. An error names the file and the model's line.
///
/// Of `former` those models are taken over whose options and files are the same; nothing of them is
/// loaded again. One that answers by another version than the one chosen, because files were made
/// with it (VersionWatch), is not among them: this is the start that the choice waits for.
Result<OpenModels> open_models(const Config& config, boost::asio::any_io_executor io,
                               const Runtime::Progress& progress,
                               const FormerModels* former = nullptr);

}  // namespace lichen::policy
