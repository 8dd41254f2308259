// lichen doctor: what this machine and configuration can do, and what is broken.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/energy.h"
#include "cli/command.h"
#include "cli/doctor_view.h"
#include "cli/home.h"
#include "cli/host.h"
#include "cli/machine.h"
#include "ledger/ledger.h"
#include "policy/identity.h"
#include "policy/open_ledger.h"

namespace lichen::cli {
namespace {

std::uint64_t memory_field(std::string_view key) {
  return std::strtoull(proc_field("/proc/meminfo", key).c_str(), nullptr, 10) * 1'024;
}

void look_at_machine(Diagnosis& diagnosis) {
  diagnosis.cpu = cpu_name();
  diagnosis.cores = usable_cores();
  diagnosis.memory_total = memory_field("MemTotal");
  diagnosis.memory_available = memory_field("MemAvailable");
  diagnosis.energy = base::EnergyMeter::open().has_value();
}

std::string source_of(const policy::ModelConfig& model) {
  if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
    return local->gguf.string();
  }
  const auto& remote = std::get<model::RemoteModelOptions>(model.options);
  std::string urls = remote.url;
  for (const auto& place : remote.urls) urls += (urls.empty() ? "" : ", ") + place.url;
  return urls;
}

/// Loads the models and then each plan by itself, so that one that is broken hides no other.
class Examination {
 public:
  Examination(policy::Config config, boost::asio::any_io_executor io)
      : config_(std::move(config)), io_(std::move(io)) {
    config_.ledger.path = "none";
  }

  std::vector<ModelState> models();
  /// After `models`.
  std::vector<PlanState> plans();

 private:
  /// The configuration with nothing but these parts.
  policy::Config with(std::vector<policy::ModelConfig> models,
                      std::vector<policy::PlanConfig> plans) const;

  /// What is wrong with each of the models that do not load, by name.
  std::map<std::string, std::string> broken_models() const;

  policy::Config config_;
  const boost::asio::any_io_executor io_;
  std::unique_ptr<Runtime> opened_;
  std::vector<ModelPtr> loaded_;
};

policy::Config Examination::with(std::vector<policy::ModelConfig> models,
                                 std::vector<policy::PlanConfig> plans) const {
  auto config = config_;
  config.serve.plan.clear();
  config.ledger.record.clear();  // of plans that may not be there
  config.models = std::move(models);
  config.ready = config_.models;
  config.plans = std::move(plans);
  return config;
}

std::map<std::string, std::string> Examination::broken_models() const {
  std::map<std::string, std::string> broken;
  for (const auto& model : config_.models) {
    const auto alone = open_runtime(with({model}, {}), io_);
    if (!alone) broken[model.name] = alone.error().detail;
  }
  return broken;
}

std::vector<ModelState> Examination::models() {
  // Together, as plans use them: those of one device share its lane.
  std::map<std::string, std::string> broken;
  auto runtime = open_runtime(with(config_.models, {}), io_);
  if (!runtime) {
    broken = broken_models();
    auto sound = config_.models;
    std::erase_if(sound, [&](const auto& model) { return broken.contains(model.name); });
    runtime = open_runtime(with(sound, {}), io_);
    if (!runtime) {
      for (const auto& model : sound) broken[model.name] = runtime.error().detail;
    }
  }
  if (runtime) {
    opened_ = *std::move(runtime);
    loaded_ = opened_->models();
  }

  std::vector<ModelState> states;
  for (const auto& model : config_.models) {
    ModelState state{.name = model.name, .source = source_of(model)};
    state.local = std::holds_alternative<model::LocalModelOptions>(model.options);
    if (const auto error = broken.find(model.name); error != broken.end()) {
      state.error = error->second;
    }
    const auto loaded =
        std::ranges::find(loaded_, model.name, [](const auto& each) { return each->name(); });
    if (loaded != loaded_.end()) {
      state.context = (*loaded)->context_length();
      if (const auto* local = dynamic_cast<const model::LocalModel*>(loaded->get())) {
        state.times = local->times();
      }
    }
    states.push_back(std::move(state));
  }
  return states;
}

std::vector<PlanState> Examination::plans() {
  // A plan may name another. Each round adds the plans that work together with those that are known
  // to; what is left when a round adds none is broken.
  std::vector<policy::PlanConfig> working;
  std::map<std::string, std::string> broken;
  std::size_t before = 0;
  do {
    before = working.size();
    for (const auto& plan : config_.plans) {
      if (std::ranges::find(working, plan.name, &policy::PlanConfig::name) != working.end()) {
        continue;
      }
      auto attempt = working;
      attempt.push_back(plan);
      const auto runtime = Runtime::open(with({}, attempt), io_, {}, loaded_);
      if (runtime) {
        working = std::move(attempt);
        broken.erase(plan.name);
      } else {
        broken[plan.name] = runtime.error().detail;
        if (loaded_.size() < config_.models.size()) {
          broken[plan.name] += " (with the models that load)";
        }
      }
    }
  } while (working.size() > before && !broken.empty());

  std::vector<PlanState> states;
  for (const auto& plan : config_.plans) {
    const auto error = broken.find(plan.name);
    states.push_back({.name = plan.name,
                      .error = error == broken.end() ? "" : error->second,
                      .notes = policy::risk_notes(config_, plan),
                      .exposures = policy::exposures(config_, plan)});
  }
  return states;
}

void look_at_ledger(const policy::Config& config, Diagnosis& diagnosis) {
  const auto place = policy::ledger_place(config.ledger);
  if (!place) {
    diagnosis.ledger_error = place.error().detail;
    return;
  }
  diagnosis.ledger = *place;
  if (*place == "none") return;
  const auto opened = policy::open_ledger(config.ledger);
  if (!opened) {
    diagnosis.ledger_error = opened.error().detail;
    return;
  }
  const auto flushed = (*opened)->flush();
  const auto health = (*opened)->health();
  diagnosis.ledger_pending = health.pending;
  if (!flushed) {
    diagnosis.ledger_error = flushed.error().detail;
  } else if (!health.ok) {
    diagnosis.ledger_error = health.last_error;
  }
  if (const auto lost = (*opened)->lost()) {
    diagnosis.ledger_lost = *lost;
  } else if (diagnosis.ledger_error.empty()) {
    diagnosis.ledger_error = lost.error().detail;
  }
}

/// Connects to the endpoints of all remote models that load.
void look_at_endpoints(const policy::Config& config, std::vector<ModelState>& states) {
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto* remote = std::get_if<model::RemoteModelOptions>(&config.models[i].options);
    if (remote == nullptr || !states[i].error.empty()) continue;
    auto reached = model::reach(*remote);
    if (reached) {
      states[i].reached = *std::move(reached);
    } else {
      states[i].error = reached.error().detail;
    }
  }
}

