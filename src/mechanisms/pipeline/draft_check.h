// A local model reads a draft in one pass, and goes on from the first token that it would not have
// written (Big Little Decoder, arXiv 2302.07863, with the whole answer as one draft).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "lichen/answerer.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

struct CheckedDraft {
  std::size_t tokens = 0;  // of the draft, as the model reads it
  std::size_t agreed = 0;  // of these, before the first one in doubt
  bool stands = false;     // no token is in doubt, nor that the draft ends
  /// What it wrote from there on, behind what it agreed to. None: it was not to go on.
  std::optional<Answer> mended = {};
};

/// Safe to use from any thread.
class DraftCheck {
 public:
  /// `model` is a local Model. One without logits makes `check` fail with `unsupported`.
  explicit DraftCheck(const AnswererPtr& model);

  /// A token is in doubt where it is not the likeliest and has less than the probability `accept`.
  /// `go_on`: then the answer is written to its end, by the request's sampling, and emitted. The
  /// request must have no form and no tools then, for those cannot be taken up in the middle. Adds
  /// a step, "answer" where the model wrote, else "refine". `context_overflow`: the draft is too
  /// long behind its prompt; `unsupported`: its text is not that of its tokens.
  awaitable<Result<CheckedDraft>> check(Request request, Answer draft, double accept, bool go_on,
                                        Turn& turn) const;

 private:
  struct Job;
  class Checking;
  awaitable<Result<CheckedDraft>> on_lane(Job job, Turn& turn) const;

  std::shared_ptr<model::LocalModel> model_;  // may be null
  std::vector<Token> ends_;                   // tokens that end an answer
};

}  // namespace lichen::mechanisms
