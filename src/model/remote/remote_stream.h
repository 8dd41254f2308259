// One attempt at an answer: the request out, the reply in, piece by piece.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "model/remote/openai_reply.h"
#include "model/remote/openai_request.h"
#include "model/remote/remote_call.h"
#include "model/remote/sse_parser.h"

namespace lichen::model {

/// Runs on the strand of its call, which has chosen an upstream and must outlive it. Used once.
class RemoteStream {
 public:
  using Outcome = std::expected<void, Failure>;
  /// Nothing: the answer is complete.
  using Next = std::expected<std::optional<Delta>, Failure>;

  /// `streams`: the answer is wanted in pieces.
  RemoteStream(RemoteCall& call, bool streams)
      : call_(call),
        streams_(streams),
        reply_(call.upstream().errors),
        events_(call.remote().options.max_response_bytes) {}

  /// Sends the request and waits until the model has begun to write; where the answer comes in one
  /// piece, until it is there.
  awaitable<Outcome> open(OpenAiRequest request);
  /// What comes next; its text may be empty.
  awaitable<Next> next();

  OpenAiReply& reply() { return reply_; }

 private:
  awaitable<Outcome> read_whole();
  awaitable<Next> take_held();
  awaitable<Next> pull();
  awaitable<Outcome> more_bytes();

  RemoteCall& call_;
  const bool streams_;
  OpenAiReply reply_;
  SseParser events_;
  std::optional<HttpResponse> response_;
  std::optional<Delta> held_;  // came before it was asked for
  bool over_ = false;
};

}  // namespace lichen::model
