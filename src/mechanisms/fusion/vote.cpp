#include "mechanisms/fusion/vote.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mechanisms/fusion/poll.h"
#include "mechanisms/hand_over.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

class Vote : public Answerer {
 public:
  Vote(PollOptions options, AnswererPtr fallback)
      : options_(std::move(options)), fallback_(std::move(fallback)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Poll poll(options_, request, turn);
    const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
    const Result<void> taken = co_await asio::co_spawn(strand, poll.take(), asio::use_awaitable);
    std::optional<Answer> answer = poll.settle();
    if (std::optional<Error> ended = turn.stopped()) co_return std::unexpected(*std::move(ended));
    if (!taken) co_return std::unexpected(taken.error());
    if (!answer) co_return co_await without_answers(poll.failure(), std::move(request), turn);
    const Result<void> sent = co_await emit_whole(*answer, request.logprobs, turn);
    if (!sent) co_return std::unexpected(sent.error());
    co_return *std::move(answer);
  }

 private:
  awaitable<Result<Answer>> without_answers(Error failure, Request request, Turn& turn) const {
    turn.receipt.decisions.push_back({.mechanism = "vote",
                                      .choice = fallback_ != nullptr ? "fallback" : "none",
                                      .reason = failure.detail});
    if (fallback_ == nullptr) co_return std::unexpected(std::move(failure));
    co_return co_await fallback_->answer(std::move(request), turn);
  }

  const PollOptions options_;
  const AnswererPtr fallback_;  // may be null
};

Result<std::vector<Weight>> read_weights(Options& options, Panel& panel) {
  constexpr double kMost = 1000, kMillion = 1e6;
  std::vector<std::string_view> names;
  for (const Member& member : panel.members) names.push_back(member.name);
  const auto read = options.some_numbers("weights", names, 0, kMost);
  if (!read) return std::unexpected(read.error());
  std::vector<Weight> weights;
  std::vector<Member> members;
  for (std::size_t i = 0; i < panel.members.size(); ++i) {
    const Votes votes = std::llround((*read)[i].value_or(1) * kMillion);
    if (votes == 0) continue;  // has no say
    weights.push_back({.votes = votes});
    members.push_back(std::move(panel.members[i]));
  }
  if (weights.empty()) {
    return std::unexpected(
        options.error("weights", "`weights` are all 0, so nobody has a vote: give one more"));
  }
  panel.members = std::move(members);
  return weights;
}

/// Where one answer has at least half of all votes, no vote is needed to know it.
std::optional<Error> outvotes_all(Options& options, const PollOptions& poll) {
  const std::vector<Seat> seats = poll.panel.seats();
  const auto votes = [&poll](const Seat& seat) { return poll.weights[seat.member].votes; };
  Votes all = 0;
  for (const Seat& seat : seats) all += votes(seat);
  for (const Seat& seat : seats) {
    const bool first = &seat == &seats.front();  // which wins a tie
    const Votes others = all - votes(seat);
    if (votes(seat) < others || (votes(seat) == others && !first)) continue;
    return options.error(
        options.has("weights") ? "weights" : "of",
        fmt::format(
            "nobody can outvote `{}`, so the vote would always be its answer: let more vote "
            "(`of`, `samples`), weigh them otherwise (`weights`), or let votes count by "
            "how sure they are (`confidence`)",
            poll.panel.members[seat.member].name));
  }
  return std::nullopt;
}

}  // namespace

Result<AnswererPtr> build_vote(Options& options) {
  constexpr int kMostVotes = 64;
  constexpr std::string_view kOrders[] = {"together", "in_turn"};
  Result<Panel> panel = read_panel(options, kMostVotes);
  if (!panel) return std::unexpected(panel.error());
  auto weights = read_weights(options, *panel);
  if (!weights) return std::unexpected(weights.error());
  const Result<std::string> order = options.choice("order", kOrders, kOrders[0]);
  if (!order) return std::unexpected(order.error());
  PollOptions poll{
      .panel = *std::move(panel), .weights = *std::move(weights), .in_turn = *order == kOrders[1]};
  const bool by_confidence = options.has("confidence");
  for (std::size_t i = 0; by_confidence && i < poll.weights.size(); ++i) {
    auto confidence = build_confidence(options, poll.panel.members[i].answerer);
    if (!confidence) return std::unexpected(confidence.error());
    poll.weights[i].confidence = *std::move(confidence);
  }
  if (const auto useless = outvotes_all(options, poll); useless && !by_confidence) {
    return std::unexpected(*useless);
  }
  AnswererPtr fallback;
  if (options.has("fallback")) {
    Result<AnswererPtr> read = options.operand("fallback");
    if (!read) return std::unexpected(read.error());
    fallback = *std::move(read);
  }
  return std::make_shared<Vote>(std::move(poll), std::move(fallback));
}

}  // namespace lichen::mechanisms
