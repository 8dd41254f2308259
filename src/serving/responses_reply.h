// Answers in the form of OpenAI's Responses API, whole and streamed.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "serving/reply_writer.h"

namespace lichen::serving {

/// A response of reasoning, message and function_call items. Each event has its number.
class ResponsesReply final : public ReplyWriter {
 public:
  /// `repeated`: fields of the request that every reply says again.
  ResponsesReply(ReplyHead head, boost::json::object repeated, bool logprobs)
      : head_(std::move(head)), repeated_(std::move(repeated)), logprobs_(logprobs) {}

  std::string whole(std::span<const Answer> choices) override;
  void start(std::string& out) override;
  void piece(std::string& out, std::size_t choice, const Piece& piece) override;
  void end(std::string& out, std::size_t choice, const Answer& answer) override;
  void done(std::string& out) override;
  void error(std::string& out, const ApiError& error) override;

 private:
  enum class Item : std::uint8_t { none, reasoning, message };

  boost::json::object response(std::string_view status) const;
  boost::json::object of(const Answer& answer) const;
  std::string item_id(std::string_view prefix) const;
  boost::json::object message_item(std::string_view status, boost::json::array content) const;
  boost::json::object reasoning_item(boost::json::array content) const;
  boost::json::object call_item(const boost::json::value& call, std::string_view status) const;

  void event(std::string& out, std::string_view type, boost::json::object fields);
  /// An event about a part of the open item.
  void part_event(std::string& out, std::string_view type, boost::json::object fields);
  void open(std::string& out, Item item);
  void close(std::string& out);
  void text(std::string& out, std::string_view text, std::span<const AnswerToken> tokens);
  void reasoning(std::string& out, std::string_view text);
  void function_call(std::string& out, const boost::json::value& call);

  const ReplyHead head_;
  const boost::json::object repeated_;
  const bool logprobs_;
  std::int64_t number_ = 0;                            // of the next event
  Item item_ = Item::none;                             // that is open
  std::string written_;                                // of the open item
  std::size_t text_ = 0, tokens_ = 0, reasoning_ = 0;  // bytes and tokens sent
  boost::json::array output_;                          // items that are complete
  boost::json::object last_;                           // the response, once the answer has ended
  std::string_view status_ = "completed";
};

}  // namespace lichen::serving
