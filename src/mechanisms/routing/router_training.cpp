#include "mechanisms/routing/router_training.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "mechanisms/routing/embedding_knn.h"
#include "mechanisms/routing/example_router.h"
#include "mechanisms/routing/knn_training.h"
#include "mechanisms/routing/linear_training.h"
#include "mechanisms/routing/mf_training.h"
#include "mechanisms/routing/prefill_training.h"
#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {
namespace {

constexpr int kThresholds = 200;

Result<void> check(std::span<const Example> examples) {
  if (examples.size() < kLeastExamples) {
    return fail(Errc::bad_request, fmt::format("{} prompts are too few to train on; {} is the "
                                               "least, and some thousands are wanted",
                                               examples.size(), kLeastExamples));
  }
  const auto only_large = std::ranges::count_if(
      examples, [](const Example& e) { return e.large_right && !e.small_right; });
  if (only_large > 0 && only_large < std::ssize(examples)) return {};
  return fail(Errc::bad_request,
              fmt::format("{} prompts are right by large alone: there is only one class, so no "
                          "router can be trained",
                          only_large == 0 ? "no" : "all"));
}

TrainingSet training_set(std::span<const Example> examples, const TrainingOptions& options) {
  std::vector<TextFeatures> features;
  features.reserve(examples.size());
  TrainingSet set{.examples = examples};
  for (const Example& example : examples) {
    features.push_back(text_features(example.prompt, options.features));
  }
  set.text = learn_text_weights(features, options.features);
  set.vectors.reserve(features.size());
  for (const TextFeatures& text : features) set.vectors.push_back(text_vector(text, set.text));
  return set;
}

void train_ensemble(RouterFile& file, const TrainingSet& set, const TrainingOptions& options) {
  constexpr double kLinearShare = 0.5;  // of the time
  TrainingOptions part = options;
  const auto progress_from = [&options](double from, double share) {
    return [&options, from, share](double done) {
      if (options.progress) options.progress(from + share * done);
    };
  };
  part.progress = progress_from(0, kLinearShare);
  add_linear_model(file, train_linear(set, part));
  part.progress = progress_from(kLinearShare, 1 - kLinearShare);
  add_mf_model(file, train_mf(set, part));
  train_knn(file, set, options);
}

/// The model of the options' kind, by its tables.
Result<void> add_trained(RouterFile& file, std::span<const Example> examples,
                         const TrainingOptions& options) {
  if (options.kind == RouterKind::prefill) {
    const auto model = train_prefill(examples, options);
    if (!model) return std::unexpected(model.error());
    add_prefill_model(file, *model);
    return {};
  }
  if (options.kind == RouterKind::knn && !options.embedder_hash.empty()) {
    file.origin.embedder_hash = options.embedder_hash;
    return train_embedding_knn(file, examples);
  }
  const TrainingSet set = training_set(examples, options);
  add_text_weights(file, set.text);
  switch (options.kind) {
    case RouterKind::linear: add_linear_model(file, train_linear(set, options)); break;
    case RouterKind::knn: train_knn(file, set, options); break;
    case RouterKind::mf: add_mf_model(file, train_mf(set, options)); break;
    case RouterKind::ensemble: train_ensemble(file, set, options); break;
    case RouterKind::prefill: break;  // above
  }
  return {};
}

}  // namespace

Result<RouterFile> train_router(std::span<const Example> examples, const TrainingOptions& options) {
  if (auto good = check(examples); !good) return std::unexpected(good.error());
  RouterFile file{
      .kind = options.kind,
      .origin = {.examples = static_cast<std::int64_t>(examples.size()), .seed = options.seed}};
  if (auto added = add_trained(file, examples, options); !added) {
    return std::unexpected(added.error());
  }
  if (options.stop.stop_requested()) return fail(Errc::cancelled, "training was interrupted");
  const auto router = ExampleRouter::open(file);
  if (!router) return std::unexpected(router.error());
  std::vector<double> needs;
  needs.reserve(examples.size());
  for (const Example& example : examples) {
    const auto need = router->need(example);
    if (!need) return std::unexpected(need.error());
    needs.push_back(*need);
  }
  file.thresholds = threshold_grid(std::move(needs), kThresholds);
  return file;
}

}  // namespace lichen::mechanisms
