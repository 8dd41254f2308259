#include "mechanisms/routing/handover.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/routing/handover_by_text.h"
#include "mechanisms/routing/handover_in_step.h"
#include "mechanisms/routing/risk_watch.h"
#include "mechanisms/whole_number.h"
#include "mechanisms/without_logits.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

constexpr int kMostTokens = 100'000;  // of a span, and in a row
constexpr int kRest = std::numeric_limits<int>::max();

Result<int> read_span(Options& options) {
  static constexpr std::string_view kWords[] = {"token", "rest"};
  const Result<double> number = options.number("span", 0, 1, kMostTokens);
  if (number && *number > 0 && *number == std::floor(*number)) return static_cast<int>(*number);
  const Result<std::string> word = options.choice("span", kWords, "");
  if (word && *word == "rest") return kRest;
  if (word && (*word == "token" || (number && *number == 0))) return 1;
  return std::unexpected(options.error(
      "span", fmt::format("`span` is `token`, `rest`, or a whole number of tokens from 1 to {}",
                          kMostTokens)));
}

/// The file that `head` names, if it reads this plan's small.
Result<std::shared_ptr<const TokenHead>> read_head(Options& options) {
  const auto file = options.file("head");
  if (!file) return std::unexpected(file.error());
  auto head = load_token_head(*file);
  if (!head) return std::unexpected(options.error("head", head.error().detail));
  const auto identity = options.identity();
  if (!identity) return std::unexpected(identity.error());
  const auto* small = identity->if_contains("small");
  const boost::json::object is =
      small != nullptr && small->is_object() ? small->get_object() : boost::json::object{};
  if (const auto difference = first_difference(head->small, is); !difference.empty()) {
    return std::unexpected(options.error(
        "head", fmt::format("{}: reads another small: {}; `lichen route train --plan` makes one "
                            "for this",
                            file->string(), difference)));
  }
  return std::make_shared<const TokenHead>(*std::move(head));
}

/// From `threshold`, or what `risk` and `calibration` promise.
Result<double> read_threshold(Options& options, const Criterion& criterion,
                              const std::optional<Bound>& bound) {
  if (!bound) return options.number("threshold", criterion.threshold, 0, criterion.most);
  const auto& choice = bound->choice;
  return choice ? criterion.turned(choice->threshold) : criterion.all_critical();
}

Result<CriticalRule> read_rule(Options& options, const std::optional<Bound>& bound) {
  std::vector<std::string_view> names;
  for (const Criterion& criterion : criteria()) names.push_back(criterion.name);
  const Result<std::string> by = options.choice("by", names, names.front());
  if (!by) return std::unexpected(by.error());
  CriticalRule rule{.criterion = find_criterion(*by)};
  const Result<double> threshold = read_threshold(options, *rule.criterion, bound);
  if (!threshold) return std::unexpected(threshold.error());
  rule.threshold = *threshold;
  if (*by != kByHead) return rule;
  auto head = read_head(options);
  if (!head) return std::unexpected(head.error());
  rule.head = *std::move(head);
  return rule;
}

Result<HandoverOptions> read_options(Options& options, const std::optional<Bound>& bound) {
  auto rule = read_rule(options, bound);
  if (!rule) return std::unexpected(rule.error());
  const Result<int> span = read_span(options);
  if (!span) return std::unexpected(span.error());
  const Result<int> back = whole_number(options, "back", 0, 0, kMostTokens);
  if (!back) return std::unexpected(back.error());
  return HandoverOptions{.rule = *std::move(rule), .span = *span, .back = *back};
}

