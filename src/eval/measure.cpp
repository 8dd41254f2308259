#include "eval/measure.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <exception>
#include <filesystem>
#include <future>
#include <utility>

#include "policy/config.h"

namespace lichen::eval {
namespace {

/// What is kept of one request.
struct Outcome {
  bool answered = false;  // and the answer could be checked
  bool right = false;
  bool large = false;
  double ms = 0;
  std::int64_t tokens = 0;
  std::int64_t large_tokens = 0;
};

/// One plan's run over the suite. All of it happens on one strand; `outcomes` may be read when the
/// last worker has ended.
class Run {
 public:
  Run(Runtime& runtime, const Suite& suite, const MeasureOptions& options, std::string plan,
      std::function<void()> answered)
      : runtime_(runtime),
        suite_(suite),
        options_(options),
        plan_(std::move(plan)),
        answered_(std::move(answered)) {}

  /// Takes the next task until there is none. A member, so that it captures nothing.
  awaitable<void> work() {
    while (next_ < suite_.tasks.size() && !options_.stop.stop_requested()) {
      const Task& task = suite_.tasks[next_++];
      outcomes_.push_back(co_await answer(task));
      answered_();
    }
  }

  awaitable<void> warm_up() { co_await answer(suite_.tasks.front()); }

  Row row(double seconds) const;

 private:
  awaitable<Outcome> answer(const Task& task);

  Runtime& runtime_;
  const Suite& suite_;
  const MeasureOptions& options_;
  const std::string plan_;
  const std::function<void()> answered_;
  std::size_t next_ = 0;
  std::vector<Outcome> outcomes_;
};

awaitable<Outcome> Run::answer(const Task& task) {
  Turn turn(plan_);
  const std::stop_callback cancel(options_.stop, [&turn] { turn.cancel(); });
  Request request{.messages = {{.role = "user", .content = task.prompt}},
                  .max_tokens = options_.max_tokens};

  const auto started = Clock::now();
  const auto answer = co_await runtime_.answer(std::move(request), turn);
  const std::chrono::duration<double, std::milli> elapsed = Clock::now() - started;

  Outcome outcome{.ms = elapsed.count()};
  outcome.large = std::ranges::any_of(
      turn.receipt.steps, [&](const Step& step) { return options_.large.contains(step.model); });
  if (!answer) co_return outcome;
  for (const Stretch& stretch : answer->authors) {
    outcome.tokens += stretch.tokens;
    if (options_.large.contains(stretch.model)) outcome.large_tokens += stretch.tokens;
  }
  const auto right = task.check->right(task.reference, answer->text);
  outcome.answered = right.has_value();
  outcome.right = right.value_or(false);
  co_return outcome;
}

Row Run::row(double seconds) const {
  Row row{.plan = plan_, .n = static_cast<std::int64_t>(outcomes_.size())};
  std::vector<double> latencies;
  std::int64_t right = 0, large = 0, tokens = 0, large_tokens = 0;
  for (const Outcome& outcome : outcomes_) {
    right += outcome.right;
    large += outcome.large;
    tokens += outcome.tokens;
    large_tokens += outcome.large_tokens;
    if (outcome.answered) latencies.push_back(outcome.ms);
  }
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  row.accuracy = share(right, row.n);
  row.large_request_share = share(large, row.n);
  row.large_token_share = share(large_tokens, tokens);
  row.p50_ms = percentile(latencies, 50);
  row.p95_ms = percentile(latencies, 95);
  row.tokens_per_s = seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
  row.failures = row.n - static_cast<std::int64_t>(latencies.size());
  return row;
}

using Strand = boost::asio::strand<boost::asio::any_io_executor>;

/// Spawns `work` and hands back its end, with whatever it threw.
std::future<void> spawn(const Strand& strand, awaitable<void> work) {
  std::promise<void> ended;
  auto future = ended.get_future();
  boost::asio::co_spawn(strand, std::move(work),
                        [ended = std::move(ended)](std::exception_ptr error) mutable {
                          if (error) {
                            ended.set_exception(error);
                          } else {
                            ended.set_value();
                          }
                        });
  return future;
}

/// Waits for all before it looks at any: a worker must not outlive the run because another threw.
Result<void> join(std::vector<std::future<void>> workers) {
  for (auto& worker : workers) worker.wait();
  try {
    for (auto& worker : workers) worker.get();
  } catch (const std::exception& e) {
    return fail(Errc::internal, std::string("a measurement threw: ") + e.what());
  }
  return {};
}

Result<Row> measure_plan(Runtime& runtime, const Strand& strand, const Suite& suite,
                         const MeasureOptions& options, const std::string& plan,
                         std::function<void()> answered) {
  Run run(runtime, suite, options, plan, std::move(answered));
  std::vector<std::future<void>> workers;
  workers.push_back(spawn(strand, run.warm_up()));
  if (auto ended = join(std::exchange(workers, {})); !ended) {
    return std::unexpected(ended.error());
  }

  const auto started = Clock::now();
  for (int i = 0; i < options.concurrency; ++i) workers.push_back(spawn(strand, run.work()));
  auto ended = join(std::move(workers));
  const std::chrono::duration<double> elapsed = Clock::now() - started;
  if (!ended) return std::unexpected(ended.error());
  if (options.stop.stop_requested()) {
    return fail(Errc::cancelled, "the measurement was stopped");
  }
  return run.row(elapsed.count());
}

}  // namespace

Result<Report> measure(Runtime& runtime, boost::asio::any_io_executor io, const Suite& suite,
                       MeasureOptions options) {
  if (options.plans.empty()) return fail(Errc::bad_request, "no plan to measure");
  if (suite.tasks.empty()) return fail(Errc::bad_request, "the suite holds no task");
  if (options.concurrency < 1) return fail(Errc::bad_request, "the concurrency must be at least 1");
  for (const auto& plan : options.plans) {
    if (auto found = runtime.find(plan); !found) return std::unexpected(found.error());
  }

  const Strand strand(std::move(io));
  const std::size_t total = options.plans.size() * suite.tasks.size();
  std::size_t done = 0;
  Report report{.suite = suite.name, .rows = {}};
  for (const auto& plan : options.plans) {
    const auto answered = [&] {
      ++done;
      if (options.progress) options.progress(plan, done, total);
    };
    auto row = measure_plan(runtime, strand, suite, options, plan, answered);
    if (!row) return std::unexpected(row.error());
    report.rows.push_back(std::move(*row));
  }
  return report;
}

policy::Config for_measuring(policy::Config config) {
  config.ledger.path = "none";
  for (policy::ModelConfig& model : config.models) {
    if (auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
      local->batcher.prefix_cache_bytes = 0;
    }
  }
  return config;
}

std::set<std::string> large_models(const policy::Config& config) {
  if (config.models.size() < 2) return {};
  struct Size {
    double price = 0;
    bool remote = false;
    std::uintmax_t bytes = 0;
    auto operator<=>(const Size&) const = default;
  };
  const auto size = [](const policy::ModelConfig& model) {
    Size found;
    const auto price = std::visit([](const auto& options) { return options.price; }, model.options);
    if (price) found.price = price->output;
    if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
      std::error_code error;
      const auto bytes = std::filesystem::file_size(local->gguf, error);
      if (!error) found.bytes = bytes;
    } else {
      found.remote = true;
    }
    return found;
  };
  const auto named = std::ranges::find(config.models, "large", &policy::ModelConfig::name);
  if (named != config.models.end()) return {named->name};
  return {std::ranges::max_element(config.models, {}, size)->name};
}

}  // namespace lichen::eval
