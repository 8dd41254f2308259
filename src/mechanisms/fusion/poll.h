// One vote: who is asked when, and what they say.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mechanisms/fusion/panel.h"
#include "mechanisms/routing/confidence.h"
#include "mechanisms/tally.h"

namespace lichen::mechanisms {

/// Of a member's answers.
struct Weight {
  Votes votes = 0;                              // in millionths
  std::unique_ptr<Confidence> confidence = {};  // null: each has all of these votes
};

struct PollOptions {
  Panel panel;
  std::vector<Weight> weights;  // one for each member
  bool in_turn = false;         // else all at once
};

/// Used once, by one coroutine. Options and turn must outlive it.
class Poll {
 public:
  Poll(const PollOptions& options, Request request, Turn& turn);

  /// Asks until the vote is decided. All of its coroutines run on the caller's executor, which must
  /// be a strand. An error is one after which nobody else is to be asked.
  awaitable<Result<void>> take();

  /// The answer with the most votes, of equal ones the first; none: nobody has answered. Puts all
  /// steps and the decision into the turn's receipt.
  std::optional<Answer> settle();
  /// Why nobody has answered: the first failure, and all of them in words.
  Error failure() const;

 private:
  struct Ballot {
    Seat seat;
    std::unique_ptr<Turn> turn = {};  // null: not asked
    Result<Answer> answer = fail(Errc::internal, "not asked");
    bool over = false;
    bool counted = false;   // its answer is a candidate
    bool unneeded = false;  // the vote was decided before it was over
    std::string key = {};   // answers with equal keys say the same
    Votes votes = 0;
    std::string flaw = {};  // why it is not counted, or counts for nothing
  };
  /// Answers that say the same.
  struct Candidate {
    const std::string* key;
    std::vector<const Ballot*> ballots;
    Votes votes = 0;
  };

  awaitable<void> ask(Ballot& ballot);
  void count(Ballot& ballot, bool answered);
  /// Of the ballots that are not over.
  std::size_t wanted() const;
  void stop();
  /// In the order of their first ballots.
  std::vector<Candidate> candidates() const;
  std::string names_of(const Candidate& candidate) const;
  std::string reason(const std::vector<Candidate>& candidates, const Candidate& best) const;
  const Weight& weight_of(const Ballot& ballot) const {
    return options_.weights[ballot.seat.member];
  }

  const PollOptions& options_;
  const Request request_;
  Turn& turn_;
  std::vector<Ballot> ballots_;  // in the order in which they count
  std::optional<Error> final_ = {};
  bool decided_ = false;
};

}  // namespace lichen::mechanisms
