#include "mechanisms/pipeline/expansion.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <string_view>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/held_back.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {

namespace asio = boost::asio;

/// One answerer's writing of a point, held back until those before it are out.
struct Expansion::Attempt {
  Attempt(Turn& joint, const asio::any_io_executor& strand) : held(joint), over(strand) {}

  HeldBack held;
  std::unique_ptr<Turn> turn = {};  // null: it was not begun
  Result<Answer> answer = fail(Errc::internal, "not asked");
  Signal over;
  bool used = false;
  bool cancelled = false;
};

/// By the one who writes points, and by the fallback where that fails.
struct Expansion::Point {
  Point(Turn& joint, const asio::any_io_executor& strand)
      : known(strand), attempts{Attempt(joint, strand), Attempt(joint, strand)} {}

  Signal known;  // or it is known that there is no such point
  std::array<Attempt, 2> attempts;
};

/// Reads the outline while it is written, on whatever thread that is.
class Expansion::OutlineSink : public Sink {
 public:
  explicit OutlineSink(Expansion& of) : of_(of) {}

  awaitable<bool> write(Piece piece) override {
    if (!of_.options_.early) co_return co_await of_.take(std::move(piece.text));
    co_return co_await asio::co_spawn(of_.strand_, of_.take(std::move(piece.text)),
                                      asio::use_awaitable);
  }

 private:
  Expansion& of_;
};

Expansion::Expansion(const ExpansionOptions& options, Request request, Turn& turn,
                     asio::any_io_executor strand)
    : options_(options),
      request_(std::move(request)),
      turn_(turn),
      strand_(std::move(strand)),
      outline_(static_cast<std::size_t>(options.points)),
      outline_sink_(std::make_unique<OutlineSink>(*this)),
      outline_turn_(turn.child(outline_sink_.get())),
      outline_over_(strand_),
      joined_(request_, turn),
      joint_(turn.child(&joined_)) {
  for (int i = 0; i < options.points; ++i) {
    points_.push_back(std::make_unique<Point>(*joint_, strand_));
  }
}

Expansion::~Expansion() = default;

awaitable<Result<std::optional<Answer>>> Expansion::answer() {
  co_await asio::co_spawn(strand_, run(), asio::use_awaitable);
  absorb_all();
  co_return co_await finish();
}

awaitable<void> Expansion::run() {
  std::vector<awaitable<void>> all;
  all.push_back(write_outline());
  for (std::size_t i = 0; i < points_.size(); ++i) all.push_back(write_point(i));
  all.push_back(pass_on_all());
  co_await side_by_side(std::move(all));
}

awaitable<void> Expansion::write_outline() {
  const Signal::AtEnd at_end(outline_over_);
  Result<Request> asked = outline_request();
  Result<Answer> said = std::unexpected(Error{});
  if (asked) {
    said = co_await options_.outline->answer(*std::move(asked), *outline_turn_);
  } else {
    said = std::unexpected(std::move(asked).error());
  }
  if (said && outline_read_ < said->text.size()) {  // it was not streamed
    co_await take(said->text.substr(outline_read_));
  }
  if (said && !unsuitable_) {
    const Result<void> whole = whole_outline(*said);
    if (!whole) unsuitable_ = whole.error();
  }
  if (!said && !unsuitable_) outline_failure_ = said.error();
  if (unsuitable_ || outline_failure_) stop();
  for (const auto& point : points_) point->known.set();
}

Result<void> Expansion::whole_outline(const Answer& said) {
  if (said.finish == Finish::length) {
    return fail(Errc::bad_request, "the outline was cut off at outline_tokens");
  }
  if (options_.accept > 0) {
    if (said.tokens.empty()) {
      return fail(Errc::bad_request, "the outline came without log-probabilities");
    }
    const float least = std::ranges::min(said.tokens, {}, &AnswerToken::logprob).logprob;
    const double probability = std::exp(static_cast<double>(least));
    if (probability < options_.accept) {
      return fail(Errc::bad_request,
                  fmt::format("the outline's least likely token has {:.3f}, under accept {:.4g}",
                              probability, options_.accept));
    }
  }
  return outline_.finish();
}

/// On the strand where a point may be begun early, for others look at the outline then.
awaitable<bool> Expansion::take(std::string text) {
  outline_read_ += text.size();
  const Result<void> taken = outline_.take(text);
  if (!taken) {
    unsuitable_ = taken.error();
  } else if (options_.early) {
    for (std::size_t i = 0; i < outline_.points().size(); ++i) points_[i]->known.set();
  }
  co_return taken.has_value();
}

awaitable<void> Expansion::write_point(std::size_t index) {
  Point& point = *points_[index];
  const Signal::AtEnd first_at_end(point.attempts[0].over);
  const Signal::AtEnd second_at_end(point.attempts[1].over);
  co_await point.known.wait();
  if (stopped_ || index >= outline_.points().size()) co_return;
  const Result<Request> asked = point_request(index);
  const std::array<AnswererPtr, 2> writers = {options_.by, options_.fallback};
  for (std::size_t i = 0; i < writers.size(); ++i) {
    Attempt& attempt = point.attempts[i];
    if (!asked) attempt.answer = std::unexpected(asked.error());
    if (!asked || stopped_ || writers[i] == nullptr) co_return;
    attempt.turn = turn_.child(turn_.streams() ? &attempt.held : nullptr);
    attempt.answer = co_await writers[i]->answer(*asked, *attempt.turn);
    if (attempt.answer && trimmed(attempt.answer->text).empty()) {
      attempt.answer = fail(Errc::upstream, "nothing was said");
    }
    attempt.cancelled = stopped_ && !attempt.answer;
    attempt.over.set();
    if (attempt.answer || is_final(attempt.answer.error(), turn_)) co_return;
  }
}

