#include "mechanisms/plain_answerers.h"

#include <utility>

#include "mechanisms/policy/fallback.h"

namespace lichen::mechanisms {
namespace {

std::string name_of(const AnswererPtr& answerer, std::string_view key) {
  const auto* model = dynamic_cast<const Model*>(answerer.get());
  return model != nullptr ? model->name() : std::string(key);
}

}  // namespace

Result<PlainAnswerers> read_fallback(Options& options, std::string_view key,
                                     const AnswererPtr& first) {
  if (!options.has("fallback")) return PlainAnswerers{.fallback = nullptr, .plain = first};
  Result<AnswererPtr> fallback = options.operand("fallback");
  if (!fallback) return std::unexpected(fallback.error());
  AnswererPtr plain =
      make_fallback({{.name = name_of(first, key), .answerer = first},
                     {.name = name_of(*fallback, "fallback"), .answerer = *fallback}});
  return PlainAnswerers{.fallback = *std::move(fallback), .plain = std::move(plain)};
}

}  // namespace lichen::mechanisms
