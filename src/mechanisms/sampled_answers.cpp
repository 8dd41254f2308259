#include "mechanisms/sampled_answers.h"

#include <utility>

#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

awaitable<void> draw_one(AnswererPtr from, Request request, SampledAnswer& sample) {
  sample.answer = co_await from->answer(std::move(request), *sample.turn);
}

}  // namespace

Request sampled(Request request, float temperature, int index) {
  request.sampling.temperature = temperature;
  // Any seed may be the first: those behind it go on at the other end.
  const auto seed = static_cast<std::uint64_t>(request.sampling.seed.value_or(0));
  request.sampling.seed = static_cast<std::int64_t>(seed + static_cast<std::uint64_t>(index));
  return request;
}

awaitable<std::vector<SampledAnswer>> draw(std::vector<Asking> asked, Turn& turn) {
  std::vector<SampledAnswer> samples(asked.size());
  std::vector<awaitable<void>> draws;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].turn = turn.child();
    draws.push_back(draw_one(std::move(asked[i].from), std::move(asked[i].request), samples[i]));
  }
  co_await side_by_side(std::move(draws));
  co_return samples;
}

awaitable<std::vector<SampledAnswer>> draw(AnswererPtr from, std::vector<Request> requests,
                                           Turn& turn) {
  std::vector<Asking> asked;
  for (Request& request : requests) asked.push_back({.from = from, .request = std::move(request)});
  co_return co_await draw(std::move(asked), turn);
}

}  // namespace lichen::mechanisms
