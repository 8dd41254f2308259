#include "mechanisms/routing/length_router.h"

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <string_view>

#include "base/utf8.h"
#include "mechanisms/routing/question.h"

namespace lichen::mechanisms {
namespace {

constexpr double kDefaultThreshold = 400;
constexpr double kMaxThreshold = 10'000'000;

class LengthRouter : public Router {
 public:
  explicit LengthRouter(double threshold) : threshold_(threshold) {}

  awaitable<Result<Need>> need(Request request, Turn& /*turn*/) override {
    const std::int64_t count = base::count_characters(question(request));
    const double length = static_cast<double>(count);
    // Half at the threshold, towards 1 with growing length.
    co_return Need{.score = length / (length + threshold_),
                   .reason = fmt::format("{} characters, threshold {:.0f}", count, threshold_)};
  }

 private:
  const double threshold_;
};

}  // namespace

Result<Routing> build_length_router(Options& options) {
  Result<double> threshold = options.number("threshold", kDefaultThreshold, 1, kMaxThreshold);
  if (!threshold) return std::unexpected(threshold.error());
  return Routing{.router = std::make_unique<LengthRouter>(*threshold), .threshold = 0.5};
}

}  // namespace lichen::mechanisms
