#include "eval/judge.h"

#include <algorithm>

#include "mechanisms/prompts.h"

namespace lichen::eval {

bool needs_judge(const Suite& suite) {
  return std::ranges::any_of(suite.tasks,
                             [](const Task& task) { return task.check->right == nullptr; });
}

awaitable<Result<bool>> judged_right(Runtime& runtime, std::string judge, std::string question,
                                     std::string answer, std::stop_token stop) {
  auto prompt = mechanisms::render("judge", {{"question", question}, {"answer", answer}});
  if (!prompt) co_return std::unexpected(prompt.error());
  Turn turn(judge);
  const std::stop_callback cancel(stop, [&turn] { turn.cancel(); });
  Request request{.messages = {{.role = "user", .content = std::move(*prompt)}},
                  .sampling = {.temperature = 0}};
  const auto verdict = co_await runtime.answer(std::move(request), turn);
  if (!verdict) co_return std::unexpected(verdict.error());
  const auto choice = find_check("choice").value();
  if (choice->right("yes", verdict->text).value_or(false)) co_return true;
  if (choice->right("no", verdict->text).value_or(false)) co_return false;
  constexpr std::size_t kShown = 60;
  co_return fail(Errc::upstream, "the judge `" + judge + "` said neither yes nor no: " +
                                     verdict->text.substr(0, kShown));
}

}  // namespace lichen::eval
