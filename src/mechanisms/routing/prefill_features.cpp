#include "mechanisms/routing/prefill_features.h"

#include <cmath>
#include <utility>

namespace lichen::mechanisms {

Want prefill_look() { return {.top_k = 2, .entropy = true, .hidden = true}; }

std::vector<float> prefill_features(const model::Reading& reading) {
  const Row& row = reading.row();
  const float likeliest = row.top.empty() ? 0 : row.top[0].logprob;
  const float margin = row.top.size() < 2 ? 0 : likeliest - row.top[1].logprob;
  const auto length = static_cast<float>(reading.prompt_tokens());
  std::vector<float> features{std::log1p(length), likeliest, margin, row.entropy};
  features.insert(features.end(), row.hidden.begin(), row.hidden.end());
  return features;
}

awaitable<Result<std::vector<float>>> read_prefill_features(
    std::shared_ptr<model::LocalModel> small, Request request, Turn& turn) {
  const auto reading = co_await small->read(std::move(request), turn, "route", prefill_look());
  if (!reading) co_return std::unexpected(reading.error());
  co_return prefill_features(*reading);
}

}  // namespace lichen::mechanisms
