// Which of a model's endpoints gets the next request.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "model/remote/circuit_breaker.h"
#include "model/remote/openai_error.h"
#include "model/remote_model.h"

namespace lichen::model {

/// What a request waits for first. Times are compared with others of the same kind only.
enum class Traffic : std::uint8_t { streamed, whole, embeddings };

struct UpstreamsOptions {
  BreakerOptions breaker = {};
  /// One whose share of errors is that much above the others' is an outlier and gets nothing for
  /// `ejection`; but never are more than half of all without traffic for it.
  double outlier_margin = 0.25;
  int outlier_requests = 20;  // that each side needs in the window
  std::chrono::milliseconds ejection{30'000};
  std::chrono::milliseconds longest_rest{60'000};  // Retry-After is kept to for so long at most
  /// Breakers that open because nobody can be reached wait for a probe (see UpstreamProbe).
  bool probed = false;
  std::function<Clock::time_point()> now = Clock::now;
  std::uint32_t seed = std::random_device{}();
};

/// The better of two drawn at random (Mitzenmacher, "The power of two choices in randomized load
/// balancing", 2001), by requests in progress times the average time to the first token. Passed
/// over are endpoints whose breaker is open, and for a while those that asked for a pause. One that
/// recovers gets its growing share before all others. Safe from any thread.
class Upstreams {
 public:
  struct Named {
    std::string name;
    double weight = 1;  // above 0; twice as much: takes twice the load
  };
  Upstreams(std::vector<Named> named, UpstreamsOptions options = {});
  ~Upstreams();

  /// A request at an upstream, from before it is sent until its last byte. Told how it went; one
  /// that is destroyed untold says nothing about the upstream. Movable.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept { *this = std::move(other); }
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { end(); }

    explicit operator bool() const { return from_ != nullptr; }
    std::size_t index() const { return index_; }

    /// The first token has come, after so long.
    void answering(Clock::duration after);
    /// It has not come for so long, and is not waited for any more, since another that was asked
    /// later has sent one. A slow upstream is asked less for that; one that was to show that it
    /// has recovered, has not.
    void late(Clock::duration after);
    void succeeded();
    /// `Fault::none` says nothing about the upstream. `why`: for those who find none to ask.
    void failed(const Failure& failure);

   private:
    friend class Upstreams;
    void end();

    Upstreams* from_ = nullptr;
    std::size_t index_ = 0;
    Traffic traffic_ = Traffic::streamed;
    CircuitBreaker::Ticket ticket_ = {};
  };

  /// One for a request that has asked those in `tried` (by index) in vain: they are taken again
  /// only where no other can be. An error where none can: `rate_limited` where all asked for a long
  /// pause, else `upstream`; with the seconds after which one can be asked again, where known.
  Result<Lease> pick(Traffic traffic, const std::vector<std::size_t>& tried);
  /// Whether there is one that is not in `tried` and would be picked.
  bool another(const std::vector<std::size_t>& tried) const;

  /// Called, on the thread of the request, for each one that begins to wait for a probe.
  void on_unreachable(std::function<void(std::size_t index)> call) { unreachable_ = call; }
  /// The probe has reached it.
  void reachable(std::size_t index);

  std::size_t size() const;
  std::vector<UpstreamState> states() const;

 private:
  struct Member;
  struct Shared;

  void answering(const Lease& lease, Clock::duration after);
  void late(const Lease& lease, Clock::duration after);
  void succeeded(const Lease& lease);
  void failed(const Lease& lease, const Failure& failure);
  void give_back(const Lease& lease);

  const UpstreamsOptions options_;
  const std::unique_ptr<Shared> shared_;
  std::function<void(std::size_t)> unreachable_;  // set before the first request
};

}  // namespace lichen::model
