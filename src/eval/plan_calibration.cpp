#include "eval/plan_calibration.h"

#include <algorithm>
#include <limits>
#include <map>

namespace lichen::eval {
namespace {

struct OfTask {
  const Outcome* plan = nullptr;
  const Outcome* small = nullptr;
  const Outcome* large = nullptr;
};

std::map<std::size_t, OfTask> by_task(const std::vector<Outcome>& outcomes,
                                      const CalibratedPlan& calibrated) {
  std::map<std::size_t, OfTask> tasks;
  for (const Outcome& outcome : outcomes) {
    OfTask& task = tasks[outcome.task];
    if (outcome.plan == calibrated.plan) task.plan = &outcome;
    if (outcome.plan == calibrated.small) task.small = &outcome;
    if (outcome.plan == calibrated.large) task.large = &outcome;
  }
  std::erase_if(tasks, [](const auto& task) {
    const OfTask& of = task.second;
    return of.plan == nullptr || of.small == nullptr || of.large == nullptr;
  });
  return tasks;
}

}  // namespace

Result<std::vector<mechanisms::Scored>> scored_requests(const std::vector<Outcome>& outcomes,
                                                        const CalibratedPlan& calibrated) {
  std::vector<mechanisms::Scored> requests;
  bool any = false;
  for (const auto& [task, of] : by_task(outcomes, calibrated)) {
    mechanisms::Scored request{.need = std::numeric_limits<double>::infinity(),
                               .lost = of.large->right && !of.small->right,
                               .unlike = !of.large->right || !of.small->right};
    bool scored = false;
    for (const ScoredChoice& choice : of.plan->choices) {
      if (choice.mechanism != calibrated.mechanism) continue;
      if (scored) {
        return fail(Errc::bad_request, "the plan `" + calibrated.plan + "` makes more than one `" +
                                           calibrated.mechanism + "` choice in one request");
      }
      scored = true;
      request.need = -choice.score;
    }
    any = any || scored;
    requests.push_back(request);
  }
  if (any) return requests;
  return fail(Errc::bad_request, "no request of the plan `" + calibrated.plan +
                                     "` was decided by a score of `" + calibrated.mechanism +
                                     "`, so there is nothing to calibrate");
}

Result<mechanisms::GridPoint> handover_point(const std::vector<Outcome>& handover,
                                             const std::vector<Outcome>& large) {
  std::map<std::size_t, bool> large_right;
  for (const Outcome& outcome : large) large_right[outcome.task] = outcome.right;
  mechanisms::GridPoint point;
  for (const Outcome& outcome : handover) {
    point.losses += large_right[outcome.task] && !outcome.right;
    point.unlike += !large_right[outcome.task] || !outcome.right;
    point.tokens += outcome.answer_tokens;
    point.by_small += outcome.answer_tokens - outcome.answer_tokens_large;
  }
  if (point.tokens > 0) return point;
  return fail(Errc::upstream,
              "no request was answered" +
                  (handover.empty() ? std::string() : ": " + handover.front().error));
}

}  // namespace lichen::eval
