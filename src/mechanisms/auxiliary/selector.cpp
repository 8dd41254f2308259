#include "mechanisms/auxiliary/selector.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/answer_likelihood.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/routing/text_features.h"
#include "mechanisms/side_by_side.h"
#include "mechanisms/tally.h"
#include "mechanisms/verdict.h"

namespace lichen::mechanisms {
namespace {

class ByAgreement : public Selector {
 public:
  const std::string& words() const override { return words_; }
  std::string key(const Answer& answer) const override {
    return normalized(final_answer(said(answer)));
  }

  awaitable<Result<void>> score(const Request&, std::vector<Candidate>& candidates,
                                Turn&) const override {
    for (Candidate& candidate : candidates) candidate.score = candidate.votes;
    co_return Result<void>{};
  }

  int wanted(std::span<const Candidate> candidates, int left) const override {
    std::vector<Votes> cast;
    for (const Candidate& candidate : candidates) cast.push_back(candidate.votes);
    return static_cast<int>(
        votes_wanted(cast, std::vector<Votes>(static_cast<std::size_t>(left), 1)));
  }

 private:
  const std::string words_ = "votes";
};

struct JudgePrompt {
  std::string_view name;
  VerdictWords words;
};

/// By the names of files in prompts/. The first one is the default.
constexpr JudgePrompt kJudgePrompts[] = {{"judge", {.first = "yes", .second = "no"}},
                                         {"verify", {.first = "right", .second = "wrong"}}};

/// A verdict in progress, on a turn of its own.
struct Asked {
  Candidate* candidate;
  std::unique_ptr<Turn> turn;
  Result<double> share = fail(Errc::internal, "not asked");
};

awaitable<void> ask_one(AnswererPtr judge, std::string prompt, VerdictWords words, Asked& asked) {
  asked.share =
      co_await ask_verdict(std::move(judge), std::move(prompt), words, "verify", *asked.turn);
}

class ByJudge : public Selector {
 public:
  ByJudge(AnswererPtr judge, const JudgePrompt& prompt)
      : judge_(std::move(judge)),
        prompt_(prompt),
        words_(fmt::format("P({}) of the verifier", prompt.words.first)) {}

  const std::string& words() const override { return words_; }
  std::string key(const Answer& answer) const override { return normalized(said(answer)); }

  awaitable<Result<void>> score(const Request& request, std::vector<Candidate>& candidates,
                                Turn& turn) const override {
    std::vector<Asked> verdicts;
    for (Candidate& candidate : candidates) {
      if (!candidate.score) verdicts.push_back({.candidate = &candidate, .turn = turn.child()});
    }
    std::vector<awaitable<void>> work;
    for (Asked& asked : verdicts) {
      const std::string answer = said(*asked.candidate->answer);
      Result<std::string> prompt =
          render(prompt_.name, {{"question", question(request)}, {"answer", trimmed(answer)}});
      if (!prompt) co_return std::unexpected(std::move(prompt).error());
      work.push_back(ask_one(judge_, *std::move(prompt), prompt_.words, asked));
    }
    co_await side_by_side(std::move(work));
    bool told = verdicts.empty();
    std::optional<Error> failure;
    for (const Asked& asked : verdicts) {
      turn.absorb(*asked.turn);
      told |= asked.share.has_value();
      // A judge at an endpoint is bound to no grammar and may say something else now and then.
      asked.candidate->score = asked.share.value_or(std::numeric_limits<double>::quiet_NaN());
      if (asked.share || (failure && is_final(*failure, turn))) continue;
      failure = asked.share.error();
    }
    if (failure && (!told || is_final(*failure, turn))) co_return std::unexpected(*failure);
    co_return Result<void>{};
  }

  /// One first: most often the answer as it was asked for is good enough. Then all that are left at
  /// once.
  int wanted(std::span<const Candidate> candidates, int left) const override {
    constexpr double kCertain = 0.99;  // what is better by less than the rest does not count
    if (candidates.empty()) return 1;
    const double best = candidates[best_of(candidates)].score.value_or(0);
    return best >= kCertain ? 0 : left;
  }

