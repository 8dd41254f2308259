// Who sends a request, by the key in its header, and what that lets him do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serving/api_key.h"
#include "serving/exchange.h"
#include "serving/key_ring.h"

namespace lichen::serving {

/// What a route asks of its caller.
enum class Right : std::uint8_t {
  none,      // anybody
  answers,   // may ask the plans and models that its key names
  operates,  // sees what all of them do
  admin,     // makes and changes keys
};

/// Somebody who was let in.
struct Caller {
  Right right = Right::operates;
  KeyPtr key = nullptr;  // null: not with a virtual key

  /// The id of the virtual key; empty without one.
  std::string key_id() const { return key ? key->id : std::string(); }
  bool may_ask(std::string_view plan) const;
};

struct AccessOptions {
  std::optional<ApiKey> key = {};    // opens all but the administration
  std::optional<ApiKey> admin = {};  // opens all
  bool keys = false;                 // virtual keys open what they name
};

/// Where no kind of key is asked for, everybody may do all but administer.
class Access {
 public:
  /// `ring` is null without virtual keys, and outlives this.
  Access(AccessOptions options, const KeyRing* ring);

  /// `unauthorized`: no key, or one that opens nothing.
  Result<Caller> identify(const HttpRequest& header) const;
  bool administers() const { return options_.admin.has_value(); }

 private:
  const AccessOptions options_;
  const KeyRing* const ring_;
};

}  // namespace lichen::serving
