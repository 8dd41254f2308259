// A trained router of any kind, as it is asked about recorded examples: text routers look at the
// prompt, `prefill` and `knn` of an embedder at the features.
#pragma once

#include <memory>
#include <variant>

#include "lichen/result.h"
#include "mechanisms/routing/embedding_knn.h"
#include "mechanisms/routing/prefill_model.h"
#include "mechanisms/routing/router_training.h"
#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {

/// Safe to use from any thread.
class ExampleRouter {
 public:
  /// `bad_model` says what in the file does not fit.
  static Result<ExampleRouter> open(const RouterFile& file);

  /// As TextRouter::need. `bad_request` where the example has not the features that are read.
  Result<double> need(const Example& example) const;

 private:
  using Any = std::variant<std::unique_ptr<TextRouter>, PrefillModel, EmbeddingKnn>;
  explicit ExampleRouter(Any router) : router_(std::move(router)) {}

  Any router_;
};

}  // namespace lichen::mechanisms
