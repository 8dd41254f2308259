#include "mechanisms/routing/example_router.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <utility>

namespace lichen::mechanisms {

Result<ExampleRouter> ExampleRouter::open(const RouterFile& file) {
  if (file.kind == RouterKind::prefill) {
    auto model = make_prefill_model(file);
    if (!model) return std::unexpected(model.error());
    return ExampleRouter(*std::move(model));
  }
  auto router = make_text_router(file);
  if (!router) return std::unexpected(router.error());
  return ExampleRouter(*std::move(router));
}

Result<double> ExampleRouter::need(const Example& example) const {
  if (const auto* text = std::get_if<std::unique_ptr<TextRouter>>(&router_)) {
    return (*text)->need(example.prompt);
  }
  const auto& model = std::get<PrefillModel>(router_);
  if (example.features.size() != model.width()) {
    return fail(Errc::bad_request,
                fmt::format("the data has {} features of each prompt, and the router reads {}",
                            example.features.size(), model.width()));
  }
  const double need = model.need(example.features);
  if (std::isfinite(need)) return need;
  return fail(Errc::bad_request, "the data has a feature that is no number");
}

}  // namespace lichen::mechanisms
