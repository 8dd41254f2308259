// Asks a teacher, and keeps what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/distillation/answer_scorer.h"
#include "mechanisms/distillation/capture_writer.h"

namespace lichen::mechanisms {

/// What a teacher is asked.
struct TeacherQuestion {
  std::string id = {};
  std::vector<Message> messages = {};
  /// An answer that somebody has written already; the teacher only says how likely it finds it.
  std::optional<std::string> answer = {};
  /// Whether an answer is right; empty: nobody can tell.
  std::function<bool(const std::string& answer)> right = {};
};

struct Teacher {
  /// Who answers: the teacher, or the student, whose answers the teacher then corrects token by
  /// token (on-policy distillation, GKD, arXiv 2306.13649).
  AnswererPtr answerer;
  /// Reads the answers again for the teacher's odds of their tokens; null: the answerer's own
  /// log-probabilities are used, as far as it gives any.
  std::unique_ptr<AnswerScorer> scorer = {};
};

/// How a collection went so far.
struct Collected {
  std::size_t asked = 0;  // questions that are done with, those that were there already too
  std::size_t known = 0;  // were in the capture already
  std::size_t kept = 0;
  std::size_t wrong = 0;                           // answers that were left out
  std::map<std::string, std::size_t> failed = {};  // by error code
  std::string last_error = {};
  std::int64_t tokens = 0;  // of kept answers
};

struct CollectOptions {
  int concurrency = 16;     // questions at a time
  int alternatives = 20;    // that are asked of an answerer without a scorer
  int max_tokens = 1'024;   // of an answer
  bool rationale = false;   // ask for the way to the answer, too (prompts/rationale.txt)
  Sampling sampling = {};   // how answers are chosen
  bool keep_wrong = false;  // a student's errors are what the teacher's odds correct
  std::stop_token stop = {};
  std::function<void(const Collected&)> progress = {};
};

/// Returns when all are asked, or it was stopped; a question that fails is counted and left out,
/// and asked again by the next collection into the same capture. The error is that of the capture
/// (`storage`).
awaitable<Result<Collected>> collect(const Teacher& teacher,
                                     const std::vector<TeacherQuestion>& questions,
                                     CaptureWriter& capture, CollectOptions options);

}  // namespace lichen::mechanisms
