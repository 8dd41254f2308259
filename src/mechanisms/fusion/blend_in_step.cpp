#include "mechanisms/fusion/blend_in_step.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "mechanisms/in_step.h"
#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

using Rows = std::span<const std::span<const float>>;

Result<void> check(Rows rows, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::ranges::any_of(rows[i], [](float logit) { return std::isnan(logit); })) {
      return fail(Errc::bad_model, "`" + names[i] + "` computes logits that are NaN");
    }
  }
  return {};
}

/// The blend keeps the first model's norm, so that penalties, which go by logits, do to it what
/// they do to that model alone.
Result<void> blend_row(Rows rows, const BlendOptions& options, std::vector<float>& out) {
  std::vector<double> norms, entropies;
  for (const std::span<const float> row : rows) {
    norms.push_back(model::log_sum_exp(row));
    if (options.by_confidence) entropies.push_back(model::entropy(row, norms.back()));
  }
  const std::vector<double> weights = blend_weights(options.weights, entropies);
  std::vector<Voice> voices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    voices.push_back({.logits = rows[i], .norm = norms[i], .weight = weights[i]});
  }
  blend(options.rule, voices, out);
  for (float& logit : out) logit += static_cast<float>(norms.front());
  if (std::isfinite(model::log_sum_exp(out))) return {};
  return fail(Errc::bad_model, "the models have no possible token in common");
}

}  // namespace

AnswererPtr make_blend_in_step(std::vector<std::shared_ptr<model::LocalModel>> models,
                               const BlendOptions& options) {
  std::vector<std::string> names;
  for (const auto& model : models) names.push_back(model->name());
  return make_in_step(
      {.mechanism = "blend",
       .models = std::move(models),
       .rule = [names, options](Rows rows, std::vector<float>& out) -> Result<void> {
         if (Result<void> good = check(rows, names); !good) return good;
         if (rows.size() == names.size()) return blend_row(rows, options, out);
         out.assign(rows.front().begin(), rows.front().end());
         return {};
       },
       .gate = options.gate,
       .voices = true});
}

}  // namespace lichen::mechanisms
