#include "base/document.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <ranges>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace lichen::base {

Result<void> check_document(std::string_view document) {
  if (document.find_first_not_of(" \t\r\n\f") == std::string_view::npos) {
    return fail(Errc::bad_request, "the document is empty; it must be text");
  }
  if (const auto nul = document.find('\0'); nul != std::string_view::npos) {
    return fail(Errc::bad_request, "the document has a NUL at byte " + std::to_string(nul) +
                                       "; it must be text, not a binary file");
  }
  if (const auto valid = valid_utf8_prefix(document); valid < document.size()) {
    return fail(Errc::bad_request,
                "the document is not UTF-8 at byte " + std::to_string(valid) + "; it must be");
  }
  return {};
}

Result<Request> with_document_read(Request request) {
  if (!request.document) return request;
  if (request.prompt || request.messages.empty()) {
    return fail(Errc::bad_request,
                "a document goes with messages, in front of the last one of the user; a raw prompt "
                "can hold it itself");
  }
  const auto from_back = request.messages | std::views::reverse;
  const auto last_of_user = std::ranges::find(from_back, "user", &Message::role);
  Message& asked = last_of_user == from_back.end() ? request.messages.back() : *last_of_user;
  asked.content = *std::exchange(request.document, {}) + "\n\n" + asked.content;
  return request;
}

std::size_t text_bytes(const Request& request) {
  std::size_t bytes = request.begun.size() + (request.prompt ? request.prompt->size() : 0);
  for (const Message& message : request.messages) bytes += message.content.size();
  if (request.document) bytes += request.document->size();
  return bytes;
}

std::size_t prompt_bytes(const Request& request) {
  std::size_t bytes = text_bytes(request);
  for (const Message& message : request.messages) {
    if (!message.tool_calls.empty()) bytes += boost::json::serialize(message.tool_calls).size();
  }
  if (!request.tools.empty()) bytes += boost::json::serialize(request.tools).size();
  return bytes;
}

boost::json::array to_json(std::span<const Citation> citations) {
  boost::json::array array;
  for (const Citation& citation : citations) {
    boost::json::object entry{
        {"text", citation.text}, {"begin", citation.begin}, {"end", citation.end}};
    entry["page"] = citation.page > 0 ? boost::json::value(citation.page) : nullptr;
    array.push_back(std::move(entry));
  }
  return array;
}

}  // namespace lichen::base
