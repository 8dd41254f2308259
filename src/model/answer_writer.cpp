#include "model/answer_writer.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/utf8.h"

namespace lichen::model {

AnswerWriter::AnswerWriter(const AnswerForm& form, const ChatFormat& chat, Turn& turn)
    : AnswerWriter(form, turn) {
  chat_ = &chat;
}

AnswerWriter::AnswerWriter(const AnswerForm& form, Turn& turn)
    : form_(form),
      chat_(nullptr),
      turn_(turn),
      text_(form.stops),
      before_call_(form.chat.call_starts) {}

std::int64_t AnswerWriter::tokens_of(std::string_view author) const {
  std::int64_t tokens = 0;
  for (const Stretch& stretch : answer_.authors) {
    if (stretch.model == author) tokens += stretch.tokens;
  }
  return tokens;
}

awaitable<Result<bool>> AnswerWriter::write(Row row, const Vocabulary& vocabulary,
                                            const std::string& author) {
  if (vocabulary.ends(row.token)) co_return false;
  const std::string_view bytes = vocabulary.piece(row.token);
  AnswerToken& written = answer_.tokens.emplace_back(std::string(bytes), row.logprob);
  for (const TokenProb& other : row.top) {
    written.top.push_back({std::string(vocabulary.piece(other.token)), other.logprob});
  }
  add(bytes, 1, author);
  if (form_.logprobs) open_.back().logprobs.push_back(written);
  const Result<bool> more = co_await go_on(bytes);
  if (!more || !*more || tokens() < form_.max_tokens) co_return more;
  answer_.finish = Finish::length;
  co_return false;
}

awaitable<Result<bool>> AnswerWriter::write_text(std::string text, int tokens,
                                                 std::vector<AnswerToken> logprobs,
                                                 const std::string& author) {
  add(text, tokens, author);
  if (form_.logprobs) std::ranges::copy(logprobs, std::back_inserter(open_.back().logprobs));
  std::ranges::move(logprobs, std::back_inserter(answer_.tokens));
  co_return co_await go_on(text);
}

void AnswerWriter::count(int more_tokens, const std::string& author) {
  if (more_tokens == 0) return;
  Open& part = open(author);
  part.tokens = std::max(0, part.tokens + more_tokens);
  answer_.authors.back().tokens += more_tokens;
  answer_.completion_tokens += more_tokens;
}

/// The author's stretch, which is the last one.
AnswerWriter::Open& AnswerWriter::open(const std::string& author) {
  std::vector<Stretch>& authors = answer_.authors;
  if (authors.empty() || authors.back().model != author) {
    authors.push_back({.model = author});
    open_.push_back({.stretch = authors.size() - 1});
  }
  return open_.back();
}

/// Tells who wrote the bytes that come next.
void AnswerWriter::add(std::string_view bytes, int tokens, const std::string& author) {
  Open& part = open(author);
  part.held += bytes.size();
  part.tokens += tokens;
  answer_.authors.back().tokens += tokens;
  answer_.completion_tokens += tokens;
}

awaitable<Result<bool>> AnswerWriter::go_on(std::string_view bytes) {
  std::string certain = take_ready(text_.push(bytes));
  if (!certain.empty()) {
    Result<void> sent = co_await show(std::move(certain), false);
    if (!sent) co_return std::unexpected(std::move(sent.error()));
  }
  co_return !text_.stopped();
}

/// Adds to the answer's text what will not change any more; returns what of it may be shown: of a
/// reply that may hold tool calls, what stands before any.
std::string AnswerWriter::take_ready(std::string ready) {
  std::size_t at = 0;
  for (Open& part : open_) {
    std::size_t size = ready.size() - at;
    if (&part != &open_.back()) {
      size =
          base::complete_utf8_prefix(std::string_view(ready).substr(at, std::min(size, part.held)));
    }
    part.ready += size;
    answer_.authors[part.stretch].bytes += static_cast<std::int64_t>(size);
    at += size;
  }
  std::size_t held = text_.held();
  for (auto part = open_.rbegin(); part != open_.rend(); ++part) {
    part->held = std::min(part->held, held);
    held -= part->held;
  }
  answer_.text += ready;
  if (!form_.tools) return ready;
  return form_.chat.call_starts.empty() ? std::string() : before_call_.push(ready);
}

/// Sends `text`, a piece for each author; tokens without text go with the next piece. `last`: all
/// that has not been told goes along.
awaitable<Result<void>> AnswerWriter::show(std::string text, bool last) {
  std::vector<Piece> pieces;
  Piece piece;
  std::size_t at = 0;
  for (Open& part : open_) {
    if (at == text.size() && !last) break;
    const bool rest = &part == &open_.back();
    const std::size_t size = rest ? text.size() - at : std::min(text.size() - at, part.ready);
    piece.tokens += std::exchange(part.tokens, 0);
    std::ranges::move(std::exchange(part.logprobs, {}), std::back_inserter(piece.logprobs));
    part.ready -= std::min(part.ready, size);
    if (size == 0 && !(rest && last)) continue;
    piece.model = answer_.authors[part.stretch].model;
    piece.text = text.substr(at, size);
    at += size;
    pieces.push_back(std::exchange(piece, {}));
  }
  while (open_.size() > 1 && open_.front().held + open_.front().ready == 0 &&
         open_.front().tokens == 0) {
    open_.pop_front();
  }
  shown_ += text.size();
  for (Piece& one : pieces) {
    Result<void> sent = co_await turn_.emit(std::move(one));
    if (!sent) co_return sent;
  }
  co_return Result<void>{};
}

awaitable<Result<Answer>> AnswerWriter::finish() {
  std::string rest = take_ready(text_.finish());
  if (!rest.empty()) {
    Result<void> sent = co_await show(std::move(rest), false);
    if (!sent) co_return std::unexpected(std::move(sent.error()));
  }
  if (form_.tools) {
    Result<std::string> unseen = read_calls();
    if (!unseen) co_return std::unexpected(std::move(unseen.error()));
    Result<void> sent = co_await show(*std::move(unseen), true);
    if (!sent) co_return std::unexpected(std::move(sent.error()));
  }
  const std::vector<std::string>& templates = form_.chat.stops;
  if (std::ranges::find(templates, text_.stop()) == templates.end()) {
    answer_.stop_string = text_.stop();
  }
  co_return std::move(answer_);
}

/// Splits the reply into text and calls; returns what of the text has not been shown.
Result<std::string> AnswerWriter::read_calls() {
  Result<ParsedReply> reply = chat_->parse(form_.chat, answer_.text);
  if (!reply) return std::unexpected(reply.error());
  const std::string shown = answer_.text.substr(0, shown_);
  answer_.tool_calls = std::move(reply->tool_calls);
  const bool calls = !answer_.tool_calls.empty();
  if (calls && answer_.finish == Finish::stop) answer_.finish = Finish::tool_calls;
  // Parsers trim; what has been shown stands.
  if (reply->content.starts_with(shown)) {
    answer_.text = std::move(reply->content);
  } else if (!answer_.tool_calls.empty()) {
    answer_.text = shown;
  }
  fit_authors();
  return answer_.text.substr(shown_);
}

/// The authors' bytes add up to the text again after it was shortened.
void AnswerWriter::fit_authors() {
  auto left = static_cast<std::int64_t>(answer_.text.size());
  for (Stretch& stretch : answer_.authors) {
    stretch.bytes = std::min(stretch.bytes, left);
    left -= stretch.bytes;
  }
  if (!answer_.authors.empty()) answer_.authors.back().bytes += left;
}

}  // namespace lichen::model
