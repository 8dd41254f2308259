#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "mechanisms/fusion/aligned_tokens.h"
#include "mechanisms/fusion/piece_voice.h"
#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

class LocalVoice : public PieceVoice {
 public:
  LocalVoice(model::LocalModel& model, const Spelling& spelling, std::vector<Token> prompt, int top,
             Turn& turn)
      : model_(model),
        spelling_(spelling),
        prompt_(std::move(prompt)),
        top_(top),
        turn_(turn),
        aligned_(spelling) {}

  awaitable<Result<void>> look() override {
    Result<std::vector<Token>> unread = catch_up();
    if (!unread) co_return std::unexpected(std::move(unread.error()));
    const Want want{.top_k = top_, .entropy = true, .logits = true};
    Result<std::vector<Row>> rows = co_await session_->decode(*unread, want);
    if (!rows) co_return std::unexpected(std::move(rows.error()));
    row_ = std::move(rows->back());
    if (std::ranges::any_of(row_.logits, [](float logit) { return std::isnan(logit); })) {
      co_return fail(Errc::bad_model, "`" + model_.name() + "` computes logits that are NaN");
    }
    norm_ = model::log_sum_exp(row_.logits);
    list();
    co_return Result<void>{};
  }

  const std::vector<std::string>& likeliest() const override { return likeliest_; }

  double logprob(std::string_view piece) const override {
    if (piece.empty()) return end_;
    Token token = spelling_.find(piece);
    if (token < 0) {
      const Result<std::vector<Token>> tokens = spelling_.spell(piece);
      if (!tokens) return kNever;
      token = tokens->front();
    }
    return logprob(token);
  }

  double entropy() const override { return static_cast<double>(row_.entropy); }

  void hear(std::string_view piece) override {
    // Of what it would have said itself it keeps its own token.
    if (fresh_ && !likeliest_.empty() && piece == likeliest_.front()) {
      const auto stand = aligned_.append(piece, row_.top.front().token);
      assert(stand);
      read_ = std::min(read_, *stand);
      ++own_;
    } else {
      heard_ += piece;
    }
    fresh_ = false;
  }

  bool has_room() const override {
    // A byte is a token at most.
    const std::size_t most = prompt_.size() + aligned_.tokens().size() + heard_.size();
    return static_cast<std::int64_t>(most) < model_.context_length();
  }

  std::optional<Step> step(std::int64_t tokens_out, std::string role) const override {
    if (!session_) return std::nullopt;
    return model_.step_of(*session_, std::move(role), tokens_in_, tokens_out);
  }

 private:
  /// Tokens to be read, behind those that the session holds.
  Result<std::vector<Token>> catch_up() {
    std::vector<Token> unread;
    if (!session_) {
      session_.emplace(model_.open_session(turn_));
      unread = prompt_;
    }
    const Result<std::size_t> stand = aligned_.append(std::exchange(heard_, {}));
    if (!stand) {
      return fail(stand.error().code, "`" + model_.name() + "`: " + stand.error().detail);
    }
    read_ = std::min(read_, *stand);
    if (unread.empty()) session_->truncate(static_cast<int>(prompt_.size() + read_));
    const auto tokens = aligned_.tokens().subspan(read_);
    unread.insert(unread.end(), tokens.begin(), tokens.end());
    assert(!unread.empty());
    tokens_in_ += static_cast<std::int64_t>(unread.size()) - std::exchange(own_, 0);
    read_ = aligned_.tokens().size();
    fresh_ = true;
    return unread;
  }

  void list() {
    likeliest_.clear();
    std::vector<float> ends;
    for (const Token end : spelling_.ends()) {
      ends.push_back(row_.logits[static_cast<std::size_t>(end)]);
    }
    end_ = model::log_sum_exp(ends) - norm_;
    for (const TokenProb& each : row_.top) {
      const bool end = spelling_.vocabulary().ends(each.token);
      const std::string_view piece = end ? "" : spelling_.vocabulary().piece(each.token);
      // A control token is nothing that an answer could go on with.
      if (end || !piece.empty()) likeliest_.emplace_back(piece);
    }
    if (row_.top.empty() || likeliest_.empty() || likeliest_.front().empty() ||
        spelling_.vocabulary().piece(row_.top.front().token) != likeliest_.front()) {
      fresh_ = false;  // there is no token of its own to keep
    }
  }

  double logprob(Token token) const {
    return static_cast<double>(row_.logits[static_cast<std::size_t>(token)]) - norm_;
  }

  model::LocalModel& model_;
  const Spelling& spelling_;
  const std::vector<Token> prompt_;
  const int top_;
  Turn& turn_;
  std::optional<Session> session_;
  AlignedTokens aligned_;
  std::string heard_;     // behind the aligned tokens
  std::size_t read_ = 0;  // of the aligned tokens, those that the session holds as they are
  std::int64_t tokens_in_ = 0;
  std::int64_t own_ = 0;  // of the unread tokens
  bool fresh_ = false;    // the row is of where the answer stands, and its first token is text

  Row row_;
  double norm_ = 0;
  double end_ = kNever;
  std::vector<std::string> likeliest_;
};

}  // namespace

std::unique_ptr<PieceVoice> make_local_voice(model::LocalModel& model, const Spelling& spelling,
                                             std::vector<Token> prompt, int top, Turn& turn) {
  return std::make_unique<LocalVoice>(model, spelling, std::move(prompt), top, turn);
}

}  // namespace lichen::mechanisms
