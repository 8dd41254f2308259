#include "cli/doctor_view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/table.h"

namespace lichen::cli {
namespace {

std::string verdict(bool ok, const Terminal& terminal) {
  return ok ? terminal.styled("ok", Style::green) : terminal.styled("BROKEN", Style::red);
}

std::string line(std::string_view label, std::string_view text) {
  return fmt::format("{:<8}  {}\n", label, text);
}

/// "t(1) = 1.50 ms on 2 threads, t(4) = 3.40 ms (2.3x) on 1"
std::string times_text(const model::StepTimes& times) {
  std::string out;
  for (const auto& [tokens, ms, threads] : times.passes) {
    if (out.empty()) {
      out = fmt::format("t({}) = {:.2f} ms on {} {}", tokens, ms, threads,
                        threads == 1 ? "thread" : "threads");
    } else {
      const double one = times.passes.front().ms;
      out += fmt::format(", t({}) = {:.2f} ms", tokens, ms);
      if (one > 0) out += fmt::format(" ({:.1f}x)", ms / one);
      out += fmt::format(" on {}", threads);
    }
  }
  return out;
}

std::string model_line(const ModelState& model, const Terminal& terminal) {
  std::string text = verdict(model.error.empty(), terminal) + "  " + model.name + ": ";
  if (!model.error.empty()) return text + terminal.harmless(model.error);
  text += model.source;
  if (model.context > 0) text += fmt::format(", context {}", format_count(model.context));
  if (model.times && !model.times->passes.empty()) text += ", " + times_text(*model.times);
  if (!model.local && model.reached.empty()) text += ", not contacted";
  for (const model::Reach& each : model.reached) {
    text += fmt::format(", {} {}", each.name,
                        each.error.empty() ? fmt::format("reached in {:.0f} ms", each.connect_ms)
                                           : "not reached: " + terminal.harmless(each.error));
  }
  return text;
}

std::string exposure_text(const policy::Exposure& exposure) {
  switch (exposure.shown) {
    case policy::Shown::clear:
      return exposure.model + " is asked in clear text: no `mask` is over it";
    case policy::Shown::masked: return exposure.model + " gets placeholders for what is private";
    case policy::Shown::never: return exposure.model + " gets nothing private";
  }
  return "";
}

boost::json::array to_json(const std::vector<policy::Exposure>& exposures) {
  boost::json::array list;
  for (const auto& [model, shown] : exposures) {
    list.push_back(boost::json::object{{"model", model}, {"private", policy::to_string(shown)}});
  }
  return list;
}

boost::json::value error_or_null(const std::string& error) {
  return error.empty() ? boost::json::value(nullptr) : boost::json::value(error);
}

boost::json::array to_json(const std::vector<model::Reach>& reached) {
  boost::json::array all;
  for (const auto& [name, connect_ms, error] : reached) {
    all.push_back(boost::json::object{{"upstream", name},
                                      {"reached", error.empty()},
                                      {"connect_ms", connect_ms},
                                      {"error", error_or_null(error)}});
  }
  return all;
}

boost::json::value to_json(const std::optional<model::StepTimes>& times) {
  if (!times) return nullptr;
  boost::json::array passes;
  for (const auto& [tokens, ms, threads] : times->passes) {
    passes.push_back(boost::json::object{{"tokens", tokens}, {"ms", ms}, {"threads", threads}});
  }
  return boost::json::object{{"passes", std::move(passes)}};
}

}  // namespace

bool healthy(const Diagnosis& diagnosis) {
  const auto fine = [](const auto& state) { return state.error.empty(); };
  const auto reached = [](const ModelState& model) {
    return model.reached.empty() ||
           std::ranges::any_of(model.reached, [](const auto& each) { return each.error.empty(); });
  };
  return diagnosis.config_error.empty() && diagnosis.ledger_error.empty() &&
         std::ranges::all_of(diagnosis.models, fine) &&
         std::ranges::all_of(diagnosis.models, reached) &&
         std::ranges::all_of(diagnosis.plans, fine);
}

std::string diagnosis_text(const Diagnosis& diagnosis, const Terminal& terminal) {
  std::string out =
      line("device",
           fmt::format("{}, {} {}", diagnosis.cpu.empty() ? "unknown processor" : diagnosis.cpu,
                       diagnosis.cores, diagnosis.cores == 1 ? "core" : "cores"));
  out += line("memory", fmt::format("{}, {} available", format_bytes(diagnosis.memory_total),
                                    format_bytes(diagnosis.memory_available)));
  out += line("energy", diagnosis.energy ? "measured (RAPL)"
                                         : "no readable counter: receipts carry no joules");
  out += line("config",
              verdict(diagnosis.config_error.empty(), terminal) + "  " +
                  (diagnosis.config_error.empty() ? diagnosis.config
                                                  : terminal.harmless(diagnosis.config_error)));
  for (const auto& model : diagnosis.models) out += line("model", model_line(model, terminal));
  for (const auto& plan : diagnosis.plans) {
    out += line("plan", verdict(plan.error.empty(), terminal) + "  " + plan.name +
                            (plan.error.empty() ? "" : ": " + terminal.harmless(plan.error)));
    for (const auto& note : plan.notes) out += line("", "    " + note);
    for (const auto& each : plan.exposures) out += line("", "    " + exposure_text(each));
  }
  if (!diagnosis.ledger.empty() || !diagnosis.ledger_error.empty()) {
    std::string text = verdict(diagnosis.ledger_error.empty(), terminal) + "  ";
    text += diagnosis.ledger == "none" ? "none is kept" : diagnosis.ledger;
    if (!diagnosis.ledger_error.empty()) text += ": " + terminal.harmless(diagnosis.ledger_error);
    if (diagnosis.ledger_pending > 0) {
      text += fmt::format(" ({} receipts wait to be written)", diagnosis.ledger_pending);
    }
    if (diagnosis.ledger_lost > 0) {
      text += fmt::format(" ({} receipts were lost since it exists)", diagnosis.ledger_lost);
    }
    out += line("ledger", text);
  }
  return out;
}

boost::json::object to_json(const Diagnosis& diagnosis) {
  boost::json::array models, plans;
  for (const auto& model : diagnosis.models) {
    models.push_back(boost::json::object{{"name", model.name},
                                         {"local", model.local},
                                         {"source", model.source},
                                         {"ok", model.error.empty()},
                                         {"error", error_or_null(model.error)},
                                         {"context", model.context},
                                         {"times", to_json(model.times)},
                                         {"upstreams", to_json(model.reached)}});
  }
  for (const auto& plan : diagnosis.plans) {
    plans.push_back(
        boost::json::object{{"name", plan.name},
                            {"ok", plan.error.empty()},
                            {"error", error_or_null(plan.error)},
                            {"risk", boost::json::array(plan.notes.begin(), plan.notes.end())},
                            {"remote", to_json(plan.exposures)}});
  }
  return {
      {"ok", healthy(diagnosis)},
      {"device", {{"cpu", diagnosis.cpu}, {"cores", diagnosis.cores}}},
      {"memory", {{"total", diagnosis.memory_total}, {"available", diagnosis.memory_available}}},
      {"energy", diagnosis.energy},
      {"config", {{"file", diagnosis.config}, {"error", error_or_null(diagnosis.config_error)}}},
      {"models", std::move(models)},
      {"plans", std::move(plans)},
      {"ledger",
       {{"path", diagnosis.ledger},
        {"error", error_or_null(diagnosis.ledger_error)},
        {"pending", diagnosis.ledger_pending},
        {"lost", diagnosis.ledger_lost}}}};
}

}  // namespace lichen::cli
