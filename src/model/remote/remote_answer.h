// One answer of a remote model, from the request to the settled step.
#pragma once

#include <expected>
#include <string>

#include "lichen/answerer.h"
#include "model/remote/openai_reply.h"
#include "model/remote/openai_request.h"
#include "model/remote/remote_call.h"

namespace lichen::model {

/// Runs on a strand. Used once.
class RemoteAnswer {
 public:
  RemoteAnswer(const Remote& remote, Turn& turn, boost::asio::any_io_executor strand);

  awaitable<Result<Answer>> run(Request request);

 private:
  using Outcome = std::expected<void, Failure>;

  awaitable<Outcome> attempt(OpenAiRequest request);
  awaitable<Outcome> read_stream(HttpResponse response);
  awaitable<Outcome> read_whole(HttpResponse response);
  awaitable<Outcome> take_event(std::string_view data);
  awaitable<Outcome> emit(Delta delta);
  Result<Answer> finish();
  void count_tokens();

  RemoteCall call_;
  OpenAiReply reply_;
  std::int64_t prompt_bytes_ = 0;
};

}  // namespace lichen::model
