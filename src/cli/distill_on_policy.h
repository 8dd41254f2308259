// On-policy distillation: the student answers, the teacher says at each token what it would have
// said, the student learns from that; round by round (GKD, arXiv 2306.13649).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/distill_students.h"
#include "mechanisms/distillation/collect.h"

namespace lichen::cli {

struct PracticeJob {
  std::vector<mechanisms::TeacherQuestion> questions;  // shared out among the rounds
  int rounds = 3;
  float temperature = 1;  // of the student's answers
  int alternatives = 48;
  int concurrency = 16;
  int max_tokens = 256;                     // of an answer
  std::optional<Trained> begin = {};        // where training goes on from; none: the student itself
  bool full = false;                        // all weights rather than an adapter
  std::vector<std::string> arguments = {};  // of the trainer, for each round
  std::filesystem::path folder = {};        // keeps each round's capture and result
};

struct Practised {
  Trained trained;
  std::int64_t answers = 0;  // that the student wrote and the teacher read, in all rounds
  std::int64_t tokens = 0;   // of these answers
};

/// A round whose result is in the folder is not done again, so an interrupted call goes on.
/// `progress` hears what is being done and how much of the round's answers there are, 0 to 1.
/// Errors: those of `collect_into` and `run_trainer`.
Result<Practised> practise(const StudentAndTeacher& both, const PracticeJob& job,
                           const std::stop_token& stop,
                           const std::function<void(double, const std::string&)>& progress = {});

}  // namespace lichen::cli
