#include "lichen/runtime.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "ledger/ledger.h"
#include "mechanisms/routing/question.h"
#include "policy/background.h"
#include "policy/config.h"
#include "policy/keeper.h"
#include "policy/nearest.h"
#include "policy/open_ledger.h"
#include "policy/open_models.h"
#include "policy/plan.h"
#include "policy/plan_marks.h"
#include "policy/plan_models.h"
#include "privacy/kept_database.h"

namespace lichen {
namespace {

using policy::Config;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The plan of requests that name none; empty when there is no obvious one. `names` are all plans
/// and models.
Result<std::string> default_plan(const Config& config, const std::vector<std::string>& names) {
  const auto exists = [&names](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  const std::string& chosen = config.serve.plan;
  if (!chosen.empty() && !exists(chosen)) {
    return fail(Errc::bad_config,
                fmt::format("{}:{}: `plan` of `serve`: there is no plan or model `{}`{}; there "
                            "are: {}",
                            config.file.string(), config.serve.plan_line, chosen,
                            policy::did_you_mean(chosen, names), policy::list(names)));
  }
  if (!chosen.empty()) return chosen;
  if (exists("default")) return "default";
  if (config.plans.size() == 1) return config.plans.front().name;
  return names.size() == 1 ? names.front() : "";
}

Result<void> check_recorded(const Config& config, const std::vector<std::string>& names) {
  for (const std::string& name : config.ledger.record) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return fail(Errc::bad_config,
                fmt::format("{}:{}: `record` of `ledger`: there is no plan or model `{}`{}; there "
                            "are: {}",
                            config.file.string(), config.ledger.record_line, name,
                            policy::did_you_mean(name, names), policy::list(names)));
  }
  return {};
}

/// A conversation's last message means little without the rest, so only first ones are recorded.
bool begins_a_conversation(const Request& request) {
  return std::ranges::none_of(request.messages, [](const Message& message) {
    return message.role != "user" && message.role != "system";
  });
}

/// Why a turn ended with an exception: Asio throws when a coroutine is cancelled from outside; all
/// else is a defect.
Error thrown_error(const Turn& turn, std::exception_ptr thrown) {
  if (std::optional<Error> stopped = turn.stopped()) return *std::move(stopped);
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) {
      return {Errc::cancelled, "the request was cancelled"};
    }
    return {Errc::internal, fmt::format("a defect in Lichen: {}", error.what())};
  } catch (const std::exception& error) {
    return {Errc::internal, fmt::format("a defect in Lichen: {}", error.what())};
  } catch (...) {
    return {Errc::internal, "a defect in Lichen: an exception of unknown type"};
  }
}

