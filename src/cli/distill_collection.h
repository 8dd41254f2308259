// What a teacher of the configuration says, into one capture: `lichen distill collect` and `watch`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/host.h"
#include "eval/suite.h"
#include "ledger/ledger.h"
#include "mechanisms/distillation/collect.h"

namespace lichen::cli {

inline constexpr int kUsualAlternatives = 48;

struct CollectionJob {
  std::string teacher;  // model or plan of the host's configuration
  std::string by = {};  // who answers, right or wrong, what the teacher then reads: a
                        // student; empty: the teacher itself
  std::optional<float> temperature = {};  // of the answers; none: the model's own
  std::filesystem::path output;           // the capture; gone on with where it is there
  int alternatives = kUsualAlternatives;
  int concurrency = 16;
  int max_tokens = 1'024;  // of an answer
  bool rationale = false;
};

struct Collection {
  mechanisms::Collected went = {};
  std::size_t examples = 0;  // of the capture as it is now, as are those below
  std::uint64_t tokens = 0;
  std::uintmax_t bytes = 0;
  double seconds = 0;
};

/// Blocks until all are asked. `progress` hears how much is done, 0 to 1, from any thread.
/// `cancelled`: it was stopped; what is there is kept beside the capture, and the same call goes
/// on. `upstream`: not one answer could be kept. `bad_request`: answers that are not the teacher's
/// own and a teacher that is no local model, or a capture of another teacher.
Result<Collection> collect_into(Host& host, const CollectionJob& job,
                                const std::vector<mechanisms::TeacherQuestion>& questions,
                                const std::stop_token& stop,
                                const std::function<void(double)>& progress = {});

/// The tasks of a suite that have no document. `reference`: with their answers.
std::vector<mechanisms::TeacherQuestion> questions_of(const eval::Suite& suite, bool reference);

/// The prompts that the ledger has recorded, each once, the first `limit` of them. `bad_request`:
/// there is none.
Result<std::vector<mechanisms::TeacherQuestion>> recorded_questions(
    const ledger::Ledger& ledger, std::optional<std::size_t> limit);

}  // namespace lichen::cli
