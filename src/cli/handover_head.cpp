// `lichen route train --plan` of a handover.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cli/handover_plan.h"
#include "cli/plan_subject.h"
#include "cli/progress.h"
#include "eval/fingerprint.h"
#include "eval/statistics.h"
#include "mechanisms/routing/critical_token.h"
#include "mechanisms/routing/hashing.h"
#include "mechanisms/routing/token_head_training.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

using mechanisms::TokenLesson;
using LocalModelPtr = std::shared_ptr<model::LocalModel>;

struct LargesAnswer {
  std::string text;
  bool ended = false;
};

/// Of the suite's tasks, by their place.
using LargesAnswers = std::map<std::size_t, LargesAnswer>;

Result<LargesAnswers> answers_of_large(Host& host, const eval::Suite& suite,
                                       const EvaluationOptions& options, const std::string& large) {
  LargesAnswers answers;
  const auto measured = cli::measured(
      host, suite,
      {.plans = {large},
       .concurrency = options.concurrency,
       .max_tokens = options.max_tokens,
       .answered = [&](std::string_view, std::size_t task, const Answer& answer) {
         answers[task] = {.text = answer.text, .ended = answer.finish == Finish::stop};
       }});
  if (!measured) return std::unexpected(measured.error());
  return answers;
}

/// What is not trained on. Equal prompts stay on one side.
bool held_out(const std::string& prompt) {
  constexpr double kShare = 0.2;
  return mechanisms::unit_interval(mechanisms::hash_of(prompt)) < kShare;
}

struct Lessons {
  std::vector<TokenLesson> training;
  std::vector<TokenLesson> judging;
  std::int64_t prompts = 0;
  std::int64_t left_out = 0;
};

/// None: small has no room for it.
Result<std::optional<std::vector<TokenLesson>>> read_one(Host& host, const LocalModelPtr& small,
                                                         const std::string& prompt,
                                                         const LargesAnswer& answer, Turn& turn) {
  Request request{.messages = {{.role = "user", .content = prompt}}};
  auto lessons =
      boost::asio::co_spawn(host.io(),
                            mechanisms::read_token_lessons(small, std::move(request), answer.text,
                                                           answer.ended, turn),
                            boost::asio::use_future)
          .get();
  if (lessons) return *std::move(lessons);
  if (lessons.error().code == Errc::context_overflow) return std::nullopt;
  return std::unexpected(lessons.error());
}

Result<Lessons> read_answers(Host& host, const LocalModelPtr& small, const eval::Suite& suite,
                             const LargesAnswers& answers) {
  std::stop_source stop;
  const CancelOnSignal watch(host.io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  Lessons lessons;
  for (const auto& [task, answer] : answers) {
    const std::string& prompt = suite.tasks[task].prompt;
    Turn turn(small->name());
    const std::stop_callback cancel(stop.get_token(), [&turn] { turn.cancel(); });
    auto read = read_one(host, small, prompt, answer, turn);
    if (!read) return std::unexpected(read.error());
    ++(*read ? lessons.prompts : lessons.left_out);
    if (!*read) continue;
    std::ranges::move(**read,
                      std::back_inserter(held_out(prompt) ? lessons.judging : lessons.training));
    bar.update(static_cast<double>(lessons.prompts + lessons.left_out) /
                   static_cast<double>(answers.size()),
               "reading");
  }
  return lessons;
}

/// Of one feature, which keeps the order of its measure, or of what the head makes of all.
template <class Score>
double area(const std::vector<TokenLesson>& lessons, Score score) {
  std::vector<eval::Judged> judged;
  for (const TokenLesson& lesson : lessons) {
    judged.push_back({.score = score(lesson.features), .positive = lesson.unlike});
  }
  return eval::auroc(std::move(judged));
}

HeadReport judged(const Lessons& lessons, const mechanisms::TokenHead& head) {
  using Features = std::vector<float>;
  const auto& judging = lessons.judging;
  return {.prompts = lessons.prompts,
          .left_out = lessons.left_out,
          .tokens = std::ssize(lessons.training),
          .held_out = std::ssize(judging),
          .unlike = std::ranges::count_if(judging, &TokenLesson::unlike),
          .head = area(judging, [&](const Features& of) { return head.probability(of); }),
          .entropy = area(judging, [](const Features& of) { return of[0]; }),
          .margin = area(judging, [](const Features& of) { return of[1]; })};
}

Result<mechanisms::TokenHead> trained(Host& host, const Lessons& lessons) {
  std::stop_source stop;
  const CancelOnSignal watch(host.io(), [&stop] { stop.request_stop(); });
  ProgressBar bar(Terminal::of(stderr));
  return mechanisms::train_token_head(
      lessons.training,
      {.stop = stop.get_token(), .progress = [&](double done) { bar.update(done, "training"); }});
}

}  // namespace

Result<HeadReport> train_handover_head(const policy::Config& config, const std::string& plan,
                                       const EvaluationOptions& options,
                                       const std::string& output) {
  const auto suite = load_suite(options);
  if (!suite) return std::unexpected(suite.error());
  auto of = plan_subject(config, plan, policy::without_learned);
  if (!of) return std::unexpected(of.error());
  auto host = Host::open(std::move(of->config));
  if (!host) return std::unexpected(host.error());
  const auto found = (*host)->runtime().find(of->plan.small);
  if (!found) return std::unexpected(found.error());
  const auto small = std::dynamic_pointer_cast<model::LocalModel>(*found);
  if (small == nullptr) {
    return fail(Errc::unsupported, "`" + of->plan.small + "` has no hidden states to learn from");
  }
  const auto answers = answers_of_large(**host, *suite, options, of->plan.large);
  if (!answers) return std::unexpected(answers.error());
  const auto lessons = read_answers(**host, small, *suite, *answers);
  if (!lessons) return std::unexpected(lessons.error());
  auto head = trained(**host, *lessons);
  if (!head) return std::unexpected(head.error());
  head->small = of->identity.at("small").as_object();
  head->large = of->identity.at("large").as_object();
  head->data_hash = eval::fingerprint(*suite);
  if (auto saved = mechanisms::save_token_head(*head, output); !saved) {
    return std::unexpected(saved.error());
  }
  return judged(*lessons, *head);
}

}  // namespace lichen::cli
