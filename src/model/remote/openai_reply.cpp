#include "model/remote/openai_reply.h"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <iterator>
#include <utility>

#include "base/utf8.h"
#include "model/remote/openai_logprobs.h"

namespace lichen::model {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxToolCalls = 128;
const json::object* object_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

const json::array* array_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_array() : nullptr;
}

std::string_view text_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view{};
}

std::optional<std::int64_t> count_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto count = value->to_number<std::int64_t>(error);
  if (error || count < 0 || count > kMostTokens) return std::nullopt;
  return count;
}

/// The text of a message: a string, or parts of which the text ones count.
std::string content_of(const json::object& message) {
  std::string text(text_in(message, "content"));
  if (const auto* parts = array_in(message, "content")) {
    for (const auto& part : *parts) {
      if (const auto* object = part.if_object()) text += text_in(*object, "text");
    }
  }
  text += text_in(message, "refusal");  // the model's own words, only under another name
  return text;
}

/// The status that an error within a 200 reply would have had.
int status_of(const json::object& error) {
  const auto code = count_in(error, "code").value_or(count_in(error, "status").value_or(500));
  return code >= 400 && code <= 599 ? static_cast<int>(code) : 500;
}

void append_to(json::object& object, std::string_view key, std::string_view more) {
  auto& value = object[key];
  if (!value.is_string()) value = json::string();
  value.get_string().append({more.data(), more.size()});
}

}  // namespace

std::unexpected<Failure> OpenAiReply::malformed(std::string_view what,
                                                std::string_view json) const {
  return std::unexpected(
      Failure{{Errc::upstream, "`" + context_->model + "`: the endpoint sent " + std::string(what) +
                                   ": " + quote(json, context_->key, kShortQuote)},
              false,
              Fault::failed,
              "it sent " + std::string(what)});
}

std::expected<Delta, Failure> OpenAiReply::add(std::string_view text) {
  // Most events fit into the buffer, so that parsing one allocates nothing.
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer);
  boost::system::error_code error;
  const auto parsed = json::parse({text.data(), text.size()}, error, &memory,
                                  {.max_depth = 64, .allow_invalid_utf8 = true});
  if (error) return malformed("an answer that is not JSON (" + error.message() + ")", text);
  const auto* reply = parsed.if_object();
  if (reply == nullptr) return malformed("an answer that is not a JSON object", text);
  if (const auto* said = reply->if_contains("error"); said && !said->is_null()) {
    const int status = said->is_object() ? status_of(said->get_object()) : 500;
    return std::unexpected(read_error(status, text, {}, *context_));
  }
  if (const auto* usage = object_in(*reply, "usage")) read_usage(*usage);

  Delta delta;
  const auto* choices = array_in(*reply, "choices");
  if (choices == nullptr) return delta;
  for (const auto& value : *choices) {
    const auto* choice = value.if_object();
    if (choice == nullptr) return malformed("a choice that is not an object", text);
    if (count_in(*choice, "index").value_or(0) != 0) continue;  // one answer was asked for
    if (auto added = add_choice(*choice, delta); !added) return std::unexpected(added.error());
  }
  return delta;
}

OpenAiReply::Status OpenAiReply::add_choice(const json::object& choice, Delta& delta) {
  answered_ = true;
  const auto* message = object_in(choice, "delta");
  if (message == nullptr) message = object_in(choice, "message");
  if (const auto* logprobs = object_in(choice, "logprobs")) {
    delta.logprobs = read_logprobs(*logprobs);
    tokens_.insert(tokens_.end(), delta.logprobs.begin(), delta.logprobs.end());
  }
  add_text(message ? content_of(*message) : std::string(text_in(choice, "text")), delta);
  if (message != nullptr) {
    // Some endpoints give both, with the same text.
    auto reasoning = text_in(*message, "reasoning_content");
    if (reasoning.empty()) reasoning = text_in(*message, "reasoning");
    delta.reasoning += base::replace_invalid_utf8(reasoning);
    reasoning_ += delta.reasoning;
    bytes_ += static_cast<std::int64_t>(reasoning.size());
    started_ = started_ || !reasoning.empty();
    if (const auto* calls = array_in(*message, "tool_calls")) {
      if (auto added = add_calls(*calls); !added) return added;
    }
  }
  if (const auto reason = text_in(choice, "finish_reason"); !reason.empty()) read_finish(reason);
  return {};
}