/// A handover with a bound on its risk: large alone answers once that has proved to be broken.
class Bounded : public Answerer {
 public:
  Bounded(AnswererPtr handover, ModelPtr large, RiskWatch watch)
      : handover_(std::move(handover)), large_(std::move(large)), watch_(std::move(watch)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (watch_.alarmed()) {
      turn.receipt.decisions.push_back(
          {.mechanism = "handover", .choice = "large", .reason = std::string(RiskWatch::kAlarm)});
      co_return co_await large_->answer(std::move(request), turn);
    }
    if (!watch_.looks_at(turn)) co_return co_await handover_->answer(std::move(request), turn);
    Result<Answer> answer = co_await handover_->answer(request, turn);
    if (!answer) co_return answer;
    const bool by_large_alone = std::ranges::all_of(
        answer->authors, [&](const Stretch& stretch) { return stretch.model == large_->name(); });
    if (by_large_alone) {
      watch_.answered_by_large(turn);
    } else {
      watch_.answered_by_small(turn, request, *answer, large_);
    }
    co_return answer;
  }

 private:
  const AnswererPtr handover_;
  const ModelPtr large_;
  const RiskWatch watch_;
};

Result<ModelPtr> read_model(Options& options, std::string_view key) {
  Result<AnswererPtr> operand = options.operand(key);
  if (!operand) return std::unexpected(operand.error());
  if (auto model = std::dynamic_pointer_cast<Model>(*operand)) return model;
  return std::unexpected(options.error(
      key,
      fmt::format("`{}` of `handover` must be a model: a mechanism cannot go on with text that "
                  "another has begun",
                  key)));
}

}  // namespace

Result<AnswererPtr> build_handover(Options& options) {
  const auto bound = read_plan_bound(options);
  if (!bound) return std::unexpected(bound.error());
  auto watch = RiskWatch::read(options, *bound);
  if (!watch) return std::unexpected(watch.error());
  const Result<HandoverOptions> read = read_options(options, *bound);
  if (!read) return std::unexpected(read.error());
  const Result<ModelPtr> small = read_model(options, "small");
  if (!small) return std::unexpected(small.error());
  const Result<ModelPtr> large = read_model(options, "large");
  if (!large) return std::unexpected(large.error());
  if (*small == *large) {
    return std::unexpected(options.error(
        "large", fmt::format("`small` and `large` of `handover` are the same model `{}`",
                             (*large)->name())));
  }
  if (!(*small)->local()) {
    return std::unexpected(options.error(
        "small", fmt::format("`handover` needs the logits of `small`, and `{}` is remote; a local "
                             "model would do",
                             (*small)->name())));
  }
  if (!(*large)->continues()) {
    return std::unexpected(options.error(
        "large",
        fmt::format("`handover` needs a `large` that goes on with an answer that another "
                    "has begun, which is not known of the endpoint of `{0}`; where it can, "
                    "give `{0}` `continues: final_message` (vLLM, SGLang), `prefix` "
                    "(DeepSeek) or `last_message` (llama-server)",
                    (*large)->name())));
  }
  const auto local_small = std::dynamic_pointer_cast<model::LocalModel>(*small);
  const auto local_large = std::dynamic_pointer_cast<model::LocalModel>(*large);
  if (local_small == nullptr) return without_logits("handover", (*small)->name());
  if (const TokenHead* head = read->rule.head.get()) {
    const std::size_t width = kTokenScalars + static_cast<std::size_t>(local_small->hidden_width());
    if (head->width() != width) {
      return std::unexpected(options.error(
          "head", fmt::format("reads {} features, and a row of `{}` has {}; `lichen route train "
                              "--plan` makes one for this",
                              head->width(), local_small->name(), width)));
    }
  }
  AnswererPtr handover;
  if (local_large != nullptr && &local_large->lane() == &local_small->lane() &&
      same_tokens(local_small->vocabulary(), local_large->vocabulary())) {
    handover = make_handover_in_step(local_small, local_large, *read);
  } else {
    handover = make_handover_by_text(local_small, *large, *read);
  }
  if (!*bound) return handover;
  return std::make_shared<Bounded>(std::move(handover), *large, *std::move(watch));
}

}  // namespace lichen::mechanisms
