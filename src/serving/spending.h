// What a request with a virtual key has set aside of the key's allowances.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "ledger/allowances.h"
#include "lichen/receipt.h"
#include "lichen/request.h"

namespace lichen::serving {

/// What a request is expected to use at most.
struct Expected {
  std::int64_t tokens_in = 0;
  std::int64_t tokens_out = 0;
};
/// An estimate: 4 bytes a token, and 1,024 tokens for an answer that has no bound.
Expected expected_use(const std::vector<Request>& requests);
Expected expected_use(const std::vector<std::string>& texts);

/// Settled once, at the latest when it goes. Movable; an empty one does nothing.
class Spending {
 public:
  Spending() = default;
  /// `allowances` outlive it.
  Spending(ledger::Allowances& allowances, ledger::Reservation reservation)
      : allowances_(&allowances), reservation_(std::move(reservation)) {}
  Spending(Spending&& other) noexcept
      : allowances_(std::exchange(other.allowances_, nullptr)),
        reservation_(std::move(other.reservation_)),
        used_(other.used_) {}
  Spending& operator=(Spending&&) = delete;
  ~Spending() { settle(); }

  void add(const Receipt& receipt) { ledger::add(used_, receipt); }
  /// By what was added. Before the reply ends: the client may ask again at once.
  void settle() {
    if (auto* allowances = std::exchange(allowances_, nullptr)) {
      allowances->settle(reservation_, used_);
    }
  }

 private:
  ledger::Allowances* allowances_ = nullptr;
  ledger::Reservation reservation_;
  ledger::KeyUse used_;
};

}  // namespace lichen::serving
