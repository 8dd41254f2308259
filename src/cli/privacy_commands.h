// The subcommands of `lichen privacy`, each in a file of its own, and what they share.
#pragma once

#include <string>

#include "cli/command.h"
#include "privacy/detector.h"

namespace lichen::cli {

void add_privacy_scan(CLI::App& privacy, Invocation& invocation);
void add_privacy_eval(CLI::App& privacy, Invocation& invocation);

/// The options that say what is private.
struct DetectorChoice {
  std::string dictionary;  // a file; empty: none
  std::string kinds;       // names with commas between; empty: all
  std::string names;       // a GGUF that finds names, or "none"; empty: the bundled one
  float threshold = 0;     // of names; 0: the model's
};
void add_detector_options(CLI::App& command, DetectorChoice& choice);
/// `bad_config` names the file and line, or the kind that is none.
Result<privacy::Detector> make_detector(const DetectorChoice& choice);
/// The kinds that were chosen.
Result<privacy::KindSet> chosen_kinds(const DetectorChoice& choice);

}  // namespace lichen::cli
