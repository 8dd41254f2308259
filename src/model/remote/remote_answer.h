// One answer of a remote model, from the request to the settled steps.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "lichen/answerer.h"
#include "model/remote/first_token_race.h"
#include "model/remote/remote_call.h"
#include "model/remote/remote_stream.h"

namespace lichen::model {

/// Runs on a strand. Used once.
///
/// An answer that breaks off in a stream is gone on with behind what was shown, where the model
/// `continues` and the answer is plain text: each part is a step of its own in the receipt.
class RemoteAnswer {
 public:
  RemoteAnswer(const Remote& remote, Turn& turn, boost::asio::any_io_executor strand);

  awaitable<Result<Answer>> run(Request request);

 private:
  using Outcome = std::expected<void, Failure>;

  awaitable<Outcome> attempt();
  awaitable<Outcome> open(OpenAiRequest request);
  std::optional<Clock::duration> hedge_delay() const;
  /// A second stream at another upstream, if there is one that can be asked.
  std::shared_ptr<FirstTokenRace::Runner> second_runner(const RemoteCall& first);
  void note_hedge(const FirstTokenRace::Runner& first, const FirstTokenRace::Runner& second,
                  const FirstTokenRace::Runner* winner, Clock::duration delay);
  void settle_loser(FirstTokenRace::Runner& loser);
  Piece piece_of(Delta delta) const;
  Result<OpenAiRequest> written(const RemoteCall& call) const;
  bool can_go_on(const Failure& failure) const;
  /// Settles what the broken attempt has written, and asks for the rest.
  void go_on_behind();
  void count_tokens(RemoteCall& call, RemoteStream& stream) const;
  void add_part();
  Result<Answer> finish();

  const Remote& remote_;
  Turn& turn_;
  const boost::asio::any_io_executor strand_;
  Request request_;
  std::unique_ptr<RemoteCall> call_;
  std::unique_ptr<RemoteStream> stream_;  // of the present attempt
  Answer answer_;                         // the parts so far
  std::int64_t begun_tokens_ = 0;         // of the parts before the last
  bool goes_on_ = false;                  // the present attempt does, behind earlier parts
};

}  // namespace lichen::model
