// Answers in the form of Anthropic's Messages API, whole and streamed.
#pragma once

#include <string>

#include "serving/reply_writer.h"

namespace lichen::serving {

/// A message of thinking, text and tool_use blocks. How long the prompt was is known when the
/// answer ends, so in a stream the input's tokens stand in `message_delta`, beside those of the
/// output.
class AnthropicReply final : public ReplyWriter {
 public:
  explicit AnthropicReply(ReplyHead head) : head_(std::move(head)) {}

  std::string whole(std::span<const Answer> choices) override;
  void start(std::string& out) override;
  void piece(std::string& out, std::size_t choice, const Piece& piece) override;
  void end(std::string& out, std::size_t choice, const Answer& answer) override;
  void done(std::string& out) override;
  void error(std::string& out, const ApiError& error) override;

 private:
  enum class Block : std::uint8_t { none, thinking, text };

  boost::json::object message(boost::json::array content, boost::json::value stop_reason) const;
  void open(std::string& out, Block block);
  void close(std::string& out);
  void delta(std::string& out, std::string_view type, std::string_view key, std::string_view text);
  void rest(std::string& out, Block block, std::string_view whole, std::size_t sent);
  void tool_use(std::string& out, const boost::json::value& call);

  const ReplyHead head_;
  Block block_ = Block::none;            // that is open
  std::size_t index_ = 0;                // of the open block, or of the next
  std::size_t text_ = 0, thinking_ = 0;  // bytes sent
};

}  // namespace lichen::serving
