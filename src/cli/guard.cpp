// lichen guard: how well a model tells what a guard is to block, and the thresholds for it.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/baselines.h"
#include "eval/guard_evaluation.h"

namespace lichen::cli {
namespace {

using mechanisms::Side;

struct GuardCommand {
  std::string model = "small";
  std::uint64_t count = 500;
  std::uint64_t seed = 1;
  double false_alarms = 0.02;
  std::size_t window = mechanisms::Screen::kUsualWindow;
  bool own = false;  // thresholds by the guard's own families alone
  std::string json;
};

/// Texts of one split with the risks that the model sees in them.
struct Judged {
  std::vector<eval::GuardText> texts;
  std::vector<double> risks;
};

Result<Judged> judged(const GuardCommand& options, const mechanisms::Screen& screen,
                      eval::tasks::Split split, Host& host, ProgressBar& bar) {
  Judged judged{.texts = eval::guard_texts({.split = split, .seed = options.seed}, options.count),
                .risks = {}};
  Turn turn(options.model);
  const CancelOnSignal watch(host.io(), [&turn] { turn.cancel(); });
  const auto progress = [&bar, split](double done) {
    bar.update(done, eval::tasks::name_of(split));
  };
  auto risks =
      boost::asio::co_spawn(host.io(), eval::risks_of(screen, judged.texts, turn, progress),
                            boost::asio::use_future)
          .get();
  if (!risks) return std::unexpected(risks.error());
  judged.risks = *std::move(risks);
  return judged;
}

std::string with_interval(const eval::Estimate& share) {
  return fmt::format("{} ({:.1f} - {:.1f})", format_percent(share.value), share.low * 100,
                     share.high * 100);
}

boost::json::object json_of(const eval::Estimate& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

int guard(const GuardCommand& options, const Invocation& invocation) {
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  auto host = Host::open(eval::for_measuring(*std::move(config)));
  if (!host) return report_error(host.error());
  auto model = (*host)->runtime().find(options.model);
  if (!model) return report_error(model.error());
  const mechanisms::Screen screen(*std::move(model), options.window);
  ProgressBar bar(Terminal::of(stderr));
  const auto calibration = judged(options, screen, eval::tasks::Split::calibration, **host, bar);
  if (!calibration) return report_error(calibration.error());
  const auto test = judged(options, screen, eval::tasks::Split::test, **host, bar);
  if (!test) return report_error(test.error());
  bar.clear();

  const auto out = Terminal::of(stdout);
  Table table({{"side", Table::Align::left},
               {"threshold"},
               {"bad"},
               {"recall"},
               {"joined"},
               {"recall"},
               {"precision"},
               {"clean"},
               {"blocked of them"},
               {"other texts"},
               {"blocked of them"}});
  boost::json::object json{
      {"model", options.model}, {"window", options.window}, {"false_alarms", options.false_alarms}};
  std::string thresholds;
  for (const Side side : {Side::input, Side::output}) {
    const double threshold = eval::threshold_for(calibration->texts, calibration->risks, side,
                                                 options.false_alarms, !options.own);
    const auto figures = eval::guard_figures(test->texts, test->risks, side, threshold);
    const std::string name(to_string(side));
    thresholds += fmt::format("{}{}: {:.6g}", thresholds.empty() ? "" : ", ", name, threshold);
    table.row({name, fmt::format("{:.6g}", threshold), format_count(figures.bad),
               with_interval(figures.recall), format_count(figures.joined),
               with_interval(figures.joined_recall), with_interval(figures.precision),
               format_count(figures.clean), with_interval(figures.false_alarms),
               format_count(figures.foreign), with_interval(figures.foreign_alarms)});
    json[name] = boost::json::object{{"threshold", threshold},
                                     {"bad", figures.bad},
                                     {"joined", figures.joined},
                                     {"clean", figures.clean},
                                     {"other", figures.foreign},
                                     {"recall", json_of(figures.recall)},
                                     {"joined_recall", json_of(figures.joined_recall)},
                                     {"precision", json_of(figures.precision)},
                                     {"clean_blocked", json_of(figures.false_alarms)},
                                     {"other_blocked", json_of(figures.foreign_alarms)}};
  }
  if (options.json != "-") {
    out.write(table.text(out));
    out.write(fmt::format("\nthreshold: {{{}}}\n", thresholds));
  }
  if (options.json.empty()) return kOk;
  const auto written = write_output(options.json, boost::json::serialize(json));
  return written ? kOk : report_error(written.error());
}

}  // namespace

void add_guard(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<GuardCommand>();
  auto* command =
      app.add_subcommand("guard", "Choose a guard's thresholds, and measure what it blocks");
  command->add_option("--model", options->model, "Model or plan that screens")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--false-alarms", options->false_alarms,
                   "Share of clean texts that may be blocked")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  command->add_flag("--own", options->own,
                    "Choose thresholds by the clean texts of the guard's own families alone");
  command->add_option("--window", options->window, "Bytes that are judged at once")
      ->type_name("BYTES")
      ->check(CLI::Range(mechanisms::Screen::kLeastWindow, std::size_t{100'000}).description(""))
      ->capture_default_str();
  command->add_option("--count", options->count, "Texts of each kind")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}).description(""))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed makes other texts")
      ->type_name("N")
      ->capture_default_str();
  add_json(*command, options->json);
  command->footer(
      "The thresholds are the smallest that keep to --false-alarms on the calibration split, over\n"
      "clean and other texts; all figures are of the test split, whose ways of asking are others.\n"
      "Bad and clean texts are of the suite's families guard_input and guard_output; other texts\n"
      "are prompts and answers of its other families, which are clean; joined are a bad text and\n"
      "one of those, each before or behind the other. Intervals are of 95 %.\n"
      "\n"
      "Examples:\n"
      "  lichen guard\n"
      "  lichen guard --model large --false-alarms 0.001 --count 2000");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return guard(*options, invocation); };
  });
}

}  // namespace lichen::cli