/// Records the receipt and resumes when the ledger has told how that went.
awaitable<Result<void>> on_disk(ledger::Ledger& ledger, Receipt receipt) {
  namespace asio = boost::asio;
  const auto start = [&ledger, &receipt](auto handler) {
    const auto executor = asio::get_associated_executor(handler);
    // Told on the ledger's thread; the work keeps the waiting one's context running.
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    ledger.record(std::move(receipt), [waiting, work = asio::make_work_guard(executor)](
                                          Result<void> written) {
      asio::post(work.get_executor(), [waiting, written = std::move(written)]() mutable {
        std::move (*waiting)(std::move(written));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
      start, asio::use_awaitable);
}

/// `work` with its exceptions as errors.
template <class T>
awaitable<Result<T>> guarded(awaitable<Result<T>> work, Turn& turn) {
  std::exception_ptr thrown;
  try {
    co_return co_await std::move(work);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return std::unexpected(thrown_error(turn, std::move(thrown)));
}

/// At its end has a lane that others go on using drop the models that nobody uses any more.
class LaneUse {
 public:
  ~LaneUse() {
    if (lane.use_count() > 1) lane->call([] {});
  }

  std::shared_ptr<model::Lane> lane;
};

}  // namespace

struct Runtime::Parts {
  Config config;
  std::shared_ptr<ledger::Ledger> ledger;
  LaneUse lane;  // goes after the models
  policy::OpenModels open;
  std::vector<ModelPtr> ready;   // that were handed in
  std::vector<ModelPtr> models;  // those of `open` and `ready`
  std::map<std::string, std::string, std::less<>> plan_marks;
  policy::Plans plans;
  std::string default_plan;
  std::unique_ptr<policy::Keeper> keeper;

  /// `former`: null where there is none.
  static Result<std::unique_ptr<Parts>> make(Config config, boost::asio::any_io_executor io,
                                             const Progress& progress, std::vector<ModelPtr> ready,
                                             Parts* former);
  Result<void> open_models(boost::asio::any_io_executor io, const Progress& progress,
                           const Parts* former);
  Result<void> build_plans(privacy::DetectorPool& detectors, const Parts* former);
  void keep_learning(Parts* former);

  /// The answerer for the turn; an empty name in its receipt becomes that of the default plan.
  awaitable<Result<Answer>> answer(const Runtime& runtime, Request request, Turn& turn) const {
    if (turn.receipt.plan.empty()) turn.receipt.plan = default_plan;
    Result<AnswererPtr> answerer = runtime.find(turn.receipt.plan);
    if (!answerer) co_return std::unexpected(std::move(answerer).error());
    if (std::ranges::find(config.ledger.record, turn.receipt.plan) != config.ledger.record.end() &&
        begins_a_conversation(request)) {
      turn.receipt.prompt = co_await stored_prompt(request, turn);
    }
    co_return co_await (*answerer)->answer(std::move(request), turn);
  }

  /// Without what is private, where the plan takes care of that; none where it cannot tell.
  awaitable<std::optional<std::string>> stored_prompt(const Request& request, Turn& turn) const {
    const auto found = plans.redactors.find(turn.receipt.plan);
    if (found == plans.redactors.end()) co_return std::string(mechanisms::question(request));
    Request masked = request;
    for (const auto& redactor : found->second) {
      Result<Request> redacted = co_await redactor->redact(std::move(masked), turn);
      if (!redacted) co_return std::nullopt;
      masked = *std::move(redacted);
    }
    co_return std::string(mechanisms::question(masked));
  }

  awaitable<Result<Embeddings>> embed(const Runtime& runtime, std::vector<std::string> texts,
                                      Turn& turn) const {
    if (turn.receipt.plan.empty() && models.size() == 1) {
      turn.receipt.plan = models.front()->name();
    }
    Result<ModelPtr> model = runtime.find_model(turn.receipt.plan);
    if (!model) co_return std::unexpected(std::move(model).error());
    co_return co_await (*model)->embed(std::move(texts), turn);
  }

  static void complete(Turn& turn, const std::optional<Error>& error) {
    turn.receipt.total_ms = ms_since(turn.started);
    turn.receipt.error = error ? to_string(error->code) : "";
  }

  void record(Turn& turn, const std::optional<Error>& error) const {
    complete(turn, error);
    ledger->record(turn.receipt);
  }

  /// Completes and records the receipt of what ended with `result`. Where the ledger is to be
  /// durable it waits for the disk, without which there is no success.
  template <class T>
  awaitable<void> keep(Turn& turn, Result<T>& result) const {
    const auto error = result ? std::nullopt : std::optional(result.error());
    if (!config.ledger.durable) {
      record(turn, error);
      co_return;
    }
    complete(turn, error);
    Result<void> written = co_await on_disk(*ledger, turn.receipt);
    if (result && !written) result = std::unexpected(std::move(written).error());
  }

  // The last member: goes first, since its work uses the others.
  policy::Background background{
      [this](Turn& turn, const std::optional<Error>& error) { record(turn, error); }};
};

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::open(const std::filesystem::path& config,
                                               boost::asio::any_io_executor io, Progress progress) {
  Result<Config> loaded = policy::load_config(config);
  if (!loaded) return std::unexpected(std::move(loaded).error());
  return open(*std::move(loaded), std::move(io), std::move(progress));
}

Result<std::unique_ptr<Runtime>> Runtime::open(Config config, boost::asio::any_io_executor io,
                                               Progress progress, std::vector<ModelPtr> models) {
  auto parts = Parts::make(std::move(config), std::move(io), progress, std::move(models), nullptr);
  if (!parts) return std::unexpected(std::move(parts).error());
  return std::unique_ptr<Runtime>(new Runtime(*std::move(parts)));
}

Result<std::unique_ptr<Runtime>> Runtime::reopen(Runtime& former, Config config,
                                                 boost::asio::any_io_executor io,
                                                 Progress progress) {
  auto parts = Parts::make(std::move(config), std::move(io), progress, former.parts_->ready,
                           former.parts_.get());
  if (!parts) return std::unexpected(std::move(parts).error());
  return std::unique_ptr<Runtime>(new Runtime(*std::move(parts)));
}

Result<std::unique_ptr<Runtime::Parts>> Runtime::Parts::make(Config config,
                                                             boost::asio::any_io_executor io,
                                                             const Progress& progress,
                                                             std::vector<ModelPtr> ready,
                                                             Parts* former) {
  if (config.models.empty() && ready.empty()) {
    return fail(Errc::bad_config, fmt::format("{}: there is no model: add one under `models`, like "
                                              "`small: {{gguf: small.gguf}}`",
                                              config.file.string()));
  }
  privacy::DetectorPool detectors(privacy::usual_database_folder());
  Result<std::vector<std::string>> names = policy::check_plans(config, ready, detectors);
  if (!names) return std::unexpected(std::move(names).error());
  if (Result<void> good = check_recorded(config, *names); !good) {
    return std::unexpected(good.error());
  }
  Result<std::string> plan = lichen::default_plan(config, *names);
  if (!plan) return std::unexpected(std::move(plan).error());
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  parts->ready = std::move(ready);
  parts->default_plan = *std::move(plan);
  if (former != nullptr && policy::same_place(former->config.ledger, parts->config.ledger)) {
    parts->ledger = former->ledger;
  } else {
    Result<std::unique_ptr<ledger::Ledger>> ledger = policy::open_ledger(parts->config.ledger);
    if (!ledger) return std::unexpected(std::move(ledger).error());
    parts->ledger = *std::move(ledger);
  }
  Result<void> done = parts->open_models(std::move(io), progress, former);
  if (done) done = parts->build_plans(detectors, former);
  if (!done) return std::unexpected(std::move(done).error());
  parts->keep_learning(former);
  return parts;
}

Result<void> Runtime::Parts::open_models(boost::asio::any_io_executor io, const Progress& progress,
                                         const Parts* former) {
  std::optional<policy::FormerModels> before;
  if (former != nullptr) before.emplace(former->config, former->open);
  Result<policy::OpenModels> opened =
      policy::open_models(config, std::move(io), progress, before ? &*before : nullptr);
  if (!opened) return std::unexpected(std::move(opened).error());
  open = *std::move(opened);
  lane.lane = open.lane;
  models = open.models;
  std::ranges::copy(ready, std::back_inserter(models));
  return {};
}

Result<void> Runtime::Parts::build_plans(privacy::DetectorPool& detectors, const Parts* former) {
  plan_marks = policy::plan_marks(config, models);
  policy::KeptPlans kept;
  if (former != nullptr) {
    kept.from = &former->plans;
    for (const auto& [name, mark] : plan_marks) {
      const auto before = former->plan_marks.find(name);
      if (before != former->plan_marks.end() && before->second == mark) kept.names.insert(name);
    }
  }
  Result<policy::Plans> built = policy::build_plans(config, models, detectors, kept);
  if (!built) return std::unexpected(std::move(built).error());
  plans = *std::move(built);
  return {};
}

void Runtime::Parts::keep_learning(Parts* former) {
  std::set<const mechanisms::Learner*> knowing;
  if (former != nullptr) {
    former->keeper->retire();  // two would write over each other's
    for (const policy::NamedLearner& known : former->plans.learners) {
      knowing.insert(known.learner.get());
    }
  }
  keeper = std::make_unique<policy::Keeper>(*ledger, plans.learners, knowing);
}

Result<AnswererPtr> Runtime::find(std::string_view name) const {
  if (name.empty()) name = parts_->default_plan;
  const auto found = parts_->plans.answerers.find(name);
  if (found != parts_->plans.answerers.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, answerer] : parts_->plans.answerers) names.push_back(known);
  if (name.empty()) {
    return fail(Errc::not_found, fmt::format("no plan was named, and there is no default one; "
                                             "there are: {}",
                                             policy::list(names)));
  }
  return fail(Errc::not_found, fmt::format("there is no plan or model `{}`{}; there are: {}", name,
                                           policy::did_you_mean(name, names), policy::list(names)));
}

Result<ModelPtr> Runtime::find_model(std::string_view name) const {
  const auto found = std::ranges::find(parts_->models, name, &Model::name);
  if (found != parts_->models.end()) return *found;
  std::vector<std::string> names;
  for (const ModelPtr& model : parts_->models) names.push_back(model->name());
  const bool plan = parts_->plans.answerers.contains(name);
  return fail(plan ? Errc::unsupported : Errc::not_found,
              fmt::format("{}; the models are: {}",
                          plan           ? fmt::format("`{}` is a plan, not a model", name)
                          : name.empty() ? "no model was named"
                                         : fmt::format("there is no model `{}`{}", name,
                                                       policy::did_you_mean(name, names)),
                          policy::list(names)));
}

std::vector<std::string> Runtime::plan_names() const {
  std::vector<std::string> names;
  for (const policy::PlanConfig& plan : parts_->config.plans) names.push_back(plan.name);
  return names;
}

std::vector<ModelPtr> Runtime::models() const { return parts_->models; }
const std::vector<policy::PlanMetric>& Runtime::metrics() const { return parts_->plans.metrics; }
void Runtime::settle(std::stop_token give_up) { parts_->background.settle(std::move(give_up)); }
const Config& Runtime::config() const { return parts_->config; }
ledger::Ledger& Runtime::ledger() { return *parts_->ledger; }

awaitable<Result<Answer>> Runtime::answer(Request request, Turn& turn) {
  Result<Answer> answer = co_await guarded(parts_->answer(*this, std::move(request), turn), turn);
  if (answer) {
    turn.receipt.authors = answer->authors;
    turn.receipt.finish = to_string(answer->finish);
  }
  co_await parts_->keep(turn, answer);
  if (answer) {
    for (Turn::Later& work : turn.later) {
      parts_->background.start(turn.receipt.plan, std::move(work));
    }
  }
  co_return answer;
}

awaitable<Result<std::int64_t>> Runtime::count_tokens(std::string name, Request request) const {
  if (const Result<ModelPtr> model = find_model(name)) {
    co_return co_await (*model)->count_tokens(std::move(request));
  }
  if (name.empty()) name = parts_->default_plan;
  const Config& config = parts_->config;
  const auto plan = std::ranges::find(config.plans, name, &policy::PlanConfig::name);
  std::vector<ModelPtr> counting;
  if (plan != config.plans.end()) {
    for (const policy::ModelConfig* below : policy::models_below(config, plan->expression)) {
      if (const Result<ModelPtr> model = find_model(below->name)) counting.push_back(*model);
    }
  }
  const auto local = [](const ModelPtr& model) { return model->local(); };
  if (std::ranges::any_of(counting, local)) {
    std::erase_if(counting, std::not_fn(local));
  } else if (counting.size() > 1) {
    counting.resize(1);
  }
  if (counting.empty()) counting = {parts_->models.front()};
  std::int64_t most = 0;
  for (const ModelPtr& model : counting) {
    const Result<std::int64_t> tokens = co_await model->count_tokens(request);
    if (!tokens) co_return tokens;
    most = std::max(most, *tokens);
  }
  co_return most;
}

Result<void> Runtime::feedback(const std::string& receipt, const Feedback& feedback) {
  Result<void> kept = parts_->ledger->rate(receipt, feedback);
  if (kept) parts_->keeper->feedback(receipt, feedback.score);
  return kept;
}

awaitable<Result<Embeddings>> Runtime::embed(std::vector<std::string> texts, Turn& turn) {
  Result<Embeddings> embeddings =
      co_await guarded(parts_->embed(*this, std::move(texts), turn), turn);
  co_await parts_->keep(turn, embeddings);
  co_return embeddings;
}

}  // namespace lichen
