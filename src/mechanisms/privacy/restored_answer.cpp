#include "mechanisms/privacy/restored_answer.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <iterator>
#include <string_view>

namespace lichen::mechanisms {
namespace {

/// A whole text, stretch by stretch, so that each author's bytes can be counted anew.
std::string restored_text(const std::string& text, std::vector<Stretch>& authors,
                          const Restoring& restoring) {
  Restorer restorer(restoring.vault, restoring.setting);
  std::string out = restoring.before;
  std::size_t at = 0, counted = 0;
  for (Stretch& author : authors) {
    const bool last = &author == &authors.back();
    const std::size_t left = text.size() - at;
    const std::size_t size =
        last ? left
             : std::min(left, static_cast<std::size_t>(std::max<std::int64_t>(author.bytes, 0)));
    out += restorer.push(std::string_view(text).substr(at, size));
    at += size;
    if (last) out += restorer.finish();
    author.bytes = static_cast<std::int64_t>(out.size() - counted);
    counted = out.size();
  }
  if (authors.empty()) out += restorer.push(text) + restorer.finish();
  return out;
}

void restore_arguments(boost::json::value& call, const std::shared_ptr<const RequestVault>& vault) {
  boost::json::object* object = call.if_object();
  boost::json::value* function = object == nullptr ? nullptr : object->if_contains("function");
  object = function == nullptr ? nullptr : function->if_object();
  boost::json::value* arguments = object == nullptr ? nullptr : object->if_contains("arguments");
  if (arguments == nullptr || !arguments->is_string()) return;
  Restorer restorer(vault, privacy::Setting::json);
  *arguments = boost::json::string(restorer.push(arguments->get_string()) + restorer.finish());
}

}  // namespace

void RestoredStream::add(std::string text, std::vector<AnswerToken> logprobs) {
  ready_.text += std::exchange(before_, {}) + std::move(text);
  ready_.logprobs.insert(ready_.logprobs.end(), std::make_move_iterator(logprobs.begin()),
                         std::make_move_iterator(logprobs.end()));
}

awaitable<bool> RestoredStream::write(Piece piece) {
  ready_.model = std::move(piece.model);
  ready_.tokens += piece.tokens;
  ready_.reasoning += reasoning_.push(piece.reasoning);
  if (!piece.text.empty()) ready_.reasoning += reasoning_.finish();  // it comes before the text
  add(text_.push(piece.text), tokens_.push(std::move(piece.logprobs)));
  if (ready_.text.empty() && ready_.reasoning.empty()) co_return true;
  sent_ = co_await pass();
  co_return sent_.has_value();
}

awaitable<Result<void>> RestoredStream::finish() {
  if (!sent_) co_return sent_;
  ready_.reasoning += reasoning_.finish();
  add(text_.finish(), tokens_.finish());
  if (ready_.text.empty() && ready_.logprobs.empty() && ready_.reasoning.empty()) {
    co_return Result<void>{};
  }
  co_return co_await pass();
}

awaitable<Result<void>> RestoredStream::pass() {
  shown_ = true;
  co_return co_await turn_.emit(std::exchange(ready_, {}));
}

Answer restored(Answer answer, const Restoring& restoring) {
  answer.text = restored_text(answer.text, answer.authors, restoring);
  if (!answer.tokens.empty()) {
    RestoredTokens tokens(restoring.vault, restoring.setting);
    std::vector<AnswerToken> all = tokens.push(std::exchange(answer.tokens, {}));
    for (AnswerToken& token : tokens.finish()) all.push_back(std::move(token));
    // What was certain beforehand.
    if (!restoring.before.empty()) all.insert(all.begin(), {.text = restoring.before});
    answer.tokens = std::move(all);
  }
  for (boost::json::value& call : answer.tool_calls) restore_arguments(call, restoring.vault);
  const auto restore = [&restoring](std::string& text) {
    Restorer restorer(restoring.vault, privacy::Setting::text);
    text = restorer.push(text) + restorer.finish();
  };
  restore(answer.reasoning);
  restore(answer.stop_string);
  for (Citation& citation : answer.citations) restore(citation.text);
  return answer;
}

}  // namespace lichen::mechanisms
