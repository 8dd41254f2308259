#include "mechanisms/fusion/blend.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/auxiliary/shared_tokens.h"
#include "mechanisms/fusion/blend_by_pieces.h"
#include "mechanisms/fusion/blend_in_step.h"
#include "mechanisms/fusion/learned_weights.h"
#include "mechanisms/whole_number.h"
#include "mechanisms/without_logits.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

using model::LocalModel;
using Models = std::vector<ModelPtr>;

constexpr std::size_t kMostModels = 4;
constexpr int kMostTop = 20;  // what endpoints list of log-probabilities at most
constexpr double kMostWeight = 1e6;
constexpr double kMostEntropy = 100;  // nats; of no vocabulary

Result<std::vector<Operand>> read_operands(Options& options) {
  Result<std::vector<Operand>> of = options.operands("of");
  if (!of) return of;
  if (of->size() < 2 || of->size() > kMostModels) {
    return std::unexpected(options.error(
        "of", fmt::format("`blend` is of 2 to {} models, not {}", kMostModels, of->size())));
  }
  std::set<std::string> names;
  for (const Operand& operand : *of) {
    if (!names.insert(operand.name).second) {
      return std::unexpected(options.error(
          "of", fmt::format("`{0}` is named twice in `of`; to let it count twice, give it a weight",
                            operand.name)));
    }
    if (std::dynamic_pointer_cast<Model>(operand.answerer) == nullptr) {
      return std::unexpected(options.error(
          "of", fmt::format("`blend` is of models, and `{}` is a plan: its next-token distribution "
                            "cannot be asked for",
                            operand.name)));
    }
  }
  return of;
}

Result<std::vector<double>> read_learned(Options& options) {
  const auto file = options.file("learned");
  if (!file) return std::unexpected(file.error());
  const auto learned = load_learned_weights(*file);
  if (!learned) return std::unexpected(options.error("learned", learned.error().detail));
  const auto identity = options.identity();
  if (!identity) return std::unexpected(identity.error());
  const auto* of = identity->if_contains("of");
  if (of == nullptr || *of != learned->models) {
    return std::unexpected(options.error(
        "learned", fmt::format("{}: was learned for other models, or for these in another order; "
                               "`lichen blend` makes one for this plan",
                               file->string())));
  }
  return learned->weights;
}

/// Of each model, before they are made 1 in sum.
Result<std::vector<double>> read_weights(Options& options, const std::vector<Operand>& of,
                                         bool& by_confidence) {
  static constexpr std::string_view kWords[] = {"equal", "confidence", "learned"};
  by_confidence = false;
  const Result<std::string> word = options.choice("weights", kWords, "");
  if (word && !word->empty()) {
    by_confidence = *word == "confidence";
    return *word == "learned" ? read_learned(options) : std::vector<double>(of.size(), 1);
  }
  std::vector<std::string_view> names;
  for (const Operand& operand : of) names.push_back(operand.name);
  const auto weights = options.number_map("weights", names, 0, kMostWeight);
  if (!weights) {
    return std::unexpected(options.error(
        "weights", fmt::format("`weights` are `equal`, `confidence`, `learned`, or a number for "
                               "each model: {}",
                               weights.error().detail)));
  }
  const std::vector<double> given = weights->value_or(std::vector<double>(of.size(), 1));
  if (std::ranges::none_of(given, [](double weight) { return weight > 0; })) {
    return std::unexpected(
        options.error("weights", "all `weights` of `blend` are 0, so no model would be heard"));
  }
  return given;
}

Result<BlendOptions> read_options(Options& options, const std::vector<Operand>& of) {
  static constexpr std::string_view kRules[] = {"mean", "product"};
  BlendOptions read;
  const Result<std::string> rule = options.choice("rule", kRules, kRules[0]);
  if (!rule) return std::unexpected(rule.error());
  read.rule = *rule == kRules[0] ? BlendRule::mean : BlendRule::product;
  auto weights = read_weights(options, of, read.by_confidence);
  if (!weights) return std::unexpected(weights.error());
  read.weights = *std::move(weights);
  const Result<double> gate = options.number("gate", -1, 0, kMostEntropy);
  if (!gate) return std::unexpected(gate.error());
  if (*gate >= 0) read.gate = *gate;
  const Result<int> top = whole_number(options, "top", kMostTop, 1, kMostTop);
  if (!top) return std::unexpected(top.error());
  read.top = *top;
  return read;
}

