// One answer of `expand`: the outline, its points side by side, and the stream in their order.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/pipeline/joined_answer.h"
#include "mechanisms/pipeline/outline.h"
#include "mechanisms/pipeline/signal.h"

namespace lichen::mechanisms {

struct ExpansionOptions {
  AnswererPtr outline;
  AnswererPtr by;
  AnswererPtr fallback;  // may be null
  double accept = 0;     // least probability of a token of the outline; 0: any
  int points = 0;        // at most
  int outline_tokens = 0;
  int point_tokens = 0;
  bool early = false;  // a point is begun when its line is complete, not when the outline is
};

/// Used once, by one coroutine. Options and turn must outlive it.
class Expansion {
 public:
  /// All of its coroutines run on `strand`.
  Expansion(const ExpansionOptions& options, Request request, Turn& turn,
            boost::asio::any_io_executor strand);
  ~Expansion();

  /// Writes the answer. Nothing of it has been emitted where there is no outline: then the value is
  /// none, and the receipt has the decision "plain" with the reason. An error is that of the
  /// outline (see `outlined`) or of a point.
  awaitable<Result<std::optional<Answer>>> answer();
  /// Whether the model that outlines has done so, be it badly.
  bool outlined() const { return !outline_failure_; }

 private:
  struct Attempt;
  struct Point;
  class OutlineSink;

  awaitable<void> run();
  awaitable<void> write_outline();
  awaitable<bool> take(std::string text);
  Result<void> whole_outline(const Answer& said);
  awaitable<void> write_point(std::size_t index);
  awaitable<void> pass_on_all();
  awaitable<Result<void>> pass_on(std::size_t index);
  Result<Request> outline_request() const;
  Result<Request> point_request(std::size_t index) const;
  Error failed(std::size_t index, const Error& error) const;
  void stop();
  void absorb_all();
  awaitable<Result<std::optional<Answer>>> finish();

  const ExpansionOptions& options_;
  const Request request_;
  Turn& turn_;
  const boost::asio::any_io_executor strand_;

  Outline outline_;
  std::size_t outline_read_ = 0;               // bytes
  std::optional<Error> unsuitable_ = {};       // this is no outline
  std::optional<Error> outline_failure_ = {};  // there is none
  std::unique_ptr<OutlineSink> outline_sink_;
  std::unique_ptr<Turn> outline_turn_;
  Signal outline_over_;

  JoinedAnswer joined_;
  const std::unique_ptr<Turn> joint_;  // its sink is `joined_`
  std::vector<std::unique_ptr<Point>> points_;
  std::optional<Error> failure_ = {};  // of a point
  bool stopped_ = false;
};

}  // namespace lichen::mechanisms
