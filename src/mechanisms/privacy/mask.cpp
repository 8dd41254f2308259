#include "mechanisms/privacy/mask.h"

#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "mechanisms/hand_over.h"
#include "mechanisms/privacy/mask_rules.h"
#include "mechanisms/privacy/masked_model.h"
#include "mechanisms/privacy/name_tagger.h"
#include "mechanisms/privacy/request_texts.h"
#include "mechanisms/privacy/request_vault.h"
#include "mechanisms/privacy/restored_answer.h"
#include "model/open_local_model.h"
#include "privacy/detector_pool.h"
#include "privacy/dictionary.h"

namespace lichen::mechanisms {
namespace {

constexpr std::uintmax_t kMostDictionaryBytes = 16u << 20;

class Mask : public Answerer {
 public:
  /// `local` may be null unless the policy is `local_only`.
  Mask(AnswererPtr plan, AnswererPtr local, std::shared_ptr<MaskRules> rules)
      : plan_(std::move(plan)), local_(std::move(local)), rules_(std::move(rules)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const auto vault = std::make_shared<RequestVault>(rules_, turn.egress);
    // All of the request is looked through before anybody is asked about a part of it.
    const RequestTexts texts(request);
    const auto found = co_await vault->mask(texts.texts(), turn);
    if (!found) co_return std::unexpected(found.error());
    const bool stays = any_private(found->counts) && rules_->policy != PrivatePolicy::mask;
    if (!stays) co_return co_await ask(plan_, std::move(request), vault, turn);
    const bool block = rules_->policy == PrivatePolicy::block;
    const std::string kinds = in_words(found->counts);
    turn.receipt.decisions.push_back(
        {.mechanism = "mask", .choice = block ? "block" : "local", .reason = "request: " + kinds});
    if (!block) co_return co_await ask(local_, std::move(request), vault, turn);
    co_return fail(Errc::refused,
                   fmt::format("the request holds private values ({}), and this plan answers none "
                               "that does (`policy: block`); nothing has left this device",
                               kinds));
  }

 private:
  awaitable<Result<Answer>> ask(AnswererPtr answerer, Request request,
                                std::shared_ptr<RequestVault> vault, Turn& turn) const {
    // Models' answers are restored where they come in. Here only those placeholders are left that
    // nobody has written alone, but several models together.
    const Restoring restoring{
        .vault = vault,
        .setting = request.format.free() ? privacy::Setting::text : privacy::Setting::json};
    const bool logprobs = request.logprobs;
    RestoredStream stream(turn, restoring);
    const std::unique_ptr<Turn> child = turn.child(turn.streams() ? &stream : nullptr);
    child->egress = vault;
    child->progress = turn.progress;
    Result<Answer> answer = co_await answerer->answer(std::move(request), *child);
    if (answer) {
      answer = restored(*std::move(answer), restoring);
    } else {
      answer.error().detail = vault->without_values(std::move(answer.error().detail));
    }
    for (Turn::Later& work : child->later) work = under(vault, std::move(work));
    hide_values(*vault, child->receipt, 0);
    turn.absorb(*child);
    if (!answer) co_return answer;
    Result<void> sent;
    if (turn.streams()) {
      sent = co_await stream.finish();
    } else {
      sent = co_await emit_whole(*answer, logprobs, turn);
    }
    if (!sent) co_return std::unexpected(sent.error());
    co_return answer;
  }

  const AnswererPtr plan_;
  const AnswererPtr local_;
  const std::shared_ptr<MaskRules> rules_;
};

class MaskRedactor : public Redactor {
 public:
  explicit MaskRedactor(std::shared_ptr<MaskRules> rules) : rules_(std::move(rules)) {}

  awaitable<Result<Request>> redact(Request request, Turn& turn) override {
    const auto vault = std::make_shared<RequestVault>(rules_, nullptr);
    RequestTexts texts(request);
    Result<RequestVault::Masked> masked = co_await vault->mask(texts.texts(), turn);
    if (!masked) co_return std::unexpected(masked.error());
    for (std::string& text : masked->texts) text = vault->with_literals(std::move(text));
    texts.replace(std::move(masked->texts));
    co_return request;
  }

