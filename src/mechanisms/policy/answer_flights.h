// Requests that are the same and come while the first of them is being answered: the others wait
// for its answer.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/sha256.h"
#include "mechanisms/policy/answer_store.h"

namespace lichen::mechanisms {

/// How a first request ended, for those that wait for it.
struct Landed {
  StoredPtr answer = {};  // null: there is none that others could have
  /// Others would hardly fare better one after the other: each is to ask by itself.
  bool each_alone = false;
};

/// One request that is being answered, for all that are the same. Safe to use from any thread.
class Flight {
 public:
  explicit Flight(const base::Sha256& key) : key_(key) {}

  /// What the first one's reader takes its time over holds back nobody else (`stalled`).
  void begin_writing() { writing_since_ = Clock::now().time_since_epoch().count(); }
  void end_writing() { writing_since_ = 0; }

 private:
  friend class AnswerFlights;
  class Alarm;

  bool stalled() const;

  const base::Sha256 key_;
  std::atomic<Clock::rep> writing_since_ = 0;  // 0: it is not waiting for its reader

  std::mutex mutex_;
  // Guarded by mutex_
  std::optional<Landed> landed_;
  std::vector<std::shared_ptr<Alarm>> waiting_;
};

/// Safe to use from any thread. Whoever waits keeps no thread waiting.
class AnswerFlights {
 public:
  struct Place {
    std::shared_ptr<Flight> flight;
    bool first = false;  // and so has to answer, and to `land`
  };
  Place join(const base::Sha256& key);

  /// Wakes those who wait. The next one to `join` is first.
  void land(const std::shared_ptr<Flight>& flight, Landed landed);

  /// Until it has landed. Whoever is left without an answer, and not to ask alone, should `join`
  /// anew; so he should where the first one's reader is so slow that another is better off. The
  /// turn's own cancellation and deadline end it with their error.
  awaitable<Result<Landed>> wait(std::shared_ptr<Flight> flight, Turn& turn);

 private:
  void leave(const std::shared_ptr<Flight>& flight);

  std::mutex mutex_;
  std::map<base::Sha256, std::shared_ptr<Flight>> in_progress_;  // guarded by mutex_
};

}  // namespace lichen::mechanisms
