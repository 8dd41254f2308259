#include "model/remote/openai_error.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace lichen::model {

namespace json = boost::json;
using std::chrono::system_clock;

namespace {

/// What an error body says, whatever its shape: {"error": {"message", "type", "code"}},
/// {"error": "text"}, {"message"}, {"detail"}, or text.
struct Said {
  std::string message;
  std::string kinds;  // code, type and inner codes, blank-separated and in lower case
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view{};
}

Said listen(std::string_view body) {
  boost::system::error_code error;
  const auto parsed = json::parse({body.data(), body.size()}, error, {},
                                  {.max_depth = 32, .allow_invalid_utf8 = true});
  const auto* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return {std::string(body), {}};
  if (const auto text = text_of(*object, "error"); !text.empty()) return {std::string(text), {}};
  if (const auto* inner = object->if_contains("error"); inner && inner->is_object()) {
    object = &inner->get_object();
  }
  Said said;
  for (const auto* key : {"message", "detail", "error"}) {
    if (said.message.empty()) said.message = text_of(*object, key);
  }
  if (said.message.empty()) said.message = body;
  for (const auto* key : {"code", "type"}) said.kinds += lower(text_of(*object, key)) + " ";
  if (const auto* inner = object->if_contains("innererror"); inner && inner->is_object()) {
    said.kinds += lower(text_of(inner->get_object(), "code"));
  }
  return said;
}

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [&](auto word) { return text.contains(word); });
}

/// Endpoints have a code for it or only a sentence; both are collected from what OpenAI, Azure,
/// vLLM, SGLang, llama-server and their kin send.
bool is_context_overflow(const Said& said) {
  static constexpr std::array<std::string_view, 3> kKinds = {
      "context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"};
  static constexpr std::array<std::string_view, 7> kPhrases = {
      "maximum context length", "context window",
      "context length",         "exceeds the available context",
      "prompt is too long",     "longer than the model's context",
      "max_model_len"};
  return contains_any(said.kinds, kKinds) || contains_any(lower(said.message), kPhrases);
}

bool is_content_filter(const Said& said) {
  static constexpr std::array<std::string_view, 4> kKinds = {
      "content_filter", "content_policy_violation", "responsibleaipolicyviolation",
      "moderation_blocked"};
  return contains_any(said.kinds, kKinds) ||
         lower(said.message).contains("content management policy");
}

bool may_pass_on_retry(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504 ||
         status == 529;  // 529: some endpoints' "overloaded"
}

}  // namespace

std::string quote(std::string_view said, const std::string& key, std::size_t longest) {
  std::string out(said);
  if (!key.empty()) {
    for (auto at = out.find(key); at != std::string::npos; at = out.find(key, at)) {
      out.replace(at, key.size(), "***");
    }
  }
  if (out.size() > longest) {
    out.resize(base::complete_utf8_prefix(std::string_view(out).substr(0, longest)));
    out += "...";
  }
  out = base::replace_invalid_utf8(out);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

Failure read_error(int status, std::string_view body, std::string_view retry_after,
                   const ErrorContext& context) {
  const Said said = listen(body);
  const std::string who = "`" + context.model + "`: ";
  const std::string quoted = quote(said.message, context.key);
  const std::string reply = "the endpoint answered " + std::to_string(status) +
                            (quoted.empty() ? "" : " (" + quoted + ")");
  const std::string cause = "it answered " + std::to_string(status);
  const auto final_error = [&](Errc code, const std::string& text) {
    // What is wrong with the request would be so elsewhere; a wrong key or url would not.
    const auto fault = code == Errc::upstream ? Fault::failed : Fault::none;
    return Failure{{code, who + text}, false, fault, cause};
  };
  // Server faults first: their text may mention anything.
  if (status >= 500) {
    return {{Errc::upstream, who + reply, parse_retry_after(retry_after, system_clock::now())},
            may_pass_on_retry(status),
            Fault::failed,
            cause};
  }
  if (is_content_filter(said)) {
    return final_error(Errc::refused,
                       "the endpoint's content filter refused the request (" + quoted + ")");
  }
  if ((status == 400 || status == 413 || status == 422) && is_context_overflow(said)) {
    return final_error(Errc::context_overflow,
                       "the request does not fit the model's context (" + quoted + ")");
  }
  switch (status) {
    case 400:
    case 422: return final_error(Errc::bad_request, reply);
    case 401:
    case 403:
      return final_error(Errc::upstream,
                         reply + (context.key_env.empty()
                                      ? "; it wants an API key: name the variable that holds it "
                                        "in key_env"
                                      : "; check the key in " + context.key_env + " (key_env)"));
    case 404:
      return final_error(Errc::upstream, reply + "; check url (" + context.url + ") and model (" +
                                             context.endpoint_model + ")");
    case 413: return final_error(Errc::too_large, reply);
    case 408:
    case 409:
    case 429:
      // An empty account does not fill itself while we wait.
      return {
          {Errc::rate_limited, who + reply, parse_retry_after(retry_after, system_clock::now())},
          status == 429 && !said.kinds.contains("insufficient_quota"),
          Fault::busy,
          cause};
    default: break;
  }
  if (status >= 300 && status < 400) {
    return final_error(Errc::upstream, reply +
                                           "; redirects are not followed, set url to where "
                                           "the endpoint is");
  }
  return final_error(Errc::upstream, reply);
}

std::optional<double> parse_retry_after(std::string_view value, system_clock::time_point now) {
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  double seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc{} && end == value.data() + value.size()) {
    if (!std::isfinite(seconds)) return std::nullopt;
    return std::max(0.0, seconds);
  }
  // "Sun, 06 Nov 1994 08:49:37 GMT", the one form that senders may use.
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (value.size() != 29 || !value.ends_with(" GMT")) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    int result = -1;
    const auto* first = value.data() + at;
    const auto read = std::from_chars(first, first + size, result);
    return read.ptr == first + size ? result : -1;
  };
  const auto month = std::ranges::find(kMonths, value.substr(8, 3)) - kMonths.begin();
  const int day = number(5, 2), year = number(12, 4);
  const int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month + 1)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  const auto at = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second);
  return std::max(0.0, std::chrono::duration<double>(at - now).count());
}

}  // namespace lichen::model
