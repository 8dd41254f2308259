// Work that goes on after its request has been answered (`Turn::later`), on a thread of its own and
// on the lanes behind all that somebody waits for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "lichen/turn.h"

namespace lichen::policy {

/// Safe to use from any thread.
class Background {
 public:
  /// Called for each piece of work at its end, with its receipt complete but for time and error.
  using Record = std::function<void(Turn& turn, const std::optional<Error>& error)>;

  explicit Background(Record record);
  /// Cancels what is running and waits for it; not for long, since a connection whose thread has
  /// ended never answers.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Runs `work` on a new turn of that plan. Forgotten, with a debug line in the log, while there
  /// is as much already as may wait.
  void start(std::string plan, Turn::Later work);
  /// Blocks until nothing is running, or `give_up` says so.
  void settle(std::stop_token give_up = {});

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace lichen::policy
