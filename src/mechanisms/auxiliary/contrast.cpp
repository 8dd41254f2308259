#include "mechanisms/auxiliary/contrast.h"

#include <utility>

#include "mechanisms/auxiliary/logit_rules.h"
#include "mechanisms/in_step.h"
#include "mechanisms/without_logits.h"

namespace lichen::mechanisms {
namespace {

constexpr double kMostStrength = 10;

Result<AnswererPtr> build(Options& options, std::string mechanism,
                          std::span<const std::string_view> keys, RowRule rule) {
  auto models = read_models_in_step(options, mechanism, keys);
  if (!models) return std::unexpected(models.error());
  if (!*models) return without_logits(std::move(mechanism), std::string(keys.front()));
  return make_in_step(
      {.mechanism = std::move(mechanism), .models = **std::move(models), .rule = std::move(rule)});
}

}  // namespace

Result<AnswererPtr> build_contrast(Options& options) {
  static constexpr std::string_view kKeys[] = {"large", "amateur"};
  const Result<double> alpha = options.number("alpha", 0.1, 1e-6, 1);
  if (!alpha) return std::unexpected(alpha.error());
  const Result<double> beta = options.number("beta", 0.5, 0, kMostStrength);
  if (!beta) return std::unexpected(beta.error());
  return build(options, "contrast", kKeys,
               [alpha = *alpha, beta = *beta](std::span<const std::span<const float>> rows,
                                              std::vector<float>& out) {
                 contrast(rows[0], rows[1], alpha, beta, out);
                 return Result<void>{};
               });
}

Result<AnswererPtr> build_proxy_tune(Options& options) {
  static constexpr std::string_view kKeys[] = {"large", "tuned", "base"};
  const Result<double> strength = options.number("strength", 1, 0, kMostStrength);
  if (!strength) return std::unexpected(strength.error());
  return build(options, "proxy_tune", kKeys,
               [strength = *strength](std::span<const std::span<const float>> rows,
                                      std::vector<float>& out) {
                 proxy_tune(rows[0], rows[1], rows[2], strength, out);
                 return Result<void>{};
               });
}

}  // namespace lichen::mechanisms
