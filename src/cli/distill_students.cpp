#include "cli/distill_students.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "eval/baselines.h"
#include "policy/nearest.h"

namespace lichen::cli {
Result<policy::ModelConfig*> model_named(policy::Config& config, const std::string& name) {
  std::vector<std::string> names;
  for (policy::ModelConfig& model : config.models) {
    if (model.name == name) return &model;
    names.push_back(model.name);
  }
  return fail(Errc::not_found, fmt::format("there is no model `{}`{}; there are: {}", name,
                                           policy::did_you_mean(name, names), policy::list(names)));
}

Result<StudentAndTeacher> StudentAndTeacher::of(const policy::Config& config,
                                                const std::string& student,
                                                const std::string& teacher) {
  StudentAndTeacher both(eval::for_measuring(config), student, teacher);
  policy::Config& own = both.config_;
  own.plans.clear();
  own.serve.plan.clear();
  if (auto found = model_named(own, teacher); !found) return std::unexpected(found.error());
  const auto found = model_named(own, student);
  if (!found) return std::unexpected(found.error());
  auto* local = std::get_if<model::LocalModelOptions>(&(*found)->options);
  if (local == nullptr || student == teacher) {
    return fail(
        Errc::bad_config,
        local == nullptr
            ? fmt::format("`{}` is no local model, and only such a one can be trained", student)
            : fmt::format("`{}` cannot teach itself: name a larger one", student));
  }
  local->adapters.clear();
  local->versions.clear();  // the model as it was made is what is trained
  both.gguf_ = local->gguf;
  std::erase_if(own.models, [&](const policy::ModelConfig& model) {
    return model.name != student && model.name != teacher;
  });
  return both;
}

std::string StudentAndTeacher::name_of(const Trained& trained) const {
  return student_ + (trained.full ? "-" : "+") + trained.name;
}

policy::Config StudentAndTeacher::config_with(std::span<const Trained> trained) const {
  policy::Config config = config_;
  const auto student = std::ranges::find(config.models, student_, &policy::ModelConfig::name) -
                       config.models.begin();
  for (const Trained& each : trained) {
    policy::ModelConfig& model = config.models[static_cast<std::size_t>(student)];
    auto& options = std::get<model::LocalModelOptions>(model.options);
    if (each.full) {
      model::LocalModelOptions other = options;
      other.gguf = each.gguf;
      other.adapters.clear();
      config.models.push_back({.name = name_of(each), .options = std::move(other)});
    } else {
      options.adapters.push_back({.name = each.name, .gguf = each.gguf});
    }
  }
  return config;
}

std::vector<std::string> StudentAndTeacher::arguments_from(const Trained& from) const {
  if (from.full) return {"--full", "--student", from.gguf.string()};
  return {"--student", gguf_.string(), "--from", from.gguf.string()};
}

}  // namespace lichen::cli
