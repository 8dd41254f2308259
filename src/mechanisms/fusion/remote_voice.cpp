#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/utf8.h"
#include "mechanisms/fusion/piece_voice.h"

namespace lichen::mechanisms {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

class RemoteVoice : public PieceVoice {
 public:
  RemoteVoice(Model& model, const Request& request, int top, Turn& turn)
      : model_(model), request_(request), turn_(turn) {
    request_.max_tokens = 1;
    request_.stop.clear();
    request_.sampling = {.temperature = 0};
    request_.logprobs = true;
    request_.top_logprobs = top;
  }

  awaitable<Result<void>> look() override {
    likeliest_.clear();
    logprobs_.clear();
    if (base::complete_utf8_prefix(text_) != text_.size()) co_return Result<void>{};
    Request request = request_;
    request.begun += base::replace_invalid_utf8(text_);
    const auto turn = turn_.child();
    const Result<Answer> answer = co_await model_.answer(std::move(request), *turn);
    turn_.absorb(*turn);
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->tokens.empty()) {
      if (!answer->text.empty()) {
        co_return fail(Errc::unsupported, "`blend` needs the log-probabilities of the tokens of `" +
                                              model_.name() + "`, and its endpoint gives none");
      }
      add("", 0);
    } else {
      const AnswerToken& token = answer->tokens.front();
      for (const TokenLogprob& each : token.top) add(each.text, each.logprob);
      if (token.top.empty()) add(token.text, token.logprob);
    }
    weigh_rest();
    co_return Result<void>{};
  }

  bool speaks() const override { return !likeliest_.empty(); }
  const std::vector<std::string>& likeliest() const override { return likeliest_; }

  double logprob(std::string_view piece) const override {
    // Of a piece that is not listed, the longest that it begins with: as a local model's first
    // token of it.
    std::size_t best = likeliest_.size();
    for (std::size_t i = 0; i < likeliest_.size(); ++i) {
      if (likeliest_[i] == piece) return logprobs_[i];
      if (likeliest_[i].empty() || !piece.starts_with(likeliest_[i])) continue;
      if (best == likeliest_.size() || likeliest_[i].size() > likeliest_[best].size()) best = i;
    }
    return best < likeliest_.size() ? logprobs_[best] : rest_;
  }

  double entropy() const override { return entropy_; }
  void hear(std::string_view piece) override { text_ += piece; }

 private:
  void add(std::string_view piece, double logprob) {
    likeliest_.emplace_back(piece);
    logprobs_.push_back(logprob);
  }

  void weigh_rest() {
    double listed = 0;
    double least = 0;
    entropy_ = 0;
    for (const double logprob : logprobs_) {
      listed += std::exp(logprob);
      least = std::min(least, logprob);
      entropy_ -= std::exp(logprob) * logprob;
    }
    const double rest = std::max(0.0, 1 - listed);
    rest_ = rest > 0 ? std::min(least, std::log(rest)) : kNever;
    if (rest > 0) entropy_ -= rest * std::log(rest);
  }

  Model& model_;
  Request request_;
  Turn& turn_;
  std::string text_;  // of the answer
  std::vector<std::string> likeliest_;
  std::vector<double> logprobs_;
  double rest_ = kNever;  // of a piece that is not listed
  double entropy_ = 0;    // what is not listed counts as one piece
};

}  // namespace

std::unique_ptr<PieceVoice> make_remote_voice(Model& model, const Request& request, int top,
                                              Turn& turn) {
  return std::make_unique<RemoteVoice>(model, request, top, turn);
}

}  // namespace lichen::mechanisms
