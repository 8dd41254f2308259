// A right answer as several local models read it: what weights of a blend are learned from.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lichen/request.h"
#include "lichen/turn.h"
#include "mechanisms/fusion/learned_weights.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// A model's tokens of a text, and how likely it finds them (nats).
struct ReadAnswer {
  std::vector<std::size_t> ends;  // of each token, in bytes of the text
  std::vector<double> logprobs;   // of each token
  double end = 0;                 // that the answer ends behind the last
};

/// Reads prompt and answer in one pass. Fails as the model's `prepare` and a session's `decode`.
awaitable<Result<ReadAnswer>> read_answer(std::shared_ptr<model::LocalModel> model, Request request,
                                          std::string text, Turn& turn);

/// The answer cut where all models have the end of a token, the end itself at last. `readings`: of
/// one text by each model, one at least.
std::vector<Segment> common_segments(std::span<const ReadAnswer> readings);

}  // namespace lichen::mechanisms
