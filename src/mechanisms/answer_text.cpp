#include "mechanisms/answer_text.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace lichen::mechanisms {
namespace {

/// ASCII is all that the signs are made of.
std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace

std::string said(const Answer& answer) {
  std::string said = answer.text;
  for (const boost::json::value& call : answer.tool_calls) {
    const auto* object = call.if_object();
    const auto* function = object != nullptr ? object->if_contains("function") : nullptr;
    said += boost::json::serialize(function != nullptr ? *function : call);
  }
  return said;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string_view final_answer(std::string_view text) {
  const std::string small = lowered(text);
  for (const std::string_view sign : {"answer is", "answer:"}) {
    const auto at = small.rfind(sign);
    if (at == std::string::npos) continue;
    std::string_view rest = text.substr(at + sign.size());
    if (rest.starts_with(':')) rest.remove_prefix(1);
    text = rest;
    break;
  }
  text = trimmed(text);
  const auto first = text.find_first_not_of("\"'*`");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of("\"'*`. \n") + 1 - first);
}

}  // namespace lichen::mechanisms
