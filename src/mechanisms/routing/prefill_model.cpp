#include "mechanisms/routing/prefill_model.h"

#include <cassert>
#include <cmath>
#include <utility>

#include "mechanisms/routing/prefill_features.h"

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kHeads = 2;

/// `weights` has the bias at its end.
double affine(std::span<const float> weights, std::span<const float> x) {
  double z = weights.back();
  for (std::size_t i = 0; i < x.size(); ++i) z += static_cast<double>(weights[i]) * x[i];
  return z;
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

double PrefillModel::need(std::span<const float> features) const {
  assert(features.size() == width());
  std::vector<float> x(width());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (features[i] - mean[i]) * scale[i];
  if (units > 0) {
    std::vector<float> hidden(units);
    for (std::size_t unit = 0; unit < units; ++unit) {
      const auto weights = std::span(inner).subspan(unit * (x.size() + 1), x.size() + 1);
      hidden[unit] = static_cast<float>(std::tanh(affine(weights, x)));
    }
    x = std::move(hidden);
  }
  const auto head = [&](std::size_t number) {
    return sigmoid(affine(std::span(outer).subspan(number * (x.size() + 1), x.size() + 1), x));
  };
  return (1 + head(0) - head(1)) / 2;
}

Result<PrefillModel> make_prefill_model(const RouterFile& file) {
  if (file.prefill.schema != kPrefillSchema) {
    return fail(Errc::bad_model, "reads features of the schema `" + file.prefill.schema +
                                     "`, and this program makes those of `" +
                                     std::string(kPrefillSchema) + "`; train it anew");
  }
  PrefillModel model{.units = file.prefill.units};
  const std::size_t width = file.prefill.width;
  const std::size_t inputs = model.units > 0 ? model.units : width;
  struct Wanted {
    const char* name;
    std::size_t count;
    std::vector<float> PrefillModel::* member;
  };
  const Wanted tables[] = {{"mean", width, &PrefillModel::mean},
                           {"scale", width, &PrefillModel::scale},
                           {"inner", model.units * (width + 1), &PrefillModel::inner},
                           {"outer", kHeads * (inputs + 1), &PrefillModel::outer}};
  for (const auto& [name, count, member] : tables) {
    auto values = file.values(name, count);
    if (!values) return std::unexpected(values.error());
    model.*member = *std::move(values);
  }
  return model;
}

void add_prefill_model(RouterFile& file, const PrefillModel& model) {
  file.prefill = {
      .schema = std::string(kPrefillSchema), .width = model.width(), .units = model.units};
  file.tables.push_back({.name = "mean", .values = model.mean});
  file.tables.push_back({.name = "scale", .values = model.scale});
  file.tables.push_back({.name = "inner", .values = model.inner});
  file.tables.push_back({.name = "outer", .values = model.outer});
}

}  // namespace lichen::mechanisms
