#include "serving/access.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace lichen::serving {
namespace {

constexpr const char* kAnthropicKey = "x-api-key";

/// What stands behind "Bearer ", or in Anthropic's header; nothing where neither is there.
std::optional<std::string_view> given_key(const HttpRequest& header) {
  if (const auto key = header.find(kAnthropicKey); key != header.end()) return key->value();
  const auto field = header.find(boost::beast::http::field::authorization);
  if (field == header.end()) return std::nullopt;
  static constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value = field->value();
  if (!boost::beast::iequals(value.substr(0, kScheme.size()), kScheme)) return "";
  return value.substr(kScheme.size());
}

}  // namespace

bool Caller::may_ask(std::string_view plan) const {
  if (!key || key->limits.plans.empty()) return true;
  return std::ranges::find(key->limits.plans, plan) != key->limits.plans.end();
}

Access::Access(AccessOptions options, const KeyRing* ring)
    : options_(std::move(options)), ring_(ring) {}

Result<Caller> Access::identify(const HttpRequest& header) const {
  const auto given = given_key(header);
  if (given && options_.admin && options_.admin->is(*given)) return Caller{.right = Right::admin};
  if (given && options_.key && options_.key->is(*given)) return Caller{.right = Right::operates};
  if (given && options_.keys && ring_ != nullptr) {
    if (KeyPtr key = ring_->find(*given)) {
      return Caller{.right = Right::answers, .key = std::move(key)};
    }
  }
  if (!options_.key && !options_.keys) return Caller{.right = Right::operates};
  return fail(Errc::unauthorized,
              given ? "the API key is not right, or not valid any more"
                    : "this server needs an API key: Authorization: Bearer KEY, or x-api-key: KEY");
}

}  // namespace lichen::serving
