// Answers in OpenAI's form: whole replies, stream chunks, embeddings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "serving/api_error.h"

namespace lichen::serving {

/// What is the same in all parts of a reply.
struct ReplyHead {
  std::string id;            // without "chatcmpl-" or "cmpl-"
  std::int64_t created = 0;  // Unix time, seconds
  std::string model;
  bool chat = true;
  std::size_t per_prompt = 1;  // choices that answer the same prompt, side by side
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

/// chat.completion or text_completion. `echo` is put before a text completion. `logprobs`: whether
/// the request asked for them.
std::string reply_json(const ReplyHead& head, std::span<const Answer> choices,
                       std::string_view echo, bool logprobs);

/// `prompt_tokens` for the usage.
std::string embeddings_json(std::string_view model, const Embeddings& embeddings, bool base64,
                            std::int64_t prompt_tokens);

/// Writes a stream's server-sent events into a buffer of the caller's.
class ChunkWriter {
 public:
  ChunkWriter(const ReplyHead& head, std::size_t choices, bool include_usage, bool logprobs);

  /// The chunks with the role, before anything else. Nothing for text completions.
  void start(std::string& out);
  void piece(std::string& out, std::size_t choice, const Piece& piece);
  /// What of the answer was not streamed, its tool calls, the reason of its end and its citations.
  void end(std::string& out, std::size_t choice, const Answer& answer);
  /// After all choices: the usage if wanted, and [DONE].
  void done(std::string& out) const;
  /// An error in mid-stream; nothing may follow.
  static void error(std::string& out, const ApiError& error);

 private:
  struct Sent {
    std::size_t bytes = 0;     // of the text
    std::size_t logprobs = 0;  // tokens
    std::int64_t offset = 0;   // characters, for text completions' text_offset
  };

  /// `more`: further members of the choice, each behind a comma.
  void chunk(std::string& out, std::size_t choice, std::string_view delta,
             std::span<const AnswerToken> logprobs, std::string_view finish,
             std::string_view more = {});
  void text(std::string& out, std::size_t choice, std::string_view text,
            std::span<const AnswerToken> logprobs, std::string_view finish);

  const bool chat_;
  const std::size_t per_prompt_;
  const bool include_usage_;
  const bool logprobs_;
  std::string prefix_;  // of each event, up to the choice's index
  std::vector<Sent> sent_;
  Usage usage_;
};

}  // namespace lichen::serving
