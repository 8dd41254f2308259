#include "eval/recorded_data.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <optional>

#include "mechanisms/routing/text_features.h"

namespace lichen::eval {
namespace {

constexpr double kRight = 0.5;

struct Answered {
  std::string prompt;
  std::optional<bool> small_right = {};
  std::optional<bool> large_right = {};
};

}  // namespace

Result<RouteData> recorded_route_data(const ledger::Ledger& ledger, const std::string& small,
                                      const std::string& large, const std::string& origin) {
  if (small == large) {
    return fail(Errc::bad_request, "small and large must be two plans or models");
  }
  const auto rated = ledger.rated_prompts();
  if (!rated) return std::unexpected(rated.error());
  std::map<std::string, Answered> prompts;  // by normalized prompt, so their order is always one
  std::size_t by_small = 0, by_large = 0;
  for (const auto& [plan, prompt, score] : *rated) {
    const std::string key = mechanisms::normalized(prompt);
    if (key.empty() || (plan != small && plan != large)) continue;
    Answered& answered = prompts.try_emplace(key, Answered{.prompt = prompt}).first->second;
    (plan == small ? answered.small_right : answered.large_right) = score >= kRight;
    ++(plan == small ? by_small : by_large);
  }
  std::string jsonl;
  for (const auto& [key, answered] : prompts) {
    if (!answered.small_right || !answered.large_right) continue;
    jsonl += boost::json::serialize(boost::json::object{{"prompt", answered.prompt},
                                                        {"small_correct", *answered.small_right},
                                                        {"large_correct", *answered.large_right}});
    jsonl += '\n';
  }
  if (jsonl.empty()) {
    return fail(
        Errc::bad_request,
        fmt::format("{}: no recorded prompt has feedback for both: {} answers of `{}` have, "
                    "and {} of `{}`; `ledger: {{record: [{}, {}]}}` records prompts",
                    origin, by_small, small, by_large, large, small, large));
  }
  return parse_route_data(jsonl, origin);
}

}  // namespace lichen::eval
