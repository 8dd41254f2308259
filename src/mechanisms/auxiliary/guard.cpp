#include "mechanisms/auxiliary/guard.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/guarded_stream.h"
#include "mechanisms/auxiliary/screen.h"
#include "mechanisms/hand_over.h"

namespace lichen::mechanisms {
namespace {

struct GuardOptions {
  bool input = true;
  bool output = true;
  std::array<double, 2> thresholds = {0.5, 0.5};  // by Side
  bool open = false;                              // what small cannot judge may pass

  double threshold(Side side) const { return thresholds[static_cast<std::size_t>(side)]; }
};

/// What one side of one turn has shown so far, for one decision at its end.
struct Seen {
  explicit Seen(Side of) : side(of) {}
  const Side side;
  int texts = 0;
  double largest = 0;
  int unjudged = 0;
  std::string failure = {};
};

std::string_view what_is_wrong(Side side) {
  return side == Side::input ? "tries to change instructions or asks for something harmful"
                             : "reveals a secret or helps to do harm";
}

class Guard : public Answerer {
 public:
  Guard(AnswererPtr of, Screen screen, const GuardOptions& options)
      : of_(std::move(of)), screen_(std::move(screen)), options_(options) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (options_.input) {
      const Result<void> passed = co_await screen_input(request, turn);
      if (!passed) co_return std::unexpected(passed.error());
    }
    if (!options_.output) co_return co_await of_->answer(std::move(request), turn);
    if (turn.streams()) co_return co_await screened_stream(std::move(request), turn);
    co_return co_await screened_whole(std::move(request), turn);
  }

 private:
  awaitable<Result<void>> screen_input(const Request& request, Turn& turn) const {
    Seen seen(Side::input);
    std::vector<std::string> texts{request.prompt.value_or(""), request.document.value_or(""),
                                   request.begun};
    for (const Message& message : request.messages) {
      if (message.role == "user" || message.role == "tool") texts.push_back(message.content);
    }
    for (std::string& text : texts) {
      if (text.empty()) continue;
      const Result<void> passed = co_await judge(std::move(text), seen, turn);
      if (!passed) co_return passed;
    }
    decide(seen, turn);
    co_return Result<void>{};
  }

  awaitable<Result<Answer>> screened_stream(Request request, Turn& turn) const {
    Seen seen(Side::output);
    GuardedStream stream(turn, screen_.window(), [this, &seen, &turn](std::string text) {
      return judge(std::move(text), seen, turn);
    });
    const std::unique_ptr<Turn> child = turn.child(&stream);
    Result<Answer> answer = co_await of_->answer(std::move(request), *child);
    if (answer && !stream.failure()) {
      co_await stream.finish(not_streamed(*answer, stream.reasoning()));
    }
    // Whatever the writer made of not being listened to, this is why.
    if (const std::optional<Error>& failure = stream.failure()) answer = std::unexpected(*failure);
    co_return ended(std::move(answer), *child, seen, turn);
  }

  awaitable<Result<Answer>> screened_whole(Request request, Turn& turn) const {
    Seen seen(Side::output);
    const bool logprobs = request.logprobs;
    const std::unique_ptr<Turn> child = turn.child();
    Result<Answer> answer = co_await of_->answer(std::move(request), *child);
    if (answer) {
      std::string shown = answer->text + not_streamed(*answer, 0);
      const Result<void> passed = co_await judge(std::move(shown), seen, turn);
      if (!passed) answer = std::unexpected(passed.error());
    }
    answer = ended(std::move(answer), *child, seen, turn);
    if (!answer) co_return answer;
    const Result<void> sent = co_await emit_whole(*answer, logprobs, turn);
    if (!sent) co_return std::unexpected(sent.error());
    co_return answer;
  }

  /// What is shown of the answer but its text: the calls of tools, citations, and what was thought
  /// behind its first bytes.
  static std::string not_streamed(const Answer& answer, std::size_t thought) {
    std::string rest = answer.reasoning.substr(std::min(thought, answer.reasoning.size()));
    rest += said(answer).substr(answer.text.size());
    for (const Citation& citation : answer.citations) rest += "\n" + citation.text;
    return rest;
  }

  Result<Answer> ended(Result<Answer> answer, const Turn& child, const Seen& seen,
                       Turn& turn) const {
    if (!answer && answer.error().code == Errc::refused) {
      absorb_as(turn, child, "blocked");
      return answer;
    }
    turn.absorb(child);
    if (answer) decide(seen, turn);
    return answer;
  }

