#include "mechanisms/fusion/blend_by_pieces.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mechanisms/fusion/piece_sampler.h"
#include "mechanisms/fusion/piece_voice.h"
#include "mechanisms/in_step.h"
#include "model/rows.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;
using model::PreparedRequest;
using VoicePtr = std::unique_ptr<PieceVoice>;

struct Member {
  ModelPtr model;
  std::shared_ptr<LocalModel> local;         // null: remote
  std::shared_ptr<const Spelling> spelling;  // of a local one
};

/// What one step chooses from: pieces, and what the models asked make of each.
struct Choice {
  std::vector<std::string> pieces;
  std::vector<float> logprobs;  // 1 in sum, as probabilities

  AnswerToken token(std::size_t chosen, int alternatives) const {
    AnswerToken token{.text = pieces[chosen], .logprob = logprobs[chosen]};
    for (const TokenProb& each : model::top_k(logprobs, alternatives, 0)) {
      token.top.push_back({pieces[static_cast<std::size_t>(each.token)], each.logprob});
    }
    return token;
  }
};

/// One answer. On the first model's lane.
class Writing {
 public:
  /// `jobs`: of the local members.
  Writing(const std::vector<Member>& members, const BlendOptions& options, const Request& request,
          std::vector<PreparedRequest> jobs, Turn& turn)
      : members_(members),
        options_(options),
        jobs_(std::move(jobs)),
        turn_(turn),
        sampler_(jobs_.front().sampling),
        writer_(jobs_.front().form, turn) {
    auto job = jobs_.begin();
    for (const Member& member : members_) {
      voices_.push_back(member.local != nullptr
                            ? make_local_voice(*member.local, *member.spelling, (job++)->prompt,
                                               options.top, turn)
                            : make_remote_voice(*member.model, request, options.top, turn));
    }
  }

  awaitable<Result<Answer>> answer() {
    const Result<void> written = co_await write();
    const std::int64_t tokens = writer_.tokens();
    Result<Answer> answer = std::unexpected(written ? Error{} : written.error());
    if (written) answer = co_await writer_.finish();
    for (std::size_t i = voices_.size(); i-- > 0;) {  // who answers comes last
      const auto step =
          i == 0 ? voices_[i]->step(tokens, "answer") : voices_[i]->step(asked_, "blend");
      if (!step) continue;
      turn_.receipt.steps.push_back(*step);
      if (answer && i == 0) answer->cached_tokens = step->tokens_cached;
    }
    turn_.receipt.decisions.push_back(
        asked_decision("blend", name(), options_.gate, asked_, choices_));
    if (!answer) co_return answer;
    if (full_) answer->finish = Finish::length;
    answer->prompt_tokens = static_cast<std::int64_t>(jobs_.front().prompt.size());
    if (answer->authors.empty()) answer->authors = {{.model = name()}};
    co_return answer;
  }

 private:
  const std::string& name() const { return members_.front().model->name(); }

  awaitable<Result<void>> write() {
    for (;;) {
      const Result<std::vector<PieceVoice*>> asked = co_await look();
      if (!asked) co_return std::unexpected(asked.error());
      const Result<Choice> choice = weigh(*asked);
      if (!choice) co_return std::unexpected(choice.error());
      const std::size_t chosen = sampler_.choose(choice->logprobs);
      const std::string& piece = choice->pieces[chosen];
      if (piece.empty()) co_return Result<void>{};
      for (const VoicePtr& voice : voices_) voice->hear(piece);
      const Result<bool> more =
          co_await add(choice->token(chosen, jobs_.front().form.top_logprobs));
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>{};
    }
  }

  /// Those that have a say here: the first, and where it is asked for and they can, the others.
  awaitable<Result<std::vector<PieceVoice*>>> look() {
    std::vector<PieceVoice*> asked;
    for (const VoicePtr& voice : voices_) {
      Result<void> looked = co_await voice->look();
      if (!looked) co_return std::unexpected(std::move(looked.error()));
      asked.push_back(voice.get());
      if (asked.size() == 1 && options_.gate && voice->entropy() <= *options_.gate) break;
    }
    ++choices_;
    asked_ += asked.size() > 1;
    co_return asked;
  }

