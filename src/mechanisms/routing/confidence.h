// What a cascade goes by: how sure it may be of small's answer. Some read it off the answer's
// tokens (token_confidence.h, learned_confidence.h), others ask a model (asked_confidence.h).
#pragma once

#include <memory>
#include <string>

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

/// One token's own value, the larger the surer.
using OfToken = double (*)(const AnswerToken& token);

/// Shared by all turns of its plan: safe to use from any thread.
class Confidence {
 public:
  /// Of the thresholds from which on small's answer stands.
  struct Scale {
    double least = 0;
    double most = 1;
    double usual = 0.5;  // where the plan says nothing
  };

  virtual ~Confidence() = default;
  /// For receipts: "mean log-prob".
  virtual const std::string& words() const = 0;
  virtual Scale scale() const { return {}; }
  /// Alternatives with log-probabilities that each token of the answer must carry.
  virtual int alternatives() const { return 0; }
  /// Where an answer is as sure as its least sure token: that token's value. Null: it is not.
  virtual OfToken least_of() const { return nullptr; }
  /// The larger the surer; NaN is not sure at all. What is asked for it costs steps in the receipt
  /// of `turn`, with the role "sample" or "verify". An error says why it cannot be told. `request`
  /// and `answer` must stay until it resumes; `answer` says something.
  virtual awaitable<Result<double>> of(const Request& request, const Answer& answer,
                                       Turn& turn) const = 0;
};

/// A score as a probability, 0 to 1, for those that are none: e to the power of a log-probability
/// or of a minus entropy.
double as_probability(const Confidence& confidence, double score);

/// The one that `confidence` names, with its own options. `small` is who answers.
Result<std::unique_ptr<Confidence>> build_confidence(Options& options, const AnswererPtr& small);

}  // namespace lichen::mechanisms
