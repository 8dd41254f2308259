#include "mechanisms/routing/handover_by_text.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "mechanisms/routing/handover_writing.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;
using model::PreparedRequest;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Takes one stretch of large into the answer. U+FFFD at its end waits: it may be the half of a
/// character at which the stretch was cut off.
class Relay : public Sink {
 public:
  Relay(model::AnswerWriter& writer, const std::string& author)
      : writer_(writer), author_(author) {}

  awaitable<bool> write(Piece piece) override {
    std::string text = std::exchange(held_, {}) + piece.text;
    while (text.ends_with(kReplacement)) {
      held_ += kReplacement;
      text.resize(text.size() - kReplacement.size());
    }
    tokens_ += piece.tokens;
    text_ += text;
    more_ = co_await writer_.write_text(std::move(text), piece.tokens, std::move(piece.logprobs),
                                        author_);
    co_return more_ && *more_;
  }
  /// The stretch is complete, with `tokens` tokens as large counts them. `last`: large writes no
  /// more, so what waited is text.
  awaitable<Result<bool>> end(bool last, std::int64_t tokens) {
    if (last && !held_.empty()) {
      more_ = co_await writer_.write_text(std::exchange(held_, {}), 0, {}, author_);
    }
    writer_.count(static_cast<int>(tokens) - tokens_, author_);
    co_return more_;
  }

  const std::string& text() const { return text_; }
  /// False once a stop string has ended the answer; an error if showing failed.
  const Result<bool>& more() const { return more_; }

 private:
  model::AnswerWriter& writer_;
  const std::string& author_;
  std::string held_;
  std::string text_;
  int tokens_ = 0;
  Result<bool> more_ = true;
};

/// The relay works wherever large does.
class WritingByText : public HandoverWriting {
 public:
  WritingByText(LocalModel& small, Model& large, const HandoverOptions& options,
                const Request& request, const PreparedRequest& job, Turn& turn)
      : HandoverWriting(
            options,
            {.small = small, .prompt = job.prompt, .large = large.name(), .job = job, .of = small},
            turn),
        request_(request),
        context_(small.context_length()),
        max_tokens_(job.form.max_tokens),
        large_(large) {}

 private:
  /// Half of a character cannot be handed over.
  bool can_hand_over() const override { return base::complete_utf8_prefix(text_) == text_.size(); }

  awaitable<Result<bool>> add(Row row, const CoWriter& author) override {
    text_ += vocabulary_.piece(row.token);
    return HandoverWriting::add(std::move(row), author);
  }

  /// Stretches of large until it may hand back. False: the answer is complete.
  awaitable<Result<bool>> take_over(Token likeliest) override {
    for (std::int64_t span = options_.span;;) {
      const std::size_t before = tokens_.tokens.size();
      const std::int64_t written = writer_.tokens();
      const Result<bool> more = co_await stretch(span);
      if (!more || !*more) co_return more;
      const std::size_t heard = tokens_.tokens.size() - before;
      // Nothing but the beginning of a character: more tokens are needed to end it.
      if (heard == 0) span = std::min<std::int64_t>(4 * span, max_tokens_);
      // A stretch of nothing at all: large's context is full, say.
      const bool stands_still = heard == 0 && writer_.tokens() == written;
      if (stands_still || writer_.tokens() >= max_tokens_ ||
          small_.prompt_tokens() + std::ssize(tokens_.tokens) >= context_) {
        ended_ = Finish::length;
        co_return false;
      }
      if (heard == 0) continue;
      const Result<bool> agreed = co_await agrees(before, likeliest);
      if (!agreed || *agreed) co_return agreed;
      likeliest = -1;  // small has not looked there
    }
  }

  /// One request to large. False: the answer is complete.
  awaitable<Result<bool>> stretch(std::int64_t span) {
    const std::int64_t left = max_tokens_ - writer_.tokens();
    Request request = request_;
    request.begun += base::replace_invalid_utf8(text_);
    request.max_tokens = static_cast<int>(std::min(span, left));
    Relay relay(writer_, large_.name());
    const auto turn = turn_.child(&relay);
    const Result<Answer> answer = co_await large_.answer(std::move(request), *turn);
    turn_.absorb(*turn);
    if (!relay.more() || !*relay.more()) co_return relay.more();
    if (!answer) co_return std::unexpected(answer.error());
    const bool cut = answer->finish == Finish::length;
    const Result<bool> more = co_await relay.end(!cut, answer->completion_tokens);
    if (!more || !*more) co_return more;
    if (answer->finish == Finish::content_filter) ended_ = answer->finish;
    if (!cut) co_return false;
    text_ += relay.text();
    Result<std::vector<Token>> tokens = vocabulary_.tokenize(relay.text(), false);
    if (!tokens) co_return std::unexpected(std::move(tokens.error()));
    for (const Token token : *tokens) tokens_.add(token, nullptr);
    co_return true;
  }

  /// Whether large's last tokens, which begin at `first`, are small's likeliest too.
  awaitable<Result<bool>> agrees(std::size_t first, Token likeliest) {
    if (options_.back == 0) co_return true;
    Want argmaxes;
    argmaxes.rows = Want::Rows::all;
    Result<std::vector<Row>> rows = co_await small_.read(argmaxes, 1);
    if (!rows) co_return std::unexpected(std::move(rows.error()));
    rows->insert(rows->begin(), Row{.token = likeliest});
    int agreed = 0;
    for (std::size_t i = first; i < tokens_.tokens.size(); ++i) {
      // Rows may begin before `first`, where small had a token of an earlier stretch to read.
      const std::size_t row = rows->size() - (tokens_.tokens.size() - i);
      agreed = (*rows)[row].token == tokens_.tokens[i] ? agreed + 1 : 0;
    }
    co_return agreed >= options_.back;
  }

  const Request& request_;
  const std::int64_t context_;
  const std::int64_t max_tokens_;
  Model& large_;
  std::string text_;  // of the answer, with what is held back from the stream
};

/// What a model cannot take up where the other has left it.
std::optional<Error> unsupported(const Request& request) {
  const auto no = [](std::string_view what) {
    return Error{
        Errc::unsupported,
        "handover between models without a common vocabulary cannot have " + std::string(what)};
  };
  if (!request.tools.empty()) return no("tools");
  if (!request.format.free()) return no("a grammar or response_format");
  if (!request.sampling.logit_bias.empty()) return no("a logit_bias, which names one's tokens");
  return std::nullopt;
}

class HandoverByText : public Answerer {
 public:
  HandoverByText(std::shared_ptr<LocalModel> small, ModelPtr large, const HandoverOptions& options)
      : small_(std::move(small)), large_(std::move(large)), options_(options) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (std::optional<Error> no = unsupported(request)) co_return std::unexpected(*std::move(no));
    Result<PreparedRequest> job = co_await small_->prepare(request);
    if (!job) co_return std::unexpected(std::move(job.error()));
    co_return co_await asio::co_spawn(small_->lane().executor(),
                                      on_lane(std::move(request), *std::move(job), turn),
                                      asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(Request request, PreparedRequest job, Turn& turn) {
    WritingByText writing(*small_, *large_, options_, request, job, turn);
    co_return co_await writing.answer();
  }

  const std::shared_ptr<LocalModel> small_;
  const ModelPtr large_;
  const HandoverOptions options_;
};

}  // namespace

AnswererPtr make_handover_by_text(std::shared_ptr<LocalModel> small, ModelPtr large,
                                  const HandoverOptions& options) {
  return std::make_shared<HandoverByText>(std::move(small), std::move(large), options);
}

}  // namespace lichen::mechanisms