Diagnosis diagnose(const std::filesystem::path& chosen, bool probe) {
  Diagnosis diagnosis;
  look_at_machine(diagnosis);
  const auto file = find_config(chosen);
  if (!file) {
    diagnosis.config_error = file.error().detail;
    return diagnosis;
  }
  diagnosis.config = std::filesystem::weakly_canonical(*file).string();
  auto config = policy::load_config(*file);
  if (!config) {
    diagnosis.config_error = config.error().detail;
    return diagnosis;
  }
  look_at_ledger(*config, diagnosis);
  boost::asio::io_context io(1);  // carries no connection: nothing is asked
  Examination examination(*config, io.get_executor());
  diagnosis.models = examination.models();
  if (probe) look_at_endpoints(*config, diagnosis.models);
  diagnosis.plans = examination.plans();
  return diagnosis;
}

int doctor(const std::string& json, bool probe, const Invocation& invocation) {
  const auto diagnosis = diagnose(invocation.config, probe);
  if (json != "-") {
    const auto out = Terminal::of(stdout);
    out.write(diagnosis_text(diagnosis, out));
  }
  if (!json.empty()) {
    const auto written = write_output(json, boost::json::serialize(to_json(diagnosis)));
    if (!written) return report_error(written.error());
  }
  return healthy(diagnosis) ? kOk : kFailed;
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
  auto json = std::make_shared<std::string>();
  auto probe = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("doctor", "What this machine and configuration can do, what is broken");
  command
      ->add_option_function<std::string>(
          "--json", [json](const std::string& file) { *json = file.empty() ? "-" : file; },
          "As JSON, to FILE or to stdout")
      ->type_name("[FILE]")
      ->expected(0, 1);
  command->add_flag("--probe", *probe,
                    "Connect to the endpoints of remote models, too, and hang up: nothing is sent");
  command->footer(
      "Loads all models, then each plan by itself, and measures t(n), the time of one pass over n "
      "tokens.\n"
      "Remote models are not contacted without --probe; of each it says whether a plan's `mask` is "
      "over it.\n"
      "Exit status 1 if anything is broken, or no endpoint of a model is reached. How the breakers "
      "of a\n"
      "running server stand is in its /metrics.\n"
      "\n"
      "Examples:\n"
      "  lichen doctor\n"
      "  lichen doctor --config lichen.yaml --json");
  command->callback([&invocation, json, probe] {
    invocation.action = [&invocation, json, probe] { return doctor(*json, *probe, invocation); };
  });
}

}  // namespace lichen::cli
