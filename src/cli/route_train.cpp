// lichen route train: a router, or what a plan learns, out of what small and large made of prompts.
#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "cli/handover_plan.h"
#include "cli/plan_calibration.h"
#include "cli/plan_subject.h"
#include "cli/route_commands.h"
#include "cli/route_options.h"
#include "cli/table.h"
#include "eval/route_evaluation.h"

namespace lichen::cli {
namespace {

using mechanisms::RouterKind;

/// A cascade's confidence, by measuring its plan's models.
int train_confidence(const RouteOptions& options, const policy::Config& config) {
  const auto answers = train_plan(config, options.plan, options.measuring, options.output);
  if (!answers) return report_error(answers.error());
  say(fmt::format("written: {} (learned confidence, {} answers)", options.output,
                  format_count(static_cast<std::int64_t>(*answers))));
  return kOk;
}

std::string table_of(const HeadReport& report) {
  Table table({{"criterion", Table::Align::left}, {"AUROC"}});
  const auto add = [&](const std::string& name, double area) {
    table.row({name, fmt::format("{:.4f}", area)});
  };
  add("head", report.head);
  add("entropy", report.entropy);
  add("margin", report.margin);
  return table.text(Terminal::of(stdout)) +
         fmt::format(
             "\n{} held-out tokens; at {} of them small would have written another than "
             "large\n",
             format_count(report.held_out), format_count(report.unlike));
}

boost::json::object json_of(const HeadReport& report) {
  return {{"prompts", report.prompts},
          {"left_out", report.left_out},
          {"tokens", report.tokens},
          {"held_out_tokens", report.held_out},
          {"held_out_unlike", report.unlike},
          {"auroc",
           boost::json::object{
               {"head", report.head}, {"entropy", report.entropy}, {"margin", report.margin}}}};
}

/// A handover's head, by letting small read what large writes.
int train_head(const RouteOptions& options, const policy::Config& config) {
  const auto report = train_handover_head(config, options.plan, options.measuring, options.output);
  if (!report) return report_error(report.error());
  if (report->left_out > 0) {
    say(fmt::format("{} answers are left out, since small has no room for them",
                    format_count(report->left_out)));
  }
  say(fmt::format("written: {} (head, {} tokens of {} answers)", options.output,
                  format_count(report->tokens), format_count(report->prompts)));
  return finish(options, table_of(*report), json_of(*report));
}

/// What is learned for a plan depends on what chooses in it.
int train_for_plan(const RouteOptions& options) {
  const auto config = load_chosen_config(options.invocation->config);
  if (!config) return report_error(config.error());
  const auto mechanism = choosing_key(*config, options.plan);
  if (!mechanism) return report_error(mechanism.error());
  return *mechanism == "handover" ? train_head(options, *config)
                                  : train_confidence(options, *config);
}

int train(const RouteOptions& options) {
  if (!options.plan.empty()) return train_for_plan(options);
  const auto data = load_data(options, nullptr);
  if (!data) return report_error(data.error());
  say_duplicates(*data);
  if (options.router == to_string(RouterKind::prefill)) {
    if (auto good = eval::check_prefill_origin(*data); !good) {
      return report_error({good.error().code, source_of(options) + ": " + good.error().detail});
    }
  }
  auto file = [&] {
    LongWork work("training");
    return mechanisms::train_router(data->examples, work.training(options, data->embedder_hash));
  }();
  if (!file) return report_error(file.error());
  file->origin.data_hash = data->hash;
  file->origin.small_hash = data->small_hash;
  file->origin.large_hash = data->large_hash;
  file->origin.small = options.small;
  file->origin.large = options.large;
  if (auto saved = mechanisms::save_router_file(*file, options.output); !saved) {
    return report_error(saved.error());
  }
  say(fmt::format("written: {} ({}, {} prompts, {}); `lichen route calibrate` gives it a bound",
                  options.output, options.router, format_count(file->origin.examples),
                  format_bytes(std::filesystem::file_size(options.output))));
  return kOk;
}

}  // namespace

void add_route_train(CLI::App& route, Invocation& invocation) {
  add_route_command(
      route, invocation, "train", "Train a router on what small and large made of prompts",
      "  lichen route train --data outcomes.jsonl --router linear -o my.router\n"
      "  lichen route train --data outcomes.jsonl -o my.router --small qwen-1b --large gpt-x\n"
      "  lichen route train --config lichen.yaml --plan learned --suite train -o my.confidence\n"
      "  lichen route train --config lichen.yaml --plan handover -o my.head --json -",
      train, [](RouteCommand command) {
        command.data("Outcomes to train on, JSONL");
        command.options.measuring.suite = "train";
        command.plan("A plan whose cascade gets a learned confidence, or whose handover a head");
        command.suite();
        command.kind();
        command.embedder();
        command.app.add_option("-o,--output", command.options.output, "The router's file")
            ->type_name("FILE")
            ->required();
        command.seed();
        command.json();
      });
}

}  // namespace lichen::cli
