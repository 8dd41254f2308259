// A student beside its teacher, and what became of it: what `lichen distill` commands have in
// common that train and look at the result.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "policy/config.h"

namespace lichen::cli {

/// `not_found` names the models that there are.
Result<policy::ModelConfig*> model_named(policy::Config& config, const std::string& name);

/// What training wrote: an adapter, or all weights.
struct Trained {
  std::string name;
  std::filesystem::path gguf;
  bool full = false;
};

/// A local model that learns and who teaches it, both of a configuration.
class StudentAndTeacher {
 public:
  /// `not_found` names the models that there are; `bad_config`: the student is no local model.
  static Result<StudentAndTeacher> of(const policy::Config& config, const std::string& student,
                                      const std::string& teacher);

  const std::string& student() const { return student_; }
  const std::string& teacher() const { return teacher_; }
  const std::filesystem::path& student_gguf() const { return gguf_; }

  /// What a trained one answers as, in `config_with`.
  std::string name_of(const Trained& trained) const;
  /// The two models and the trained ones, to be measured: nothing of it is traffic.
  policy::Config config_with(std::span<const Trained> trained) const;
  /// `lichen-distill train`'s arguments that go on with training `from`.
  std::vector<std::string> arguments_from(const Trained& from) const;

 private:
  StudentAndTeacher(policy::Config config, std::string student, std::string teacher)
      : config_(std::move(config)), student_(std::move(student)), teacher_(std::move(teacher)) {}

  policy::Config config_;
  std::string student_, teacher_;
  std::filesystem::path gguf_;
};

}  // namespace lichen::cli
