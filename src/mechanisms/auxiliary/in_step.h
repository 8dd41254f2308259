// Several local models read one answer in step, and each of its tokens is chosen from a row that is
// made of all their rows.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/mechanism.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Makes a row of logits of those of the models, in their order.
using RowRule =
    std::function<void(std::span<const std::span<const float>> rows, std::vector<float>& out)>;

/// The models of a plan that go in step: the values of `keys`, local ones, of one vocabulary and on
/// one lane. An error of the plan where they are not; none where their plan is only being checked,
/// or they are an embedding program's own.
Result<std::optional<std::vector<std::shared_ptr<model::LocalModel>>>> read_models_in_step(
    Options& options, std::string_view mechanism, std::span<const std::string_view> keys);

/// The first model is the one that answers: its chat form, its sampling, its name as the author;
/// the others are told the same in their own forms. Log-probabilities are those of the row that was
/// made.
AnswererPtr make_in_step(std::string mechanism,
                         std::vector<std::shared_ptr<model::LocalModel>> models, RowRule rule);

}  // namespace lichen::mechanisms