  /// An error where the text must not pass, and then the receipt says why.
  awaitable<Result<void>> judge(std::string text, Seen& seen, Turn& turn) const {
    ++seen.texts;
    const Result<double> risk = co_await screen_.risk(seen.side, std::move(text), turn);
    if (!risk) co_return unjudged(risk.error(), seen, turn);
    seen.largest = std::max(seen.largest, *risk);
    const double threshold = options_.threshold(seen.side);
    if (*risk < threshold) co_return Result<void>{};
    turn.receipt.decisions.push_back(
        {.mechanism = "guard",
         .choice = "block",
         .reason = fmt::format("{}: P(yes) {:.3f} reaches threshold {:.4g}", to_string(seen.side),
                               *risk, threshold)});
    co_return fail(Errc::refused, fmt::format("the guard blocked the {}: it probably {}",
                                              seen.side == Side::input ? "request" : "answer",
                                              what_is_wrong(seen.side)));
  }

  Result<void> unjudged(const Error& error, Seen& seen, Turn& turn) const {
    if (is_final(error, turn)) return std::unexpected(error);
    const std::string why = fmt::format("{}: {}", to_string(error.code), error.detail);
    if (options_.open) {
      ++seen.unjudged;
      seen.failure = why;
      return {};
    }
    turn.receipt.decisions.push_back(
        {.mechanism = "guard",
         .choice = "block",
         .reason = fmt::format("{}: small failed: {}", to_string(seen.side), why)});
    return fail(Errc::refused, fmt::format("the guard could not screen the {} and is closed then "
                                           "(`on_failure: open` would let it pass): {}",
                                           to_string(seen.side), why));
  }

  void decide(const Seen& seen, Turn& turn) const {
    if (seen.texts == 0) return;
    std::string reason =
        fmt::format("{}: P(yes) {:.3f} under threshold {:.4g}", to_string(seen.side), seen.largest,
                    options_.threshold(seen.side));
    if (seen.unjudged > 0) {
      reason += fmt::format("; {} of {} texts not judged, small failed: {}", seen.unjudged,
                            seen.texts, seen.failure);
    }
    turn.receipt.decisions.push_back(
        {.mechanism = "guard", .choice = "pass", .reason = std::move(reason)});
  }

  const AnswererPtr of_;
  const Screen screen_;
  const GuardOptions options_;
};

Result<GuardOptions> read_options(Options& options) {
  constexpr std::string_view kScreens[] = {"both", "input", "output"};
  constexpr std::string_view kOnFailure[] = {"closed", "open"};
  constexpr std::string_view kSides[] = {"input", "output"};
  GuardOptions read;
  const Result<std::string> screen = options.choice("screen", kScreens, kScreens[0]);
  if (!screen) return std::unexpected(screen.error());
  read.input = *screen != "output";
  read.output = *screen != "input";
  const auto thresholds = options.some_numbers("threshold", kSides, 0, 1);
  if (!thresholds) return std::unexpected(thresholds.error());
  for (std::size_t i = 0; i < read.thresholds.size(); ++i) {
    read.thresholds[i] = (*thresholds)[i].value_or(read.thresholds[i]);
  }
  const Result<std::string> on_failure = options.choice("on_failure", kOnFailure, kOnFailure[0]);
  if (!on_failure) return std::unexpected(on_failure.error());
  read.open = *on_failure == "open";
  return read;
}

}  // namespace

Result<AnswererPtr> build_guard(Options& options) {
  constexpr double kMostWindow = 100'000;
  Result<AnswererPtr> of = options.operand("of");
  if (!of) return std::unexpected(of.error());
  Result<AnswererPtr> small = options.operand("small");
  if (!small) return std::unexpected(small.error());
  const auto read = read_options(options);
  if (!read) return std::unexpected(read.error());
  const Result<double> window =
      options.number("window", static_cast<double>(Screen::kUsualWindow),
                     static_cast<double>(Screen::kLeastWindow), kMostWindow);
  if (!window) return std::unexpected(window.error());
  return std::make_shared<Guard>(
      *std::move(of), Screen(*std::move(small), static_cast<std::size_t>(*window)), *read);
}

}  // namespace lichen::mechanisms
