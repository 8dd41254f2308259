#include "eval/measure.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <exception>
#include <future>
#include <utility>

#include "eval/busy_clock.h"
#include "eval/judge.h"

namespace lichen::eval {
namespace {

/// Listens and forgets: a turn that streams shows when its first token came.
class Listener : public Sink {
 public:
  awaitable<bool> write(Piece /*piece*/) override { co_return true; }
};

/// One plan's run over the suite. All of it happens on one strand; `outcomes` may be read when the
/// last worker has ended.
class Run {
 public:
  /// `done`: the outcomes that there are already.
  Run(Runtime& runtime, const Suite& suite, const MeasureOptions& options, std::string plan,
      std::vector<Outcome> done, std::function<void()> answered)
      : runtime_(runtime),
        suite_(suite),
        options_(options),
        plan_(std::move(plan)),
        answered_(std::move(answered)),
        outcomes_(std::move(done)) {
    std::vector<bool> is_done(suite.tasks.size());
    for (const Outcome& outcome : outcomes_) is_done[outcome.task] = true;
    for (std::size_t task = 0; task < is_done.size(); ++task) {
      if (!is_done[task]) to_do_.push_back(task);
    }
  }

  bool complete() const { return to_do_.empty(); }

  /// Takes the next task until there is none. A member, so that it captures nothing.
  awaitable<void> work() {
    while (next_ < to_do_.size() && !over()) {
      Outcome outcome = co_await answer(to_do_[next_++]);
      if (over()) co_return;  // the request may have been cancelled
      if (options_.journal != nullptr) written_ = options_.journal->append(outcome);
      outcomes_.push_back(std::move(outcome));
      answered_();
    }
  }

  awaitable<void> warm_up() { co_await asked(0); }

  const Result<void>& written() const { return written_; }
  /// By task.
  std::vector<Outcome> take_outcomes() {
    std::ranges::sort(outcomes_, {}, &Outcome::task);
    return std::exchange(outcomes_, {});
  }

 private:
  struct Asked {
    Result<Answer> answer;
    std::string receipt;
    Outcome outcome;
  };
  Request request_for(std::size_t task) const;
  awaitable<Asked> asked(std::size_t task);
  awaitable<Result<std::vector<float>>> observed(std::size_t task);
  awaitable<Outcome> answer(std::size_t task);
  awaitable<Result<bool>> right(const Task& task, std::string answer);
  bool over() const { return options_.stop.stop_requested() || !written_; }

