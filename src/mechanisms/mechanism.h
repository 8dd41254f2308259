// How a mechanism enters a plan. To add one: a folder's file with `build`, a line in registry.cpp,
// its test, its docs.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::privacy {
class DetectorPool;
}

namespace lichen::mechanisms {

/// One of several operands, with the name by which the receipt speaks of it: the model's or plan's
/// name as it stands in the plan, or the mechanism's.
struct Operand {
  std::string name;
  AnswererPtr answerer;
};

/// The part of a mechanism that learns from its turns. The runtime hands it all feedback, keeps
/// what it knows in the ledger and gives it back after a restart. Safe to use from any thread.
class Learner {
 public:
  virtual ~Learner() = default;
  /// How good an answer was, 0 to 1, in place of what was said of it before. `request`: see
  /// Turn::request_id; one that it had no part in, or has forgotten, is passed over.
  virtual void feedback(const std::string& request, double score) = 0;
  /// What it knows, as text.
  virtual std::string state() const = 0;
  /// `bad_model`, and nothing is changed: the text is damaged, or of another mechanism or plan.
  virtual Result<void> restore(std::string_view state) = 0;
};

/// Takes private values out of what is to be stored. Safe to use from any thread.
class Redactor {
 public:
  virtual ~Redactor() = default;
  /// The request with placeholders. Where it fails, nothing of it is to be stored.
  virtual awaitable<Result<Request>> redact(Request request, Turn& turn) = 0;
};

/// What stands in a model's place within a part of a plan; an error that says why it must not stand
/// there becomes `bad_config` at the place of its name.
using EachModel = std::function<Result<ModelPtr>(ModelPtr)>;

/// A number that the server's metrics show of a mechanism, for Prometheus.
struct Metric {
  std::string name;  // "lichen_drift_alarm"; with "_total" at its end it only rises
  std::string help;
  std::map<std::string, std::string> labels = {};  // beside `plan`; from small sets
  /// At each scrape, from any thread.
  std::function<double()> read;
};

/// What stands under a mechanism's key in a plan. Implemented by the plan loader, so that every
/// error names file and line. Reading a key marks it known; unknown ones are an error at the end.
class Options {
 public:
  virtual ~Options() = default;
  /// A sub-expression: a model's or plan's name, or a mechanism. Required.
  virtual Result<AnswererPtr> operand(std::string_view key) = 0;
  /// The same, with every model in it, however deep and under whatever name, replaced. Of nested
  /// ones the innermost is applied first.
  virtual Result<AnswererPtr> operand_of(std::string_view key, EachModel each_model) = 0;
  /// A sequence of them, at least one.
  virtual Result<std::vector<Operand>> operands(std::string_view key) = 0;
  virtual bool has(std::string_view key) = 0;
  virtual Result<double> number(std::string_view key, double fallback, double min, double max) = 0;
  /// A map of numbers with just these names, each from min to max; none where the key is not there.
  virtual Result<std::optional<std::vector<double>>> number_map(
      std::string_view key, std::span<const std::string_view> names, double min, double max) = 0;
  /// The same where each of the names may be missing; all are none where the key is not there.
  virtual Result<std::vector<std::optional<double>>> some_numbers(
      std::string_view key, std::span<const std::string_view> names, double min, double max) = 0;
  /// The path of a file; relative ones start from the configuration's folder. Required.
  virtual Result<std::filesystem::path> file(std::string_view key) = 0;
  virtual Result<bool> flag(std::string_view key, bool fallback) = 0;
  virtual Result<std::string> choice(std::string_view key,
                                     std::span<const std::string_view> allowed,
                                     std::string_view fallback) = 0;
  /// Any text. Required.
  virtual Result<std::string> text(std::string_view key) = 0;
  /// A sequence of words out of `allowed`; empty where the key is not there.
  virtual Result<std::vector<std::string>> words(std::string_view key,
                                                 std::span<const std::string_view> allowed) = 0;
  /// Detectors of private values, which the mechanisms of all plans share.
  virtual privacy::DetectorPool& detectors() = 0;
  /// What is recorded of the prompts of the plan that the mechanism stands in, and of those that
  /// refer to it, goes through this.
  virtual void redacts(std::shared_ptr<Redactor> redactor) = 0;
  /// Under the name of the plan that the mechanism stands in.
  virtual void show(Metric metric) = 0;
  /// What the mechanism's scores depend on: its options and operands, models by the hashes of their
  /// files or by their endpoints; but not what only sets its threshold (`threshold`, `risk`,
  /// `calibration`, `hedge`).
  virtual Result<boost::json::object> identity() = 0;
  /// Makes the learner of the mechanism that is being built known to the runtime.
  virtual void learns(std::shared_ptr<Learner> learner) = 0;
  /// `bad_config` at the key's place (or the mechanism's, for an empty key).
  virtual Error error(std::string_view key, std::string what) = 0;
  /// What stands under a key whose value is itself a map of options; null where the key is not
  /// there. Lives as long as this.
  virtual Result<Options*> map(std::string_view key) = 0;
  /// More than 0, at most a day.
  virtual Result<std::chrono::milliseconds> duration(std::string_view key,
                                                     std::chrono::milliseconds fallback) = 0;
  /// The models that a key's operand names, however deep and under whatever name, as they are.
  virtual std::vector<ModelPtr> models(std::string_view key) = 0;
  /// Whether remote models see less of what stands under a key than of what stands beside it: there
  /// is a `mask` within the key's operand, and none around the mechanism.
  virtual bool masked_within(std::string_view key) = 0;
};

struct Mechanism {
  std::string_view name;     // the plan's key
  std::string_view summary;  // one line for `--help` and `doctor`
  Result<AnswererPtr> (*build)(Options& options);
};

/// All mechanisms, by name.
std::span<const Mechanism> registry();

}  // namespace lichen::mechanisms
