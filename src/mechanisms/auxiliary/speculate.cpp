#include "mechanisms/auxiliary/speculate.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <utility>

#include "mechanisms/auxiliary/speculation.h"
#include "mechanisms/whole_number.h"
#include "mechanisms/without_logits.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;
using model::PreparedRequest;

/// A step of more tokens would be read like a prompt.
constexpr int kLongest = 31;
constexpr int kUsual = 16;

/// Drafting with fewer tokens in common hardly ever pays: at 70 % one guess in seven is accepted
/// (vLLM's measurements).
constexpr double kLeastOverlap = 0.9;

class Speculate : public Answerer {
 public:
  explicit Speculate(std::unique_ptr<SpeculatePlan> plan) : plan_(std::move(plan)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Result<PreparedRequest> job = co_await plan_->target->prepare(request);
    if (!job) co_return std::unexpected(std::move(job.error()));
    std::optional<std::vector<Token>> draft_prompt;
    if (plan_->drafter != nullptr && plan_->shared == nullptr) draft_prompt = job->prompt;
    if (plan_->shared != nullptr) {
      Result<PreparedRequest> own = co_await plan_->drafter->prepare(std::move(request));
      if (own) draft_prompt = std::move(own->prompt);
    }
    co_return co_await asio::co_spawn(plan_->target->lane().executor(),
                                      on_lane(*std::move(job), std::move(draft_prompt), turn),
                                      asio::use_awaitable);
  }

 private:
  awaitable<Result<Answer>> on_lane(PreparedRequest job,
                                    std::optional<std::vector<Token>> draft_prompt, Turn& turn) {
    Speculation speculation(*plan_, std::move(job), std::move(draft_prompt), turn);
    co_return co_await speculation.answer();
  }

  const std::unique_ptr<SpeculatePlan> plan_;
};

Result<ModelPtr> read_model(Options& options, std::string_view key) {
  Result<AnswererPtr> operand = options.operand(key);
  if (!operand) return std::unexpected(operand.error());
  auto model = std::dynamic_pointer_cast<Model>(*operand);
  if (model == nullptr) {
    return std::unexpected(options.error(
        key, fmt::format("`{}` of `speculate` must be a model: a mechanism has no logits", key)));
  }
  if (!model->local()) {
    return std::unexpected(options.error(
        key, fmt::format("`speculate` needs the logits of `{}`, and `{}` is remote; a local model "
                         "would do",
                         key, model->name())));
  }
  return model;
}

std::uintmax_t bytes_of(const LocalModel& model) {
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(model.options().gguf, unknown);
  return unknown ? 0 : bytes;
}

/// What only loaded models show.
Result<void> check_pair(Options& options, SpeculatePlan& plan) {
  LocalModel& target = *plan.target;
  LocalModel& drafter = *plan.drafter;
  if (&target.lane() != &drafter.lane()) {
    return std::unexpected(options.error(
        "draft", fmt::format("`{}` and `{}` compute on different devices: a drafter must be on its "
                             "target's",
                             drafter.name(), target.name())));
  }
  if (bytes_of(drafter) > bytes_of(target)) {
    return std::unexpected(options.error(
        "draft", fmt::format("the drafter `{}` is larger than its target `{}`: exchange them",
                             drafter.name(), target.name())));
  }
  if (same_tokens(drafter.vocabulary(), target.vocabulary())) return {};
  plan.shared = std::make_unique<const SharedTokens>(drafter.vocabulary(), target.vocabulary());
  if (plan.shared->overlap() >= kLeastOverlap) return {};
  return std::unexpected(options.error(
      "draft", fmt::format("of the tokens of `{}`, `{}` knows {:.1f} %; a drafter with another "
                           "vocabulary needs {:.0f} %, and one with the same is best",
                           drafter.name(), target.name(), 100 * plan.shared->overlap(),
                           100 * kLeastOverlap)));
}

/// `guesses`: none where the plan is to find out how many pay.
Result<std::optional<std::size_t>> read_guesses(Options& options) {
  if (!options.has("guesses")) return std::optional<std::size_t>();
  const auto guesses = whole_number(options, "guesses", 1, 1, kLongest);
  if (!guesses) return std::unexpected(guesses.error());
  if (options.has("longest")) {
    return std::unexpected(options.error(
        "longest", "`longest` bounds what the plan finds best, `guesses` says how many: use one"));
  }
  return static_cast<std::size_t>(*guesses);
}

}  // namespace

Result<AnswererPtr> build_speculate(Options& options) {
  const auto longest = whole_number(options, "longest", kUsual, 1, kLongest);
  if (!longest) return std::unexpected(longest.error());
  const Result<std::optional<std::size_t>> fixed = read_guesses(options);
  if (!fixed) return std::unexpected(fixed.error());
  const Result<bool> copies = options.flag("copy", true);
  if (!copies) return std::unexpected(copies.error());
  const Result<ModelPtr> target = read_model(options, "target");
  if (!target) return std::unexpected(target.error());
  ModelPtr drafter;
  if (options.has("draft")) {
    Result<ModelPtr> read = read_model(options, "draft");
    if (!read) return std::unexpected(read.error());
    drafter = *std::move(read);
  } else if (!*copies) {
    return std::unexpected(options.error(
        "", "`speculate` needs `draft: MODEL`, or `copy: true` to guess from the prompt alone"));
  }
  if (drafter == *target) {
    return std::unexpected(options.error(
        "draft", fmt::format("`draft` and `target` of `speculate` are the same model `{}`",
                             (*target)->name())));
  }
  auto plan = std::make_unique<SpeculatePlan>(
      SpeculatePlan{.target = std::dynamic_pointer_cast<LocalModel>(*target),
                    .drafter = std::dynamic_pointer_cast<LocalModel>(drafter),
                    .copies = *copies,
                    .longest = static_cast<std::size_t>(*longest),
                    .fixed = *fixed});
  if (plan->target == nullptr || (plan->drafter == nullptr) != (drafter == nullptr)) {
    return without_logits("speculate", (*target)->name());
  }
  if (plan->drafter != nullptr) {
    if (Result<void> checked = check_pair(options, *plan); !checked) {
      return std::unexpected(checked.error());
    }
  }
  return std::make_shared<Speculate>(std::move(plan));
}

}  // namespace lichen::mechanisms