 private:
  const AnswererPtr judge_;
  const JudgePrompt& prompt_;
  const std::string words_;
};

class ByLogprob : public Selector {
 public:
  ByLogprob(AnswerLikelihood likelihood, std::string_view verifier)
      : likelihood_(std::move(likelihood)), words_(fmt::format("log-prob under {}", verifier)) {}

  const std::string& words() const override { return words_; }
  std::string key(const Answer& answer) const override { return said(answer); }

  awaitable<Result<void>> score(const Request& request, std::vector<Candidate>& candidates,
                                Turn& turn) const override {
    std::vector<Candidate*> scored;
    std::vector<const Answer*> answers;
    for (Candidate& candidate : candidates) {
      if (candidate.score) continue;
      scored.push_back(&candidate);
      answers.push_back(candidate.answer);
    }
    const auto logprobs = co_await likelihood_.of(request, std::move(answers), turn);
    if (!logprobs) co_return std::unexpected(logprobs.error());
    for (std::size_t i = 0; i < scored.size(); ++i) scored[i]->score = (*logprobs)[i];
    co_return Result<void>{};
  }

  /// One first, then all that are left at once. Probabilities of different answers add up to 1 at
  /// most, so no other can be likelier than what the scored ones leave over.
  int wanted(std::span<const Candidate> candidates, int left) const override {
    if (candidates.empty()) return 1;
    double rest = 1;
    for (const Candidate& candidate : candidates) rest -= std::exp(candidate.score.value_or(0));
    const double best = std::exp(candidates[best_of(candidates)].score.value_or(0));
    return best >= rest ? 0 : left;
  }

 private:
  const AnswerLikelihood likelihood_;
  const std::string words_;
};

Result<std::unique_ptr<Selector>> build_by_agreement(Options&) {
  return std::make_unique<ByAgreement>();
}

Result<std::unique_ptr<Selector>> build_by_judge(Options& options) {
  Result<AnswererPtr> judge = options.operand("verifier");
  if (!judge) return std::unexpected(judge.error());
  std::vector<std::string_view> names;
  for (const JudgePrompt& prompt : kJudgePrompts) names.push_back(prompt.name);
  const Result<std::string> name = options.choice("prompt", names, names.front());
  if (!name) return std::unexpected(name.error());
  return std::make_unique<ByJudge>(*std::move(judge),
                                   *std::ranges::find(kJudgePrompts, *name, &JudgePrompt::name));
}

Result<std::unique_ptr<Selector>> build_by_logprob(Options& options) {
  const Result<AnswererPtr> verifier = options.operand("verifier");
  if (!verifier) return std::unexpected(verifier.error());
  const auto* model = dynamic_cast<const Model*>(verifier->get());
  if (model == nullptr || !model->local()) {
    return std::unexpected(options.error(
        "verifier",
        "`by: logprob` reads log-probabilities off the verifier's own pass over each answer, so "
        "`verifier` must be a local model (one with `gguf`), not a plan or a remote model; `by: "
        "judge` needs its text alone"));
  }
  return std::make_unique<ByLogprob>(AnswerLikelihood(*verifier), model->name());
}

struct Named {
  std::string_view name;
  Result<std::unique_ptr<Selector>> (*build)(Options& options);
};

constexpr Named kSelectors[] = {
    {"logprob", build_by_logprob}, {"judge", build_by_judge}, {"agreement", build_by_agreement}};

}  // namespace

std::size_t best_of(std::span<const Candidate> candidates) {
  const auto score = [](const Candidate& candidate) {
    const double score = candidate.score.value_or(-std::numeric_limits<double>::infinity());
    return std::isnan(score) ? -std::numeric_limits<double>::infinity() : score;
  };
  return static_cast<std::size_t>(std::ranges::max_element(candidates, {}, score) -
                                  candidates.begin());
}

Result<std::unique_ptr<Selector>> build_selector(Options& options) {
  std::vector<std::string_view> names;
  for (const Named& selector : kSelectors) names.push_back(selector.name);
  const Result<std::string> by = options.choice("by", names, names.front());
  if (!by) return std::unexpected(by.error());
  return std::ranges::find(kSelectors, *by, &Named::name)->build(options);
}

}  // namespace lichen::mechanisms
