#include "cli/distill_collection.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace lichen::cli {
namespace {

using mechanisms::TeacherQuestion;

constexpr int kMostOfAnEndpoint = 20;  // alternatives that OpenAI's API gives

/// A plan or model as one asks it from outside: with a receipt for each answer in the ledger.
class ThroughRuntime : public Answerer {
 public:
  ThroughRuntime(Runtime& runtime, std::string name) : runtime_(runtime), name_(std::move(name)) {}
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    turn.receipt.plan = name_;
    co_return co_await runtime_.answer(std::move(request), turn);
  }

 private:
  Runtime& runtime_;
  const std::string name_;
};

std::shared_ptr<model::LocalModel> local_model(const Runtime& runtime, const std::string& name) {
  const auto model = runtime.find_model(name);
  return model ? std::dynamic_pointer_cast<model::LocalModel>(*model) : nullptr;
}

/// What tells one teacher from another, whatever it is called.
Result<std::string> identity_of(const std::string& teacher,
                                const std::shared_ptr<model::LocalModel>& local) {
  if (local == nullptr) return teacher;
  Result<std::string> hash = local->file_hash();
  if (!hash) return hash;
  return "gguf " + *hash;
}

}  // namespace

std::vector<TeacherQuestion> questions_of(const eval::Suite& suite, bool reference) {
  std::vector<TeacherQuestion> questions;
  for (const eval::Task& task : suite.tasks) {
    if (!task.document.empty()) continue;  // which is not what a student is asked
    TeacherQuestion& question = questions.emplace_back();
    question.id = task.id;
    question.messages = {{.role = "user", .content = task.prompt}};
    if (reference) question.answer = task.answer.empty() ? task.reference : task.answer;
    if (task.check == nullptr || task.check->right == nullptr) continue;
    question.right = [check = task.check, right = task.reference](const std::string& answer) {
      return check->right(right, answer).value_or(false);
    };
  }
  return questions;
}

Result<std::vector<TeacherQuestion>> recorded_questions(const ledger::Ledger& ledger,
                                                        std::optional<std::size_t> limit) {
  const auto recorded = ledger.recorded_prompts();
  if (!recorded) return std::unexpected(recorded.error());
  std::vector<TeacherQuestion> questions;
  std::set<std::string_view> seen;
  for (const auto& [plan, prompt] : *recorded) {
    if (!seen.insert(prompt).second) continue;
    questions.push_back({.id = fmt::format("{}-{}", plan, questions.size() + 1),
                         .messages = {{.role = "user", .content = prompt}}});
    if (limit && questions.size() == *limit) break;
  }
  if (questions.empty()) {
    return fail(
        Errc::bad_request,
        "the ledger has no recorded prompt; `ledger: {record: [PLAN]}` in the configuration "
        "records them");
  }
  return questions;
}

Result<Collection> collect_into(Host& host, const CollectionJob& job,
                                const std::vector<TeacherQuestion>& questions,
                                const std::stop_token& stop,
                                const std::function<void(double)>& progress) {
  Runtime& runtime = host.runtime();
  if (auto found = runtime.find(job.teacher); !found) return std::unexpected(found.error());
  const auto local = local_model(runtime, job.teacher);
  const std::string& by = job.by.empty() ? job.teacher : job.by;
  if (auto found = runtime.find(by); !found) return std::unexpected(found.error());
  const auto answered = [](const TeacherQuestion& question) { return question.answer.has_value(); };
  if (local == nullptr && (by != job.teacher || std::ranges::any_of(questions, answered))) {
    return fail(Errc::bad_request,
                fmt::format("only a local model can say how likely it finds answers that are not "
                            "its own, and `{}` is none",
                            job.teacher));
  }
  const auto identity = identity_of(job.teacher, local);
  if (!identity) return std::unexpected(identity.error());
  const int alternatives =
      local == nullptr ? std::min(job.alternatives, kMostOfAnEndpoint) : job.alternatives;
  auto capture = mechanisms::CaptureWriter::open(
      job.output, {.teacher = *identity, .alternatives = alternatives});
  if (!capture) return std::unexpected(capture.error());
  mechanisms::Teacher teacher{.answerer = std::make_shared<ThroughRuntime>(runtime, by)};
  if (local != nullptr) {
    teacher.scorer = std::make_unique<mechanisms::AnswerScorer>(local, alternatives);
  }

  const auto started = std::chrono::steady_clock::now();
  const auto share_done = [&](const mechanisms::Collected& so_far) {
    if (!progress) return;
    progress(static_cast<double>(so_far.asked) / static_cast<double>(questions.size()));
  };
  auto went =
      boost::asio::co_spawn(host.io(),
                            mechanisms::collect(teacher, questions, *capture,
                                                {.concurrency = job.concurrency,
                                                 .alternatives = alternatives,
                                                 .max_tokens = job.max_tokens,
                                                 .rationale = job.rationale,
                                                 .sampling = {.temperature = job.temperature},
                                                 .keep_wrong = by != job.teacher,
                                                 .stop = stop,
                                                 .progress = share_done}),
                            boost::asio::use_future)
          .get();
  if (!went) return std::unexpected(went.error());
  if (stop.stop_requested()) {
    return fail(Errc::cancelled,
                fmt::format("interrupted; {} examples are kept in {}.partial, and the same command "
                            "goes on from there",
                            capture->examples(), job.output.string()));
  }
  if (capture->examples() == 0) {
    return fail(Errc::upstream, "the teacher gave no answer that could be kept" +
                                    (went->last_error.empty() ? "" : ": " + went->last_error));
  }
  if (auto finished = capture->finish(); !finished) return std::unexpected(finished.error());
  const auto written = mechanisms::CaptureFile::open(job.output);
  if (!written) return std::unexpected(written.error());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  std::error_code error;
  return Collection{.went = *std::move(went),
                    .examples = written->examples(),
                    .tokens = written->tokens(),
                    .bytes = std::filesystem::file_size(job.output, error),
                    .seconds = seconds.count()};
}

}  // namespace lichen::cli
