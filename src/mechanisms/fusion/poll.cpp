#include "mechanisms/fusion/poll.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "mechanisms/answer_key.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

std::string in_words(Votes votes) {
  constexpr double kMillion = 1e6;
  return fmt::format("{:.4g}", static_cast<double>(votes) / kMillion);
}

void append(std::string& text, std::string_view separator, std::string_view more) {
  if (!text.empty()) text += separator;
  text += more;
}

}  // namespace

Poll::Poll(const PollOptions& options, Request request, Turn& turn)
    : options_(options), request_(std::move(request)), turn_(turn) {
  for (const Seat& seat : options.panel.seats()) ballots_.push_back({.seat = seat});
}

awaitable<Result<void>> Poll::take() {
  for (auto next = ballots_.begin(); next != ballots_.end() && !final_;) {
    const std::size_t wanted = this->wanted();
    if (wanted == 0) break;
    const auto wave_end =
        options_.in_turn ? next + static_cast<std::ptrdiff_t>(wanted) : ballots_.end();
    std::vector<awaitable<void>> wave;
    for (; next != wave_end; ++next) wave.push_back(ask(*next));
    co_await side_by_side(std::move(wave));
  }
  if (final_) co_return std::unexpected(*final_);
  co_return Result<void>{};
}

awaitable<void> Poll::ask(Ballot& ballot) {
  if (decided_) co_return;  // by those that were begun before and did not have to wait
  Request asked = options_.panel.request_for(ballot.seat, request_);
  const Confidence* confidence = weight_of(ballot).confidence.get();
  if (confidence != nullptr) {
    asked.logprobs = true;
    asked.top_logprobs = std::max(asked.top_logprobs, confidence->alternatives());
  }
  ballot.turn = turn_.child();
  ballot.answer = co_await options_.panel.members[ballot.seat.member].answerer->answer(
      std::move(asked), *ballot.turn);
  ballot.flaw = flaw_of(ballot.answer, request_);
  ballot.votes = weight_of(ballot).votes;
  const bool answered = ballot.flaw.empty();
  if (answered && confidence != nullptr && !decided_) {
    const Result<double> score = co_await confidence->of(request_, *ballot.answer, *ballot.turn);
    const bool known = score && !std::isnan(*score);
    const double share = known ? as_probability(*confidence, *score) : 0;
    ballot.votes = std::llround(static_cast<double>(ballot.votes) * share);
    if (!known) {
      ballot.flaw = fmt::format("counts for nothing, its {} is unknown{}", confidence->words(),
                                score ? "" : ": " + score.error().detail);
    }
  }
  count(ballot, answered);
}

void Poll::count(Ballot& ballot, bool answered) {
  ballot.unneeded = decided_;
  ballot.over = true;
  if (decided_) return;
  ballot.counted = answered;
  if (ballot.counted) ballot.key = answer_key(*ballot.answer);
  if (!ballot.answer && is_final(ballot.answer.error(), turn_)) final_ = ballot.answer.error();
  if (final_ || wanted() == 0) stop();
}

std::size_t Poll::wanted() const {
  std::vector<Votes> cast, left;
  for (const Candidate& candidate : candidates()) cast.push_back(candidate.votes);
  for (const Ballot& ballot : ballots_) {
    if (!ballot.over) left.push_back(weight_of(ballot).votes);
  }
  return votes_wanted(cast, left);
}

void Poll::stop() {
  decided_ = true;
  for (const Ballot& ballot : ballots_) {
    if (ballot.turn && !ballot.over) ballot.turn->cancel(Errc::cancelled, "the vote is decided");
  }
}

std::vector<Poll::Candidate> Poll::candidates() const {
  std::vector<Candidate> candidates;
  for (const Ballot& ballot : ballots_) {
    if (!ballot.counted) continue;
    auto same = std::ranges::find_if(
        candidates, [&ballot](const Candidate& other) { return *other.key == ballot.key; });
    if (same == candidates.end()) {
      same = candidates.insert(same, {.key = &ballot.key, .ballots = {}});
    }
    same->ballots.push_back(&ballot);
    same->votes += ballot.votes;
  }
  return candidates;
}

std::optional<Answer> Poll::settle() {
  const std::vector<Candidate> candidates = this->candidates();
  const auto best = std::ranges::max_element(candidates, {}, &Candidate::votes);
  const Ballot* winner = best == candidates.end() ? nullptr : best->ballots.front();
  for (const Ballot& ballot : ballots_) {
    if (!ballot.turn) continue;
    if (&ballot == winner) {
      turn_.absorb(*ballot.turn);
    } else {
      absorb_as(turn_, *ballot.turn,
                ballot.unneeded ? "cancelled"
                : ballot.answer ? "vote"
                                : "failed");
    }
  }
  if (winner == nullptr) return std::nullopt;
  turn_.receipt.decisions.push_back({.mechanism = "vote",
                                     .choice = options_.panel.name_of(winner->seat),
                                     .reason = reason(candidates, *best)});
  Answer answer = *winner->answer;
  drop_alternatives(answer, static_cast<std::size_t>(request_.top_logprobs));
  return answer;
}

/// "votes 2 (small, other), next 1 (large); not needed: small#2"
std::string Poll::reason(const std::vector<Candidate>& candidates, const Candidate& best) const {
  std::string reason = fmt::format("votes {} ({})", in_words(best.votes), names_of(best));
  const Candidate* next = nullptr;
  for (const Candidate& other : candidates) {
    if (&other != &best && (next == nullptr || other.votes > next->votes)) next = &other;
  }
  if (next != nullptr) {
    reason += fmt::format(", next {} ({})", in_words(next->votes), names_of(*next));
  }
  if (candidates.size() > 2) reason += fmt::format(", {} different", candidates.size());
  std::string unneeded, flaws;
  for (const Ballot& ballot : ballots_) {
    const std::string name = options_.panel.name_of(ballot.seat);
    if (ballot.unneeded || !ballot.turn) {
      append(unneeded, ", ", name);
    } else if (!ballot.flaw.empty()) {
      append(flaws, "; ", fmt::format("{} {}", name, ballot.flaw));
    }
  }
  if (!unneeded.empty()) append(reason, "; not needed: ", unneeded);
  if (!flaws.empty()) append(reason, "; ", flaws);
  return reason;
}

std::string Poll::names_of(const Candidate& candidate) const {
  std::string names;
  for (const Ballot* ballot : candidate.ballots) {
    append(names, ", ", options_.panel.name_of(ballot->seat));
  }
  return names;
}

Error Poll::failure() const {
  Error failure{.code = Errc::upstream, .detail = {}};
  std::string flaws;
  for (const Ballot& ballot : ballots_) {
    if (!ballot.answer && flaws.empty()) failure = ballot.answer.error();
    append(flaws, "; ", fmt::format("{} {}", options_.panel.name_of(ballot.seat), ballot.flaw));
  }
  failure.detail =
      fmt::format("`vote`: none of {} answers could be had: {}", ballots_.size(), flaws);
  return failure;
}

}  // namespace lichen::mechanisms
