#include "cli/distill/run_report.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <utility>

#include "base/format.h"

namespace lichen::cli {
namespace {

using training::CurvePoint;
using training::RunEnd;
using training::RunState;

constexpr const char* end_name(RunEnd end) {
  if (end == RunEnd::patience) return "patience";
  return end == RunEnd::time ? "time" : "steps";
}

boost::json::array to_json(const std::vector<CurvePoint>& curve) {
  boost::json::array all;
  for (const CurvePoint& point : curve) {
    boost::json::object entry{{"step", point.step},
                              {"loss", point.loss},
                              {"learning_rate", point.learning_rate},
                              {"gradient_norm", point.gradient_norm}};
    if (point.held_out) {
      entry["held_out"] = point.held_out->loss;
      if (point.held_out->acceptance) entry["acceptance"] = *point.held_out->acceptance;
    }
    all.push_back(std::move(entry));
  }
  return all;
}

std::string trained_text(const TrainedRun& run) {
  if (run.options.full) return "all weights";
  return "adapter (" + run.method +
         (run.options.from.empty() ? ")" : "), from " + run.options.from);
}

}  // namespace

std::string summary(const TrainedRun& run) {
  const TrainOptions& options = run.options;
  const RunState& state = run.report.state;
  std::string text = fmt::format(
      "written     {}\n"
      "trained     {}, {} of {} parameters, {}\n"
      "examples    {}, {} held out{}\n"
      "steps       {}{}, {} tokens, {:.0f} tokens/s on {} thread{}\n"
      "loss        {:.4f} -> {:.4f}\n",
      options.out, trained_text(run), base::format_count(run.trained),
      base::format_count(run.parameters), options.type,
      base::format_count(static_cast<std::int64_t>(run.learned)),
      base::format_count(static_cast<std::int64_t>(run.held_out)),
      run.left_out > 0 ? fmt::format(", {} left out for their length", run.left_out) : "",
      base::format_count(state.step),
      run.report.resumed ? fmt::format(" (resumed at {})", run.report.resumed_at) : "",
      base::format_count(state.tokens), run.report.tokens_per_second, options.threads,
      options.threads == 1 ? "" : "s", state.curve.front().loss, state.curve.back().loss);
  if (state.before && state.best) {
    text += fmt::format("held out    {:.4f} -> {:.4f} at step {}, whose weights were written\n",
                        state.before->loss, state.best->loss, state.best_step);
    if (state.best->acceptance) {
      text += fmt::format("accepted    {} -> {} of its drafts, as held-out answers tell\n",
                          base::format_percent(state.before->acceptance.value_or(0)),
                          base::format_percent(*state.best->acceptance));
    }
  }
  return text;
}

boost::json::object to_json(const TrainedRun& run) {
  const TrainOptions& options = run.options;
  const RunState& state = run.report.state;
  boost::json::object json{{"output", options.out},
                           {"student", options.student},
                           {"architecture", run.architecture},
                           {"method", run.method},
                           {"type", options.type},
                           {"loss", options.loss},
                           {"examples", run.learned},
                           {"held_out_examples", run.held_out},
                           {"left_out", run.left_out},
                           {"steps", state.step},
                           {"end", end_name(run.report.end)},
                           {"tokens", state.tokens},
                           {"seconds", state.seconds},
                           {"tokens_per_second", run.report.tokens_per_second},
                           {"threads", options.threads},
                           {"memory_estimate", run.memory_estimate},
                           {"curve", to_json(state.curve)}};
  if (!options.from.empty()) json["from"] = options.from;
  if (run.report.resumed) json["resumed_at"] = run.report.resumed_at;
  if (state.before && state.best) {
    json["held_out_loss_before"] = state.before->loss;
    json["held_out_loss"] = state.best->loss;
    json["held_out_step"] = state.best_step;
    if (state.before->acceptance && state.best->acceptance) {
      json["acceptance_before"] = *state.before->acceptance;
      json["acceptance"] = *state.best->acceptance;
    }
  }
  return json;
}

LossPage page_of(const TrainedRun& run) {
  const TrainOptions& options = run.options;
  const RunState& state = run.report.state;
  LossPage page{.title = std::filesystem::path(options.out).stem().string(),
                .tiles = {{"loss", fmt::format("{:.4f}", state.curve.back().loss)}},
                .curve = state.curve,
                .origin = {{"command", run.command_line},
                           {"student", options.student},
                           {"method", trained_text(run)},
                           {"type", options.type},
                           {"loss", options.loss},
                           {"threads", std::to_string(options.threads)}}};
  if (state.best) page.tiles.emplace_back("held out", fmt::format("{:.4f}", state.best->loss));
  if (state.before && state.before->acceptance && state.best && state.best->acceptance) {
    page.tiles.emplace_back("drafts accepted before",
                            base::format_percent(*state.before->acceptance));
    page.tiles.emplace_back("drafts accepted", base::format_percent(*state.best->acceptance));
  }
  page.tiles.emplace_back("steps", base::format_count(state.step));
  page.tiles.emplace_back("tokens", base::format_count(state.tokens));
  page.tiles.emplace_back("tokens/s", fmt::format("{:.0f}", run.report.tokens_per_second));
  page.tiles.emplace_back("time", base::format_ms(state.seconds * 1'000));
  return page;
}

}  // namespace lichen::cli
