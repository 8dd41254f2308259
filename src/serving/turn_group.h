// The turns of one request, side by side, and the bounded channel through which they answer.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lichen/runtime.h"

namespace lichen::serving {

/// A piece of a choice's answer, or its end.
struct TurnEvent {
  std::size_t choice = 0;
  std::variant<Piece, Result<Answer>> what = {};
};

struct TurnOptions {
  std::string plan;
  std::size_t choices = 1;
  std::optional<Clock::time_point> deadline = {};
  Priority priority = Priority::interactive;
  bool fresh = false;  // see Turn::fresh
  bool stream = false;
  std::string key = {};  // see Receipt::key
};

/// Belongs to the coroutine that answers the request, on its thread. That coroutine takes events
/// until `finished`; only then may the group go. A reader that is slow fills the channel and so
/// holds back these turns and no others; nothing is dropped.
class TurnGroup {
 public:
  TurnGroup(Runtime& runtime, boost::asio::any_io_executor home, const TurnOptions& options);
  TurnGroup(const TurnGroup&) = delete;
  TurnGroup& operator=(const TurnGroup&) = delete;

  /// One request for each choice.
  void start(std::vector<Request> requests);
  awaitable<TurnEvent> next();
  /// An event that is already there.
  std::optional<TurnEvent> try_next();
  /// Takes all events up to the last result.
  awaitable<void> drain();
  /// The results of all turns that were started have been taken.
  bool finished() const { return unfinished_ == 0; }
  /// Stops all turns; their results still arrive. Before or after `start`.
  void cancel(const Error& why);

  /// Read it before `start` and when finished; between, it belongs to the turn.
  const Receipt& receipt(std::size_t choice) const { return lines_[choice]->turn.receipt; }
  std::size_t size() const { return lines_.size(); }

 private:
  using Channel =
      boost::asio::experimental::concurrent_channel<boost::asio::any_io_executor,
                                                    void(boost::system::error_code, TurnEvent)>;

  /// Where a turn's pieces go. Called on whatever thread generates.
  class ChannelSink final : public Sink {
   public:
    ChannelSink(TurnGroup& group, std::size_t choice) : group_(group), choice_(choice) {}
    awaitable<bool> write(Piece piece) override;

   private:
    TurnGroup& group_;
    const std::size_t choice_;
  };

  struct Line {
    Line(TurnGroup& group, std::size_t choice, const std::string& plan, bool stream)
        : sink(group, choice), turn(plan, stream ? &sink : nullptr) {}
    ChannelSink sink;
    Turn turn;
  };

  awaitable<void> run(std::size_t choice, Request request);
  TurnEvent took(TurnEvent event);

  Runtime& runtime_;
  const boost::asio::any_io_executor home_;
  Channel channel_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::size_t unfinished_ = 0;  // turns that were started and have no result yet
  std::atomic<bool> gone_ = false;
};

}  // namespace lichen::serving