  Result<Choice> weigh(const std::vector<PieceVoice*>& asked) const {
    Choice choice;
    for (const PieceVoice* voice : asked) {
      for (const std::string& piece : voice->likeliest()) {
        if (std::ranges::find(choice.pieces, piece) == choice.pieces.end()) {
          choice.pieces.push_back(piece);
        }
      }
    }
    std::vector<std::vector<float>> rows;
    std::vector<double> weights, entropies;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!asked[i]->speaks()) continue;
      std::vector<float>& row = rows.emplace_back();
      for (const std::string& piece : choice.pieces) {
        row.push_back(static_cast<float>(asked[i]->logprob(piece)));
      }
      weights.push_back(options_.weights[i]);
      if (options_.by_confidence) entropies.push_back(asked[i]->entropy());
    }
    // Alone, the first has its say whatever its weight.
    if (rows.size() == 1) weights.front() = 1;
    weights = blend_weights(weights, entropies);
    std::vector<Voice> voices;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      voices.push_back(
          {.logits = rows[i], .norm = model::log_sum_exp(rows[i]), .weight = weights[i]});
    }
    blend(options_.rule, voices, choice.logprobs);
    const double norm = model::log_sum_exp(choice.logprobs);
    if (!std::isfinite(norm)) {
      return fail(Errc::unsupported,
                  "the models have no possible piece in common here; a mean would have one");
    }
    for (float& logprob : choice.logprobs) logprob -= static_cast<float>(norm);
    return choice;
  }

  awaitable<Result<bool>> add(AnswerToken token) {
    std::string text = token.text;
    std::vector<AnswerToken> tokens;
    tokens.push_back(std::move(token));
    const Result<bool> more =
        co_await writer_.write_text(std::move(text), 1, std::move(tokens), name());
    if (!more || !*more) co_return more;
    full_ = writer_.tokens() >= jobs_.front().form.max_tokens ||
            !std::ranges::all_of(voices_, [](const VoicePtr& voice) { return voice->has_room(); });
    co_return !full_;
  }

  const std::vector<Member>& members_;
  const BlendOptions& options_;
  const std::vector<PreparedRequest> jobs_;
  Turn& turn_;
  std::vector<VoicePtr> voices_;  // of each member
  PieceSampler sampler_;
  model::AnswerWriter writer_;
  std::int64_t choices_ = 0;
  std::int64_t asked_ = 0;  // choices in which the others had a say
  bool full_ = false;
};

/// What goes by one model's tokens has no meaning for pieces.
std::optional<Error> unsupported(const Request& request, const Sampling& sampling) {
  const auto no = [](std::string_view what) {
    return Error{Errc::unsupported,
                 "`blend` of models without a common vocabulary cannot have " + std::string(what)};
  };
  if (!request.tools.empty()) return no("tools");
  if (!request.format.free()) return no("a grammar or response_format");
  if (!sampling.logit_bias.empty()) return no("a logit_bias, which names one's tokens");
  if (sampling.repetition_penalty.value_or(1) != 1 || sampling.presence_penalty.value_or(0) != 0 ||
      sampling.frequency_penalty.value_or(0) != 0) {
    return no("penalties, which count one's tokens");
  }
  return std::nullopt;
}

class BlendByPieces : public Answerer {
 public:
  BlendByPieces(std::vector<ModelPtr> models, const BlendOptions& options) : options_(options) {
    for (ModelPtr& model : models) {
      Member member;
      member.local = std::dynamic_pointer_cast<LocalModel>(model);
      member.model = std::move(model);
      if (member.local != nullptr) {
        member.spelling = std::make_shared<const Spelling>(member.local->vocabulary());
      }
      members_.push_back(std::move(member));
    }
  }

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (auto no = unsupported(request, request.sampling)) co_return std::unexpected(*std::move(no));
    std::vector<PreparedRequest> jobs;
    for (const Member& member : members_) {
      if (member.local == nullptr) continue;
      Result<PreparedRequest> job = co_await member.local->prepare(request);
      if (!job) co_return std::unexpected(std::move(job.error()));
      jobs.push_back(*std::move(job));
    }
    if (auto no = unsupported(request, jobs.front().sampling)) {
      co_return std::unexpected(*std::move(no));
    }
    LocalModel& first = *members_.front().local;
    co_return co_await asio::co_spawn(first.lane().executor(),
                                      on_lane(std::move(request), std::move(jobs), turn),
                                      asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(Request request, std::vector<PreparedRequest> jobs,
                                    Turn& turn) {
    Writing writing(members_, options_, request, std::move(jobs), turn);
    co_return co_await writing.answer();
  }

  std::vector<Member> members_;
  const BlendOptions options_;
};

}  // namespace

AnswererPtr make_blend_by_pieces(std::vector<ModelPtr> models, const BlendOptions& options) {
  return std::make_shared<BlendByPieces>(std::move(models), options);
}

}  // namespace lichen::mechanisms
