// Everything that a configuration file describes, loaded and ready: models, plans, ledger.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/result.h"

namespace lichen {

namespace ledger {
class Ledger;
}
namespace policy {
struct Config;
struct PlanMetric;
}  // namespace policy

/// Safe to use from any thread once opened.
class Runtime {
 public:
  /// Called while models load: the model's name and how much of it is there, 0 to 1.
  using Progress = std::function<void(std::string_view model, double fraction)>;

  /// Reads, checks and loads the file. Every error names the file and line and says what would be
  /// right. `io` carries the connections of remote models; somebody must run it.
  static Result<std::unique_ptr<Runtime>> open(const std::filesystem::path& config,
                                               boost::asio::any_io_executor io,
                                               Progress progress = {});
  /// The same from a configuration in memory; `models` are added to those of the configuration
  /// (ready-made ones, for tests and embedding programs).
  static Result<std::unique_ptr<Runtime>> open(policy::Config config,
                                               boost::asio::any_io_executor io,
                                               Progress progress = {},
                                               std::vector<ModelPtr> models = {});
  /// The same in place of `former`, from a configuration that may have changed. What has not is
  /// kept and shared with it: models, loaded once, with their caches and connections, and
  /// ready-made ones; the ledger; plans with all that they have learned and shown. `io` must be the
  /// one that `former` was given. On an error `former` is as it was. On success both answer, but
  /// only the new one keeps what plans learn; let `former` go when its last turn has ended. Blocks
  /// while models load.
  static Result<std::unique_ptr<Runtime>> reopen(Runtime& former, policy::Config config,
                                                 boost::asio::any_io_executor io,
                                                 Progress progress = {});
  ~Runtime();

  /// A plan or model by name; empty means the configuration's default plan. `not_found` lists
  /// what there is.
  Result<AnswererPtr> find(std::string_view name) const;
  Result<ModelPtr> find_model(std::string_view name) const;
  std::vector<std::string> plan_names() const;
  std::vector<ModelPtr> models() const;
  /// What the mechanisms of all plans show.
  const std::vector<policy::PlanMetric>& metrics() const;
  const policy::Config& config() const;
  ledger::Ledger& ledger();

  /// Answers by the plan or model that `turn.receipt.plan` names, completes the receipt (id,
  /// authors, times, finish or error) and records it. A failed turn has a receipt too: what it cost
  /// until then.
  /// What is left for later (see `Turn::later`) runs afterwards, with a receipt of its own.
  awaitable<Result<Answer>> answer(Request request, Turn& turn);
  /// How long a request's prompt is for the model of that name; for a plan, for that of its local
  /// models to which it is the longest, else for the first of its endpoints.
  awaitable<Result<std::int64_t>> count_tokens(std::string name, Request request) const;
  /// Blocks until what was left for later is done, or `give_up` says so. Not for threads that it
  /// may need.
  void settle(std::stop_token give_up = {});
  /// What somebody thought of an answer, by its receipt's id; the latest counts. Blocks until it is
  /// on disk. `not_found`: no such receipt; `bad_request`: see check(Feedback); `storage`: it
  /// cannot be written now.
  Result<void> feedback(const std::string& receipt, const Feedback& feedback);
  /// Embeds by the named model, likewise with a receipt.
  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn);

 private:
  struct Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lichen
