// Answers in OpenAI's form: whole replies, stream chunks, embeddings.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serving/reply_writer.h"

namespace lichen::serving {

struct OpenAiReplyOptions {
  bool chat = true;  // else text completions
  std::size_t choices = 1;
  std::size_t per_prompt = 1;  // choices that answer the same prompt, side by side
  bool include_usage = false;  // in a stream
  bool logprobs = false;       // the request asked for them
  std::string echo = {};       // stands before a text completion
};

/// chat.completion or text_completion, and their chunks; what a model thinks stands in
/// `reasoning_content`, as other servers have it. Before a stream of chats come chunks with
/// the role, behind it the usage if wanted, and [DONE].
class OpenAiReply final : public ReplyWriter {
 public:
  OpenAiReply(ReplyHead head, OpenAiReplyOptions options);

  std::string whole(std::span<const Answer> choices) override;
  void start(std::string& out) override;
  void piece(std::string& out, std::size_t choice, const Piece& piece) override;
  void end(std::string& out, std::size_t choice, const Answer& answer) override;
  void done(std::string& out) override;
  void error(std::string& out, const ApiError& error) override;

 private:
  struct Sent {
    std::size_t bytes = 0;  // of the text
    std::size_t reasoning = 0;
    std::size_t logprobs = 0;  // tokens
    std::int64_t offset = 0;   // characters, for text completions' text_offset
  };

  /// `more`: further members of the choice, each behind a comma.
  void chunk(std::string& out, std::size_t choice, std::string_view delta,
             std::span<const AnswerToken> logprobs, std::string_view finish,
             std::string_view more = {});
  void text(std::string& out, std::size_t choice, std::string_view text,
            std::span<const AnswerToken> logprobs, std::string_view finish);

  const ReplyHead head_;
  const OpenAiReplyOptions options_;
  std::string prefix_;  // of each event, up to the choice's index
  std::vector<Sent> sent_;
  Usage usage_;
};

/// A list of tokens with their log-probabilities and alternatives, as chats and responses have it.
boost::json::array logprobs_json(std::span<const AnswerToken> tokens);

/// `prompt_tokens` for the usage.
std::string embeddings_json(std::string_view model, const Embeddings& embeddings, bool base64,
                            std::int64_t prompt_tokens);

}  // namespace lichen::serving