void OpenAiReply::add_text(std::string_view text, Delta& delta) {
  const int tokens =
      delta.logprobs.empty() ? !text.empty() : static_cast<int>(delta.logprobs.size());
  bytes_ += static_cast<std::int64_t>(text.size());
  started_ = started_ || tokens > 0;
  partial_.append(text);
  partial_tokens_ += tokens;
  partial_logprobs_.insert(partial_logprobs_.end(), std::make_move_iterator(delta.logprobs.begin()),
                           std::make_move_iterator(delta.logprobs.end()));
  delta.logprobs.clear();
  const auto whole = base::complete_utf8_prefix(partial_);
  if (whole == 0) return;
  delta.text += base::replace_invalid_utf8(std::string_view(partial_).substr(0, whole));
  delta.tokens += std::exchange(partial_tokens_, 0);
  delta.logprobs = std::exchange(partial_logprobs_, {});
  partial_.erase(0, whole);
  text_ += delta.text;
}

Delta OpenAiReply::flush() {
  Delta delta{base::replace_invalid_utf8(partial_), std::exchange(partial_tokens_, 0),
              std::exchange(partial_logprobs_, {})};
  partial_.clear();
  text_ += delta.text;
  return delta;
}

OpenAiReply::Status OpenAiReply::add_calls(const json::array& calls) {
  for (const auto& value : calls) {
    const auto* call = value.if_object();
    if (call == nullptr) return malformed("a tool call that is not an object", "");
    started_ = true;
    const auto id = text_in(*call, "id");
    // Some endpoints leave the index out; then an id begins a new call.
    const auto index = count_in(*call, "index")
                           .value_or(static_cast<std::int64_t>(
                               id.empty() && !calls_.empty() ? calls_.size() - 1 : calls_.size()));
    const auto at = static_cast<std::size_t>(index);
    if (at > calls_.size() || at >= kMaxToolCalls) {
      return malformed("a tool call whose index is out of order, " + std::to_string(index), "");
    }
    if (at == calls_.size()) {
      calls_.push_back(
          {{"id", ""}, {"type", "function"}, {"function", {{"name", ""}, {"arguments", ""}}}});
    }
    auto& whole = calls_[at];
    if (!id.empty()) whole["id"] = id;
    const auto* function = object_in(*call, "function");
    if (function == nullptr) continue;
    auto& target = whole["function"].get_object();
    append_to(target, "name", text_in(*function, "name"));
    append_to(target, "arguments", text_in(*function, "arguments"));
    bytes_ += static_cast<std::int64_t>(text_in(*function, "name").size() +
                                        text_in(*function, "arguments").size());
  }
  return {};
}

void OpenAiReply::read_finish(std::string_view reason) {
  if (reason == "length" || reason == "max_tokens") {
    finish_ = Finish::length;
  } else if (reason == "tool_calls" || reason == "function_call") {
    finish_ = Finish::tool_calls;
  } else if (reason == "content_filter") {
    finish_ = Finish::content_filter;
  } else {
    finish_ = Finish::stop;
  }
}

void OpenAiReply::read_usage(const json::object& usage) {
  const auto prompt = count_in(usage, "prompt_tokens");
  if (!prompt) return;
  Usage read{.prompt = *prompt};
  read.completion = count_in(usage, "completion_tokens").value_or(0);
  const auto* details = object_in(usage, "prompt_tokens_details");
  const auto cached =
      details ? count_in(*details, "cached_tokens") : count_in(usage, "prompt_cache_hit_tokens");
  read.cached = std::min(cached.value_or(0), read.prompt);
  usage_ = read;
}

Answer OpenAiReply::take() {
  Answer answer{.text = std::move(text_), .reasoning = std::move(reasoning_)};
  for (auto& call : calls_) answer.tool_calls.emplace_back(std::move(call));
  answer.finish = finish_.value_or(Finish::stop);
  // Some endpoints say "stop" after a tool call; what was written decides.
  if (!answer.tool_calls.empty() && answer.finish == Finish::stop)
    answer.finish = Finish::tool_calls;
  answer.tokens = std::move(tokens_);
  return answer;
}

}  // namespace lichen::model
