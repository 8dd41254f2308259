// Several answers to one request, drawn side by side (self-consistency: Wang et al. 2022, arXiv
// 2203.11171).
#pragma once

#include <memory>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

struct SampledAnswer {
  std::unique_ptr<Turn> turn;  // a child: absorb it, for cost is cost
  Result<Answer> answer = fail(Errc::internal, "not asked");
};

/// The request as sample number `index` asks it. Seeds of their own, the same ones each time: a
/// request gets the same answers again.
Request sampled(Request request, float temperature, int index);

/// What one answerer is asked.
struct Asking {
  AnswererPtr from;
  Request request;
};

/// All answers at once: a lane decodes them in one batch, and computes a common prompt once.
awaitable<std::vector<SampledAnswer>> draw(std::vector<Asking> asked, Turn& turn);
/// The same of one answerer.
awaitable<std::vector<SampledAnswer>> draw(AnswererPtr from, std::vector<Request> requests,
                                           Turn& turn);

}  // namespace lichen::mechanisms
