#include "mechanisms/routing/example_router.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <utility>

namespace lichen::mechanisms {
namespace {

Result<double> need_of(const auto& router, std::size_t width, const std::vector<float>& features) {
  if (features.size() != width) {
    return fail(Errc::bad_request,
                fmt::format("the data has {} features of each prompt, and the router reads {}",
                            features.size(), width));
  }
  const double need = router.need(features);
  if (std::isfinite(need)) return need;
  return fail(Errc::bad_request, "the data has a feature that is no number");
}

}  // namespace

Result<ExampleRouter> ExampleRouter::open(const RouterFile& file) {
  if (file.kind == RouterKind::prefill) {
    auto model = make_prefill_model(file);
    if (!model) return std::unexpected(model.error());
    return ExampleRouter(*std::move(model));
  }
  if (!file.origin.embedder_hash.empty()) {
    auto knn = EmbeddingKnn::open(file);
    if (!knn) return std::unexpected(knn.error());
    return ExampleRouter(*std::move(knn));
  }
  auto router = make_text_router(file);
  if (!router) return std::unexpected(router.error());
  return ExampleRouter(*std::move(router));
}

Result<double> ExampleRouter::need(const Example& example) const {
  if (const auto* text = std::get_if<std::unique_ptr<TextRouter>>(&router_)) {
    return (*text)->need(example.prompt);
  }
  if (const auto* knn = std::get_if<EmbeddingKnn>(&router_)) {
    return need_of(*knn, knn->width(), example.features);
  }
  const auto& model = std::get<PrefillModel>(router_);
  return need_of(model, model.width(), example.features);
}

}  // namespace lichen::mechanisms