 private:
  const std::shared_ptr<MaskRules> rules_;
};

Result<std::string> read_dictionary(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return fail(Errc::bad_config, file.string() + " cannot be read");
  if (size > kMostDictionaryBytes) {
    return fail(Errc::bad_config, fmt::format("{} has {} bytes; a dictionary may have {}",
                                              file.string(), size, kMostDictionaryBytes));
  }
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

Result<std::vector<privacy::Term>> read_terms(Options& options) {
  if (!options.has("dictionary")) return std::vector<privacy::Term>{};
  const auto at_key = [&](const Error& wrong) {
    return std::unexpected(options.error("dictionary", wrong.detail));
  };
  const Result<std::filesystem::path> file = options.file("dictionary");
  if (!file) return std::unexpected(file.error());
  const Result<std::string> lines = read_dictionary(*file);
  if (!lines) return at_key(lines.error());
  auto terms = privacy::parse_dictionary(*lines, file->string());
  if (!terms) return at_key(terms.error());
  return terms;
}

Result<privacy::KindSet> read_kinds(Options& options) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < privacy::index_of(privacy::Kind::literal); ++i) {
    known.push_back(privacy::name_of(static_cast<privacy::Kind>(i)));
  }
  const auto names = options.words("kinds", known);
  if (!names) return std::unexpected(names.error());
  privacy::KindSet kinds;
  for (const std::string& name : *names) kinds.set(privacy::index_of(*privacy::kind_of(name)));
  return names->empty() ? privacy::KindSet().set() : kinds;
}

/// Of what a model of names finds: not what tells little and answers need, unless it is asked for.
privacy::KindSet named_kinds(Options& options, privacy::KindSet kinds) {
  if (!options.has("kinds")) {
    for (const privacy::Kind kind : {privacy::Kind::date, privacy::Kind::title}) {
      kinds.reset(privacy::index_of(kind));
    }
  }
  return kinds;
}

/// On a lane of its own, of one thread: it must not take the cores from those who answer.
Result<std::shared_ptr<NameFinder>> open_names(Options& options) {
  const auto at_key = [&options](const Error& wrong) {
    return std::unexpected(options.error("names", wrong.detail));
  };
  const Result<double> threshold = options.number("names_threshold", 0, 0, 1);
  if (!threshold) return std::unexpected(threshold.error());
  if (!options.has("names")) {
    if (!options.has("names_threshold")) return nullptr;
    return std::unexpected(options.error("names_threshold", "`names_threshold` goes with `names`"));
  }
  const Result<std::filesystem::path> file = options.file("names");
  if (!file) return std::unexpected(file.error());
  auto lane = model::open_lane({.name = "names", .threads = 1});
  if (!lane) return at_key(lane.error());
  auto tagger = NameTagger::open({.gguf = *file, .threshold = static_cast<float>(*threshold)},
                                 *std::move(lane));
  if (!tagger) return at_key(tagger.error());
  return *std::move(tagger);
}

Result<privacy::PlaceholderNames> read_placeholders(Options& options) {
  const Result<Options*> map = options.map("placeholders");
  if (!map) return std::unexpected(map.error());
  if (*map == nullptr) return privacy::PlaceholderNames();
  std::vector<std::pair<privacy::Kind, std::string>> given;
  for (std::size_t i = 0; i < privacy::index_of(privacy::Kind::literal); ++i) {
    const auto kind = static_cast<privacy::Kind>(i);
    if (!(*map)->has(privacy::name_of(kind))) continue;
    Result<std::string> name = (*map)->text(privacy::name_of(kind));
    if (!name) return std::unexpected(name.error());
    given.emplace_back(kind, *std::move(name));
  }
  auto names = privacy::PlaceholderNames::with(given);
  if (!names) return std::unexpected(options.error("placeholders", names.error().detail));
  return names;
}

Result<PrivatePolicy> read_policy(Options& options) {
  constexpr std::string_view kPolicies[] = {"mask", "block", "local_only"};
  const Result<std::string> policy = options.choice("policy", kPolicies, kPolicies[0]);
  if (!policy) return std::unexpected(policy.error());
  const bool local_only = *policy == "local_only";
  if (options.has("local") && !local_only) {
    return std::unexpected(options.error("local", "`local` goes with `policy: local_only`"));
  }
  return local_only           ? PrivatePolicy::local_only
         : *policy == "block" ? PrivatePolicy::block
                              : PrivatePolicy::mask;
}

void show(Options& options, const std::shared_ptr<MaskRules>& rules,
          const privacy::KindSet& kinds) {
  for (std::size_t i = 0; i < privacy::index_of(privacy::Kind::literal); ++i) {
    if (!kinds.test(i)) continue;
    options.show(
        {.name = "lichen_masked_total",
         .help = "Private values that were sent as placeholders, by kind",
         .labels = {{"kind", std::string(privacy::name_of(static_cast<privacy::Kind>(i)))}},
         .read = [rules, i] { return static_cast<double>(rules->masked[i]); }});
  }
  options.show({.name = "lichen_egress_refused_total",
                .help = "Requests to remote models that held a private value and were not sent",
                .read = [rules] { return static_cast<double>(rules->refused); }});
}

}  // namespace

Result<AnswererPtr> build_mask(Options& options) {
  const auto policy = read_policy(options);
  if (!policy) return std::unexpected(policy.error());
  const auto kinds = read_kinds(options);
  if (!kinds) return std::unexpected(kinds.error());
  const auto terms = read_terms(options);
  if (!terms) return std::unexpected(terms.error());
  auto placeholders = read_placeholders(options);
  if (!placeholders) return std::unexpected(placeholders.error());

  auto rules = std::make_shared<MaskRules>();
  rules->policy = *policy;
  rules->placeholders = *std::move(placeholders);
  Result<AnswererPtr> plan = options.operand_of("plan", [rules](ModelPtr model) {
    return Result<ModelPtr>(model->local() ? model : make_masked(model, rules));
  });
  if (!plan) return plan;
  AnswererPtr local;
  if (*policy == PrivatePolicy::local_only) {
    Result<AnswererPtr> operand = options.operand_of("local", [](ModelPtr model) {
      if (model->local()) return Result<ModelPtr>(model);
      return Result<ModelPtr>(
          fail(Errc::bad_config,
               fmt::format("`local` of `mask` answers what must not leave this device, so it needs "
                           "local models only; `{}` is remote",
                           model->name())));
    });
    if (!operand) return operand;
    local = *std::move(operand);
  }
  auto detector = options.detectors().get(*kinds, *terms);
  if (!detector) {
    const bool words = detector.error().code == Errc::bad_config;
    return std::unexpected(options.error(words ? "dictionary" : "", detector.error().detail));
  }
  rules->detector = *std::move(detector);
  auto names = open_names(options);
  if (!names) return std::unexpected(names.error());
  rules->names = *std::move(names);
  rules->named = named_kinds(options, *kinds);
  show(options, rules, *kinds);
  options.redacts(std::make_shared<MaskRedactor>(rules));
  return std::make_shared<Mask>(*std::move(plan), std::move(local), std::move(rules));
}

}  // namespace lichen::mechanisms