  Runtime& runtime_;
  const Suite& suite_;
  const MeasureOptions& options_;
  const std::string plan_;
  const std::function<void()> answered_;
  std::vector<std::size_t> to_do_;
  std::size_t next_ = 0;
  BusyClock busy_;
  std::vector<Outcome> outcomes_;
  Result<void> written_;  // into the journal, or the ledger
};

Request Run::request_for(std::size_t task) const {
  const Task& asked = suite_.tasks[task];
  Request request{.messages = {{.role = "user", .content = asked.prompt}},
                  .sampling = {.temperature = 0},
                  .max_tokens = options_.max_tokens};
  if (!asked.document.empty()) request.document = asked.document;
  return request;
}

awaitable<Result<std::vector<float>>> Run::observed(std::size_t task) {
  if (!options_.observer || options_.observer->plan != plan_) co_return std::vector<float>();
  Turn turn(plan_);
  const std::stop_callback cancel(options_.stop, [&turn] { turn.cancel(); });
  co_return co_await options_.observer->read(request_for(task), turn);
}

awaitable<Run::Asked> Run::asked(std::size_t task) {
  Listener listener;
  Turn turn(plan_, &listener);
  turn.fresh = true;  // what a plan answers is measured, not what it remembers
  const std::stop_callback cancel(options_.stop, [&turn] { turn.cancel(); });
  Request request = request_for(task);
  request.logprobs = options_.top_logprobs > 0;
  request.top_logprobs = options_.top_logprobs;
  Outcome outcome{.plan = plan_, .task = task};
  const auto started = Clock::now();
  auto answer = co_await runtime_.answer(std::move(request), turn);
  outcome.ms = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
  add_receipt(outcome, turn.receipt, options_.large);
  co_return Asked{
      .answer = std::move(answer), .receipt = turn.receipt.id, .outcome = std::move(outcome)};
}

awaitable<Outcome> Run::answer(std::size_t task) {
  auto features = co_await observed(task);
  if (!features) {
    co_return Outcome{
        .plan = plan_, .task = task, .error = std::string(to_string(features.error().code))};
  }
  busy_.enter(Clock::now());
  auto [answer, receipt, outcome] = co_await asked(task);
  outcome.features = *std::move(features);
  outcome.busy_ms = busy_.take(Clock::now());
  busy_.leave(Clock::now());
  if (!answer) {
    outcome.error = to_string(answer.error().code);
    outcome.answer_tokens = outcome.answer_tokens_large = 0;  // what was shown is no answer
    co_return std::move(outcome);
  }
  if (options_.answered) options_.answered(plan_, task, *answer);
  const auto right = co_await this->right(suite_.tasks[task], std::move(answer->text));
  outcome.right = right.value_or(false);
  if (!right) outcome.error = to_string(right.error().code);
  if (right && options_.feedback) {
    written_ = runtime_.feedback(receipt, {.score = *right ? 1.0 : 0.0});
  }
  co_return std::move(outcome);
}

awaitable<Result<bool>> Run::right(const Task& task, std::string answer) {
  if (task.check->right == nullptr) {
    co_return co_await judged_right(runtime_, options_.judge, task.prompt, std::move(answer),
                                    options_.stop);
  }
  try {
    co_return task.check->right(task.reference, answer);
  } catch (const std::exception& e) {
    co_return fail(Errc::internal, std::string("the check threw: ") + e.what());
  }
}

using Strand = boost::asio::strand<boost::asio::any_io_executor>;

/// Spawns `work` and hands back its end, with whatever it threw.
std::future<void> spawn(const Strand& strand, awaitable<void> work) {
  std::promise<void> ended;
  auto future = ended.get_future();
  boost::asio::co_spawn(strand, std::move(work),
                        [ended = std::move(ended)](const std::exception_ptr& error) mutable {
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

Result<void> run_to_end(Run& run, const Strand& strand, const MeasureOptions& options) {
  if (run.complete()) return {};
  std::vector<std::future<void>> workers;
  workers.push_back(spawn(strand, run.warm_up()));
  if (auto ended = join(std::exchange(workers, {})); !ended) return ended;
  for (int i = 0; i < options.concurrency; ++i) workers.push_back(spawn(strand, run.work()));
  if (auto ended = join(std::move(workers)); !ended) return ended;
  if (!run.written()) return run.written();
  if (options.stop.stop_requested()) return fail(Errc::cancelled, "the measurement was stopped");
  return {};
}

/// Of the journal, those that belong to the plan and the suite.
std::vector<Outcome> found_of(const MeasureOptions& options, const std::string& plan,
                              const Suite& suite) {
  std::vector<Outcome> outcomes;
  if (options.journal == nullptr) return outcomes;
  for (const Outcome& outcome : options.journal->found()) {
    if (outcome.plan == plan && outcome.task < suite.tasks.size()) outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace

Result<void> check_options(const Runtime& runtime, const Suite& suite,
                           const MeasureOptions& options) {
  if (options.plans.empty()) return fail(Errc::bad_request, "no plan to measure");
  if (suite.tasks.empty()) return fail(Errc::bad_request, "the suite holds no task");
  if (options.concurrency < 1) return fail(Errc::bad_request, "the concurrency must be at least 1");
  std::set<std::string> seen;
  for (const auto& plan : options.plans) {
    if (auto found = runtime.find(plan); !found) return std::unexpected(found.error());
    if (!seen.insert(plan).second) {
      return fail(Errc::bad_request, "`" + plan + "` is named twice; once is enough");
    }
  }
  if (!needs_judge(suite)) return {};
  if (options.judge.empty()) {
    return fail(Errc::bad_request,
                "the suite has tasks with the check \"judge\": name the plan or model that judges "
                "with --judge");
  }
  if (auto found = runtime.find(options.judge); !found) return std::unexpected(found.error());
  return {};
}

Result<std::vector<Outcome>> measure(Runtime& runtime, const boost::asio::any_io_executor& io,
                                     const Suite& suite, MeasureOptions options) {
  if (auto good = check_options(runtime, suite, options); !good) {
    return std::unexpected(good.error());
  }
  const Strand strand(io);
  const std::size_t total = options.plans.size() * suite.tasks.size();
  std::vector<Outcome> outcomes;
  for (const auto& plan : options.plans) {
    auto found = found_of(options, plan, suite);
    std::size_t done = outcomes.size() + found.size();
    const auto answered = [&] {
      ++done;
      if (options.progress) options.progress(plan, done, total);
    };
    Run run(runtime, suite, options, plan, std::move(found), answered);
    if (auto ended = run_to_end(run, strand, options); !ended) {
      return std::unexpected(ended.error());
    }
    std::ranges::move(run.take_outcomes(), std::back_inserter(outcomes));
  }
  return outcomes;
}

}  // namespace lichen::eval
