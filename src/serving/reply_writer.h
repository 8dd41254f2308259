// How answers are written in one of the APIs: whole, or as a stream's server-sent events.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "lichen/answerer.h"
#include "serving/api_error.h"
#include "serving/completion_call.h"

namespace lichen::serving {

/// What is the same in all parts of a reply.
struct ReplyHead {
  std::string id;            // without the API's prefix, "chatcmpl-" say
  std::int64_t created = 0;  // Unix time, seconds
  std::string model;
};

struct Usage {
  std::int64_t prompt = 0;
  std::int64_t cached = 0;
  std::int64_t completion = 0;
  std::int64_t drafted = 0;  // checked guesses; of these ...
  std::int64_t accepted = 0;

  /// `choice`: the answer's index. A prompt counts once, however many choices answer it.
  void add(const Answer& answer, std::size_t choice, std::size_t per_prompt);
};

/// Writes one reply, whole or streamed, into a buffer of the caller's. Not thread-safe.
class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;

  virtual std::string whole(std::span<const Answer> choices) = 0;

  /// Before anything else of a stream.
  virtual void start(std::string& out) = 0;
  virtual void piece(std::string& out, std::size_t choice, const Piece& piece) = 0;
  /// What of the answer was not streamed, its tool calls and the reason of its end.
  virtual void end(std::string& out, std::size_t choice, const Answer& answer) = 0;
  /// After all choices.
  virtual void done(std::string& out) = 0;
  /// An error in mid-stream; nothing may follow.
  virtual void error(std::string& out, const ApiError& error) = 0;
};

/// For a call of as many choices as it has requests.
std::unique_ptr<ReplyWriter> make_reply_writer(const CompletionCall& call, ReplyHead head);

/// A server-sent event with a name.
void add_event(std::string& out, std::string_view name, std::string_view data);

}  // namespace lichen::serving
