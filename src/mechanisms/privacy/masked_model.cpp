#include "mechanisms/privacy/masked_model.h"

#include <spdlog/fmt/fmt.h>

#include <utility>
#include <vector>

#include "mechanisms/privacy/request_texts.h"
#include "mechanisms/privacy/request_vault.h"
#include "mechanisms/privacy/restored_answer.h"

namespace lichen::mechanisms {
namespace {

class MaskedModel : public Model {
 public:
  MaskedModel(ModelPtr model, std::shared_ptr<MaskRules> rules)
      : model_(std::move(model)), rules_(std::move(rules)) {}

  const std::string& name() const override { return model_->name(); }
  bool local() const override { return model_->local(); }
  std::int64_t context_length() const override { return model_->context_length(); }
  bool continues() const override { return model_->continues(); }
  awaitable<Result<std::int64_t>> count_tokens(Request request) override {
    return model_->count_tokens(std::move(request));  // which asks nobody
  }

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const std::shared_ptr<RequestVault> vault = RequestVault::of(turn, rules_);
    for (;;) {
      Attempt attempt = co_await attempt_of(request, vault, turn);
      // A value that was found elsewhere in the meantime stood in what was masked before: that has
      // not left, and is masked once more.
      const bool again = !attempt.answer && attempt.answer.error().code == Errc::refused &&
                         !attempt.shown && attempt.known < vault->size();
      if (!again) co_return std::move(attempt.answer);
    }
  }

  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override {
    const std::shared_ptr<RequestVault> vault = RequestVault::of(turn, rules_);
    std::vector<PrivateText> private_texts;
    for (std::string& text : texts) private_texts.push_back({.text = std::move(text)});
    Result<RequestVault::Masked> masked = co_await vault->mask(std::move(private_texts), turn);
    if (!masked) co_return std::unexpected(masked.error());
    if (Result<void> may = may_leave(masked->counts, turn); !may) {
      co_return std::unexpected(may.error());
    }
    const std::unique_ptr<Turn> child = turn.child();
    vault->watch(*child);
    Result<Embeddings> vectors = co_await model_->embed(std::move(masked->texts), *child);
    turn.absorb(*child);
    co_return vectors;
  }

 private:
  struct Attempt {
    Result<Answer> answer;
    bool shown = false;     // some of it
    std::size_t known = 0;  // of the vault, when the request was masked
  };

  awaitable<Attempt> attempt_of(Request request, std::shared_ptr<RequestVault> vault,
                                Turn& turn) const {
    Restoring restoring{
        .vault = vault,
        .setting = request.format.free() ? privacy::Setting::text : privacy::Setting::json};
    const auto open = vault->open_value(request.begun);
    if (open) {
      request.begun.erase(open->begin);
      restoring.before = open->rest;
    }
    RequestTexts texts(request);
    Result<RequestVault::Masked> masked = co_await vault->mask(texts.texts(), turn);
    if (!masked) {
      co_return Attempt{.answer = std::unexpected(masked.error()), .known = vault->size()};
    }
    texts.replace(std::move(masked->texts));
    if (open) {
      request.begun += open->placeholder;
      ++masked->counts[privacy::index_of(open->kind)];
    }
    if (Result<void> may = may_leave(masked->counts, turn); !may) {
      co_return Attempt{.answer = std::unexpected(may.error()), .known = masked->known};
    }
    RestoredStream stream(turn, restoring);
    const std::unique_ptr<Turn> child = turn.child(turn.streams() ? &stream : nullptr);
    vault->watch(*child);
    Result<Answer> answer = co_await model_->answer(std::move(request), *child);
    if (answer && turn.streams()) {
      const Result<void> sent = co_await stream.finish();
      if (!sent) answer = std::unexpected(sent.error());
    }
    turn.absorb(*child);
    if (answer) {
      answer = restored(*std::move(answer), restoring);
      answer->citations.clear();
    }
    co_return Attempt{.answer = std::move(answer), .shown = stream.shown(), .known = masked->known};
  }

  /// Notes what is about to leave, or that it must not.
  Result<void> may_leave(const privacy::KindCounts& counts, Turn& turn) const {
    const bool found = any_private(counts);
    if (found && rules_->policy != PrivatePolicy::mask) {
      turn.receipt.decisions.push_back(
          {.mechanism = "mask",
           .choice = "refuse",
           .reason = fmt::format("{}: {}", model_->name(), in_words(counts))});
      return fail(Errc::refused,
                  fmt::format("what `{}` was to be asked holds private values ({}), which this "
                              "plan lets leave in no form; nothing has left this device",
                              model_->name(), in_words(counts)));
    }
    for (std::size_t i = 0; i < counts.size(); ++i) rules_->masked[i] += counts[i];
    turn.receipt.decisions.push_back(
        {.mechanism = "mask",
         .choice = found ? "mask" : "pass",
         .reason = fmt::format("{}: {}", model_->name(),
                               found ? in_words(counts) : "nothing private found")});
    return {};
  }

  const ModelPtr model_;
  const std::shared_ptr<MaskRules> rules_;
};

}  // namespace

ModelPtr make_masked(ModelPtr model, std::shared_ptr<MaskRules> rules) {
  return std::make_shared<MaskedModel>(std::move(model), std::move(rules));
}

}  // namespace lichen::mechanisms
