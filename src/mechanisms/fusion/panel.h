// Who is asked the same question, and how often: the members of a vote or of a ranking.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

struct Member {
  std::string name;  // as it stands in the plan
  AnswererPtr answerer;
  int samples = 1;
};

/// One answer that is wanted of a member.
struct Seat {
  std::size_t member = 0;
  int sample = 0;  // 0: as it was asked; from 1 on sampled
};

struct Panel {
  std::vector<Member> members;
  float temperature = 0.7F;  // of samples

  /// In the order in which they count: first what all members say when they are asked plainly, then
  /// the first sample of each, and so on.
  std::vector<Seat> seats() const;
  Request request_for(const Seat& seat, const Request& request) const;
  /// "small", or for samples "small#2".
  std::string name_of(const Seat& seat) const;
};

/// Reads `of`, `samples` and `temperature`. `bad_config` also where fewer than two answers would be
/// asked for, or more than `most`.
Result<Panel> read_panel(Options& options, int most);

/// Why nothing can be made of it: it failed, says nothing or was cut short. Empty: it is an answer.
std::string flaw_of(const Result<Answer>& answer, const Request& request);

}  // namespace lichen::mechanisms
