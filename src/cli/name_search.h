// Names in texts, for commands: the model that was chosen, on a lane of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/privacy_commands.h"
#include "mechanisms/privacy/name_finder.h"
#include "privacy/mask.h"

namespace lichen::cli {

struct NameSearchOptions {
  int threads = 0;  // 0: one for each core
};

/// Belongs to the main thread.
class NameSearch {
 public:
  /// Without a model where none was wanted, or none of its kinds. `not_found`: the bundled one is
  /// not there; `bad_config`, `bad_model`, `unsupported`: as `NameTagger::open`.
  static Result<NameSearch> open(const DetectorChoice& choice, const NameSearchOptions& options);

  /// Whether there is a model.
  bool active() const { return finder_ != nullptr; }
  /// Spans of the chosen kinds, of each text. Empty ones without a model.
  Result<privacy::Spans> find(std::vector<std::string> texts);

  /// Of all texts so far, by this process's time on cores.
  double bytes_per_second() const { return seconds_ > 0 ? bytes_ / seconds_ : 0; }
  double tokens_per_second() const { return seconds_ > 0 ? tokens_ / seconds_ : 0; }

 private:
  std::shared_ptr<mechanisms::NameFinder> finder_;
  privacy::KindSet kinds_;
  double bytes_ = 0;
  double tokens_ = 0;
  double seconds_ = 0;
};

}  // namespace lichen::cli
