// Several local models read one answer in step, and each of its tokens is chosen from a row that is
// made of all their rows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/mechanism.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Makes a row of logits of those of the models, in their order: of all of them, or of the first
/// alone where the others were not asked. Its error becomes the answer's.
using RowRule = std::function<Result<void>(std::span<const std::span<const float>> rows,
                                           std::vector<float>& out)>;

/// The models of a plan that go in step: the values of `keys`, local ones, of one vocabulary and on
/// one lane. An error of the plan where they are not; none where their plan is only being checked,
/// or they are an embedding program's own.
Result<std::optional<std::vector<std::shared_ptr<model::LocalModel>>>> read_models_in_step(
    Options& options, std::string_view mechanism, std::span<const std::string_view> keys);

struct InStepOptions {
  std::string mechanism;  // its name, and the role of the others' steps
  /// The first model is the one that answers: its chat form, its sampling, its name as the author;
  /// the others are told the same in their own forms.
  std::vector<std::shared_ptr<model::LocalModel>> models;
  RowRule rule;
  /// The others are asked only where the first one's distribution has more than this entropy, in
  /// nats; they then read in one pass what they have not read yet. None: at every token.
  std::optional<double> gate = {};
  /// Whether the others have a say of their own: then their steps' `tokens_out` are the tokens at
  /// which they were asked, and the receipt has a decision that says how many these were.
  bool voices = false;
};

/// Log-probabilities are those of the row that was made.
AnswererPtr make_in_step(InStepOptions options);

/// How often the others had a say, for a receipt.
Decision asked_decision(const std::string& mechanism, const std::string& first,
                        std::optional<double> gate, std::int64_t asked, std::int64_t tokens);

}  // namespace lichen::mechanisms
