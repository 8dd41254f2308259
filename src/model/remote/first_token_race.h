// Streams that race for the first token: all but the first one to write are stopped.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "model/remote/remote_call.h"
#include "model/remote/remote_stream.h"

namespace lichen::model {

/// Runs on one strand; whoever starts it awaits `finish` before it goes.
class FirstTokenRace {
 public:
  struct Runner {
    std::unique_ptr<RemoteCall> call;
    std::unique_ptr<RemoteStream> stream;
    std::optional<RemoteStream::Outcome> outcome = {};  // of opening the stream; none: still at it
  };
  using RunnerPtr = std::shared_ptr<Runner>;

  explicit FirstTokenRace(const boost::asio::any_io_executor& strand) : wake_(strand) {}

  void start(RunnerPtr runner, OpenAiRequest request);
  /// Waits until one more has come in, well or not, or until then.
  awaitable<void> wait_until(Clock::time_point then);
  /// Waits until one has begun to write or all have failed, then stops the others and waits until
  /// they have ended. Brings back the winner, or nothing.
  awaitable<RunnerPtr> finish();

 private:
  RunnerPtr winner() const;
  std::size_t running() const;

  boost::asio::steady_timer wake_;
  std::vector<RunnerPtr> runners_;
};

}  // namespace lichen::model
