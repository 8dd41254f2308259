#include "serving/address_count.h"

namespace lichen::serving {

std::optional<AddressCount::Place> AddressCount::take(const boost::asio::ip::address& address,
                                                      int most) {
  Prefix prefix(address.is_v6(), 0);
  if (address.is_v4()) {
    prefix.second = address.to_v4().to_uint();
  } else {
    const auto bytes = address.to_v6().to_bytes();
    for (int i = 0; i < 8; ++i) prefix.second = prefix.second << 8 | bytes.at(i);
  }
  const std::lock_guard lock(state_->mutex);
  int& count = state_->counts[prefix];
  if (most > 0 && count >= most) return std::nullopt;
  ++count;
  return Place(state_, prefix);
}

AddressCount::Place::~Place() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->counts.find(prefix_);
  if (--found->second == 0) state_->counts.erase(found);
}

}  // namespace lichen::serving
