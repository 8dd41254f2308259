// How many connections each client address has.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace lichen::serving {

/// IPv6 addresses count by their first 64 bits: a subscriber has all the others. Safe to use from
/// any thread.
class AddressCount {
 private:
  using Prefix = std::pair<bool, std::uint64_t>;  // whether it is IPv6
  struct State {
    std::mutex mutex;
    std::map<Prefix, int> counts;  // guarded by mutex; only those above 0
  };

 public:
  /// One of an address' places, given back when this goes; may outlive the count.
  class Place {
   public:
    Place(std::shared_ptr<State> state, Prefix prefix)
        : state_(std::move(state)), prefix_(prefix) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    std::shared_ptr<State> state_;
    Prefix prefix_;
  };

  /// None where the address has `most` already; 0: there is no such limit.
  std::optional<Place> take(const boost::asio::ip::address& address, int most);

 private:
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace lichen::serving