awaitable<void> Expansion::pass_on_all() {
  co_await outline_over_.wait();
  for (std::size_t i = 0; i < outline_.points().size() && !stopped_; ++i) {
    joined_.next_part();
    const Result<void> passed = co_await pass_on(i);
    if (!passed && !joined_.ended()) failure_ = failed(i, passed.error());
    if (!passed || joined_.ended()) stop();
  }
}

/// What was shown of an attempt stays, so nobody else can write that point then.
awaitable<Result<void>> Expansion::pass_on(std::size_t index) {
  Result<void> passed = {};
  for (Attempt& attempt : points_[index]->attempts) {
    const bool failed_unseen = attempt.over.is_set() && !attempt.answer;
    if (turn_.streams() && !failed_unseen) {
      passed = co_await attempt.held.release();
      if (!passed) co_return passed;
    }
    co_await attempt.over.wait();
    attempt.used = attempt.answer.has_value() || joined_.ended();
    if (attempt.answer && !turn_.streams()) {
      co_return co_await emit_whole(*attempt.answer, request_.logprobs, *joint_);
    }
    if (attempt.used) co_return Result<void>{};
    passed = std::unexpected(attempt.answer.error());
    const bool shown = !failed_unseen && attempt.turn && !attempt.turn->receipt.authors.empty();
    if (shown || options_.fallback == nullptr || is_final(passed.error(), turn_)) break;
  }
  co_return passed;
}

Result<Request> Expansion::outline_request() const {
  Result<std::string> text = render("outline", {{"question", question(request_)}});
  if (!text) return std::unexpected(std::move(text).error());
  Request asked = plain_request(request_);
  asked.max_tokens = options_.outline_tokens;
  asked.logprobs = options_.accept > 0;
  return reworded(std::move(asked), *std::move(text), "expand");
}

/// Stop strings and `max_tokens` are of the whole answer.
Result<Request> Expansion::point_request(std::size_t index) const {
  const std::string outline = outline_.text(options_.early ? index + 1 : outline_.points().size());
  Result<std::string> text = render("expand", {{"question", question(request_)},
                                               {"outline", outline},
                                               {"point", outline_.points()[index]}});
  if (!text) return std::unexpected(std::move(text).error());
  Request asked = request_;
  asked.stop.clear();
  asked.max_tokens =
      std::min(options_.point_tokens, request_.max_tokens.value_or(options_.point_tokens));
  return reworded(std::move(asked), *std::move(text), "expand");
}

Error Expansion::failed(std::size_t index, const Error& error) const {
  Error failure = error;
  failure.detail = fmt::format(
      "`expand`: point {} of {} (`{}`) failed, behind {} that are written: {}", index + 1,
      outline_.points().size(), outline_.points()[index], index, error.detail);
  return failure;
}

void Expansion::stop() {
  stopped_ = true;
  for (const auto& point : points_) {
    for (Attempt& attempt : point->attempts) {
      if (attempt.turn) attempt.turn->cancel(Errc::cancelled, "it is not needed any more");
    }
  }
}

void Expansion::absorb_all() {
  absorb_as(turn_, *outline_turn_, outline_failure_ ? "failed" : "outline");
  for (const auto& point : points_) {
    for (const Attempt& attempt : point->attempts) {
      if (!attempt.turn) continue;
      absorb_as(turn_, *attempt.turn,
                attempt.used        ? "answer"
                : attempt.answer    ? "unused"
                : attempt.cancelled ? "cancelled"
                                    : "failed");
    }
  }
}

awaitable<Result<std::optional<Answer>>> Expansion::finish() {
  if (std::optional<Error> ended = turn_.stopped()) co_return std::unexpected(*std::move(ended));
  const auto decide = [this](std::string choice, std::string reason) {
    turn_.receipt.decisions.push_back(
        {.mechanism = "expand", .choice = std::move(choice), .reason = std::move(reason)});
  };
  if (outline_failure_) {
    decide("none", fmt::format("the outline failed: {}: {}", to_string(outline_failure_->code),
                               outline_failure_->detail));
    co_return std::unexpected(*outline_failure_);
  }
  if (unsuitable_) {
    decide("plain", unsuitable_->detail);
    co_return std::nullopt;
  }
  if (failure_) {
    decide("none", fmt::format("{}: {}", to_string(failure_->code), failure_->detail));
    co_return std::unexpected(*failure_);
  }
  Result<Answer> answer = co_await joined_.finish();
  if (!answer) co_return std::unexpected(std::move(answer).error());
  int by_fallback = 0, cut_off = 0;
  for (const auto& point : points_) {
    for (const Attempt& attempt : point->attempts) {
      if (!attempt.used || !attempt.answer) continue;
      answer->prompt_tokens += attempt.answer->prompt_tokens;
      answer->cached_tokens += attempt.answer->cached_tokens;
      cut_off += attempt.answer->finish == Finish::length ? 1 : 0;
      by_fallback += &attempt == &point->attempts[1] ? 1 : 0;
    }
  }
  decide("points",
         fmt::format("{} points{}{}", outline_.points().size(),
                     by_fallback > 0 ? fmt::format(", {} by the fallback", by_fallback) : "",
                     cut_off > 0 ? fmt::format(", {} cut off at point_tokens", cut_off) : ""));
  co_return *std::move(answer);
}

}  // namespace lichen::mechanisms