/// Whether a remote model can say what comes next.
Result<void> check_remote(Options& options, const Model& model, const BlendOptions& blend) {
  if (!model.continues()) {
    return std::unexpected(options.error(
        "of", fmt::format("`blend` asks each model how the answer goes on that they write "
                          "together, which is not known of the endpoint of `{0}`; where it can, "
                          "give `{0}` `continues: final_message` (vLLM, SGLang), `prefix` "
                          "(DeepSeek) or `last_message` (llama-server)",
                          model.name())));
  }
  if (!blend.gate) {
    return std::unexpected(options.error(
        "of", fmt::format("`{}` is remote, so that `blend` would send a request for each token; "
                          "give it a `gate`",
                          model.name())));
  }
  return {};
}

Result<void> check_local(Options& options, LocalModel& first, LocalModel& other) {
  if (&other.lane() != &first.lane()) {
    return std::unexpected(options.error(
        "of", fmt::format("`{}` and `{}` compute on different devices, and `blend` takes them in "
                          "step",
                          other.name(), first.name())));
  }
  if (SharedTokens(first.vocabulary(), other.vocabulary()).overlap() > 0) return {};
  int pieces = 0;
  for (Token token = 0; token < first.vocabulary().size(); ++token) {
    pieces += !first.vocabulary().piece(token).empty();
  }
  return std::unexpected(options.error(
      "of", fmt::format("the vocabularies of `{}` and `{}` have 0 of {} pieces in common, so they "
                        "never propose the same",
                        first.name(), other.name(), pieces)));
}

/// Leaves out whom nobody would hear; the first stays, since it answers.
void drop_unheard(Models& models, BlendOptions& blend) {
  for (std::size_t i = models.size(); i-- > 1;) {
    if (blend.weights[i] > 0) continue;
    models.erase(models.begin() + static_cast<std::ptrdiff_t>(i));
    blend.weights.erase(blend.weights.begin() + static_cast<std::ptrdiff_t>(i));
  }
  blend.weights = blend_weights(blend.weights);
}

}  // namespace

Result<AnswererPtr> build_blend(Options& options) {
  const auto of = read_operands(options);
  if (!of) return std::unexpected(of.error());
  Result<BlendOptions> blend = read_options(options, *of);
  if (!blend) return std::unexpected(blend.error());
  Models models;
  for (const Operand& each : *of) models.push_back(std::dynamic_pointer_cast<Model>(each.answerer));
  if (!models.front()->local()) {
    return std::unexpected(options.error(
        "of", fmt::format("the first model of `blend` answers, so `{}` must be a local one; a "
                          "remote one may stand behind it",
                          models.front()->name())));
  }
  for (const ModelPtr& model : models) {
    if (model->local()) continue;
    if (Result<void> good = check_remote(options, *model, *blend); !good) {
      return std::unexpected(good.error());
    }
  }
  drop_unheard(models, *blend);
  std::vector<std::shared_ptr<LocalModel>> in_step;
  const auto first = std::dynamic_pointer_cast<LocalModel>(models.front());
  for (const ModelPtr& model : models) {
    auto local = std::dynamic_pointer_cast<LocalModel>(model);
    if (model->local() && (local == nullptr || first == nullptr)) {
      return without_logits("blend", model->name());
    }
    if (local == nullptr) continue;
    if (Result<void> good = check_local(options, *first, *local); !good) {
      return std::unexpected(good.error());
    }
    if (same_tokens(local->vocabulary(), first->vocabulary())) in_step.push_back(std::move(local));
  }
  if (in_step.size() == models.size()) return make_blend_in_step(std::move(in_step), *blend);
  return make_blend_by_pieces(std::move(models), *blend);
}

}  // namespace lichen::mechanisms
