// What was measured of a model's passes, kept in a file for the next start.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lichen/result.h"
#include "model/pass_times.h"
#include "model/thread_choice.h"

namespace lichen::model {

struct MeasuredPasses {
  StepTimes steps = {};
  int behind = 0;                    // tokens that those passes had before them
  ThreadChoice::Times threads = {};  // all that was tried
};

/// One file of a folder that may be deleted at any time. Any number of processes may read and write
/// it at once. Belongs to one thread.
class KeptTimes {
 public:
  /// `subject` names everything that the times depend on: the model, the machine, the options.
  KeptTimes(std::filesystem::path folder, std::string subject);

  /// None where nothing is kept, or nothing that can be used: a broken file, another version's, or
  /// another subject's.
  std::optional<MeasuredPasses> read() const;
  /// Makes the folder if there is none. Of the folder's files the 64 that were used last stay.
  /// `storage` on failure.
  Result<void> write(const MeasuredPasses& measured) const;

 private:
  void remove_oldest() const;

  const std::filesystem::path folder_;
  const std::string subject_;
  const std::filesystem::path file_;
};

}  // namespace lichen::model
