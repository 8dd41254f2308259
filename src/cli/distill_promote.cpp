// lichen distill promote, rollback, versions: which version of a model answers.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "base/format.h"
#include "cli/distill_commands.h"
#include "cli/distill_promotion.h"
#include "cli/evaluation.h"
#include "cli/host.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/promotion.h"
#include "mechanisms/distillation/model_versions.h"

namespace lichen::cli {
namespace {

using mechanisms::ModelVersions;

struct PromoteCommand {
  std::string model;
  std::string adapter;
  EvaluationOptions evaluation = {.suite = "test", .limit = 1'000, .concurrency = 8};
  eval::PromotionRule rule;
  bool recalibrate = false;
  bool dry_run = false;
  std::string json;
};

std::string table_of(const eval::Promotion& promotion, const Terminal& out) {
  Table table({{"family", Table::Align::left}, {"tasks"}, {"before"}, {"candidate"}, {"points"}});
  const auto row = [&table](const std::string& name, const eval::Match& match) {
    const auto share = [&match](std::int64_t right) {
      return format_percent(
          match.n == 0 ? 0 : static_cast<double>(right) / static_cast<double>(match.n));
    };
    table.row({name, format_count(match.n), share(match.incumbent), share(match.candidate),
               fmt::format("{:+.1f}", 0.0 - 100 * match.loss())});
  };
  for (const eval::Match& match : promotion.families) row(match.family, match);
  row("all", promotion.all);
  return table.text(out);
}

int promote(const PromoteCommand& command, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  if (auto model = model_with_versions(*config, command.model); !model) {
    return report_error(model.error());
  }
  const auto suite = load_suite(command.evaluation);
  if (!suite) return report_error(suite.error());
  const Candidate candidate{.model = command.model, .adapter = command.adapter};
  const auto promotion =
      compare(*config, candidate, *suite,
              {.rule = command.rule, .concurrency = command.evaluation.concurrency});
  if (!promotion) return report_error(promotion.error());

  NewVersion version;
  if (promotion->promoted && !command.dry_run) {
    auto taken = take_up(*config, candidate, promotion->reason, command.recalibrate);
    if (!taken) return report_error(taken.error());
    version = *std::move(taken);
  }
  if (command.json != "-") {
    const auto out = Terminal::of(stdout);
    out.write(table_of(*promotion, out) + "\n" + promotion->reason + "\n");
    if (version.number > 0) {
      const bool bound = !policy::bound_files(*config, command.model).empty();
      out.write(
          fmt::format("version {} of {} answers from now on; a running server takes it up{}\n",
                      version.number, command.model, bound ? " at its next start" : "") +
          recalibrated_text(version.recalibrated) + stale_text(version.stale, command.model));
    }
  }
  if (!command.json.empty()) {
    boost::json::object json = to_json(*promotion);
    json["version"] = nullptr;
    if (version.number > 0) json["version"] = version.number;
    json["recalibrated"] = json_of(version.recalibrated);
    json["stale"] = json_of(version.stale);
    const auto written = write_output(command.json, boost::json::serialize(json));
    if (!written) return report_error(written.error());
  }
  return promotion->promoted ? kOk : kFailed;
}

Result<ModelVersions> versions_of(const std::string& name, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return std::unexpected(config.error());
  const auto model = model_with_versions(*config, name);
  if (!model) return std::unexpected(model.error());
  return ModelVersions::open((*model)->versions);
}

int rollback(const std::string& name, std::optional<int> to, const Invocation& invocation) {
  auto versions = versions_of(name, invocation);
  if (!versions) return report_error(versions.error());
  const auto* current = versions->current();
  if (!to && current == nullptr) {
    return report_error({Errc::bad_request, fmt::format("`{}` answers as it was made; there is no "
                                                        "version before that",
                                                        name)});
  }
  const int before = current == nullptr ? 0 : current->number;
  const int number = to ? *to : before - 1;
  if (auto used = versions->use(number); !used) return report_error(used.error());
  const auto out = Terminal::of(stdout);
  out.write(number == 0 ? fmt::format("{} answers as it was made\n", name)
                        : fmt::format("version {} of {} answers from now on\n", number, name));
  const auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  if (number != before) out.write(stale_text(policy::stale_files(*config, name), name));
  return kOk;
}

int show_versions(const std::string& name, const std::string& json, const Invocation& invocation) {
  const auto versions = versions_of(name, invocation);
  if (!versions) return report_error(versions.error());
  const int current = versions->current() == nullptr ? 0 : versions->current()->number;
  if (json != "-") {
    const auto out = Terminal::of(stdout);
    Table table({{"version", Table::Align::left},
                 {"made (UTC)", Table::Align::left},
                 {"why", Table::Align::left}});
    table.row({current == 0 ? "0 *" : "0", "", "as it was made"});
    for (const auto& version : versions->all()) {
      table.row({fmt::format("{}{}", version.number, version.number == current ? " *" : ""),
                 version.made, version.note});
    }
    out.write(table.text(out) + "* answers\n");
  }
  if (json.empty()) return kOk;
  boost::json::array list;
  for (const auto& version : versions->all()) {
    list.push_back(boost::json::object{{"number", version.number},
                                       {"adapter", version.adapter.string()},
                                       {"made", version.made},
                                       {"note", version.note}});
  }
  const boost::json::object all{{"current", current}, {"versions", std::move(list)}};
  const auto written = write_output(json, boost::json::serialize(all));
  return written ? kOk : report_error(written.error());
}

}  // namespace

void add_distill_promote(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<PromoteCommand>();
  auto& evaluation = options->evaluation;
  auto* command = distill.add_subcommand(
      "promote", "Let an adapter answer in its model's place, if it is better");
  command->add_option("model", options->model, "Model of the configuration, with `versions`")
      ->type_name("MODEL")
      ->required();
  command->add_option("--adapter", options->adapter, "The candidate, a GGUF adapter of the model")
      ->type_name("FILE")
      ->required();
  add_suite_options(
      *command, evaluation,
      "Prompts that it was not trained on: test or calibration, generated, or a JSONL "
      "file with checkable answers",
      "At most so many of them");
  command
      ->add_option("--alpha", options->rule.alpha,
                   "The chance to promote what is not better (exact McNemar test)")
      ->type_name("P")
      ->check(CLI::Range(1e-9, 0.5).description(""))
      ->capture_default_str();
  command
      ->add_option("--family-loss", options->rule.family_loss,
                   "Share of a family's tasks by which it may be worse")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  add_concurrency(*command, evaluation.concurrency);
  command->add_flag("--recalibrate", options->recalibrate,
                    "Before it answers, count the calibrations of plans that it is in anew for it");
  command->add_flag("--dry-run", options->dry_run, "Only say whether it is better");
  add_json(*command, options->json);
  command->footer(
      "Both answer the same prompts. Exit status 1 where the candidate is not promoted.\n"
      "\n"
      "Example:\n"
      "  lichen distill promote small --adapter small.gguf --count 2000");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return promote(*options, invocation); };
  });
}

void add_distill_versions(CLI::App& distill, Invocation& invocation) {
  struct Named {
    std::string model;
    std::optional<int> to;
    std::string json;
  };
  auto back = std::make_shared<Named>();
  auto* rollback_command =
      distill.add_subcommand("rollback", "Let the version before answer again");
  rollback_command->add_option("model", back->model, "Model of the configuration")
      ->type_name("MODEL")
      ->required();
  rollback_command->add_option("--to", back->to, "That version; 0: the model as it was made")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  rollback_command->callback([&invocation, back] {
    invocation.action = [&invocation, back] { return rollback(back->model, back->to, invocation); };
  });

  auto show = std::make_shared<Named>();
  auto* versions_command = distill.add_subcommand("versions", "What a model has learned");
  versions_command->add_option("model", show->model, "Model of the configuration")
      ->type_name("MODEL")
      ->required();
  versions_command->add_option("--json", show->json, "As JSON; - is stdout")->type_name("FILE");
  versions_command->callback([&invocation, show] {
    invocation.action = [&invocation, show] {
      return show_versions(show->model, show->json, invocation);
    };
  });
}

}  // namespace lichen::cli
