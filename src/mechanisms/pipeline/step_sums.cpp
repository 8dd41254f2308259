#include "mechanisms/pipeline/step_sums.h"

#include <algorithm>
#include <optional>

namespace lichen::mechanisms {
namespace {

void add(std::optional<double>& sum, const std::optional<double>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

}  // namespace

void StepSums::begin() {
  if (in_progress_++ == 0) since_ = Clock::now();
}

void StepSums::end() {
  if (--in_progress_ > 0) return;
  busy_ms_ += std::chrono::duration<double, std::milli>(Clock::now() - since_).count();
}

void StepSums::add(const Turn& child, std::string_view role, Turn& turn) {
  for (Step step : child.receipt.steps) {
    if (step.role == "answer") step.role = role;
    const auto same = std::ranges::find_if(steps_, [&step](const Step& sum) {
      return sum.model == step.model && sum.role == step.role && sum.remote == step.remote;
    });
    if (same == steps_.end()) {
      steps_.push_back(std::move(step));
      continue;
    }
    same->tokens_in += step.tokens_in;
    same->tokens_out += step.tokens_out;
    same->tokens_cached += step.tokens_cached;
    same->estimated |= step.estimated;
    same->bytes_sent += step.bytes_sent;
    same->queued_ms += step.queued_ms;
    same->prefill_ms += step.prefill_ms;
    same->decode_ms += step.decode_ms;
    mechanisms::add(same->usd, step.usd);
    mechanisms::add(same->joules, step.joules);
  }
  for (const DraftCount& count : child.receipt.drafts) add_drafts(turn.receipt, count);
  turn.later.insert(turn.later.end(), child.later.begin(), child.later.end());
}

void StepSums::settle(Turn& turn) {
  double all = 0;
  for (const Step& step : steps_) all += step.queued_ms + step.prefill_ms + step.decode_ms;
  const double share = all > busy_ms_ ? busy_ms_ / all : 1;
  for (Step& step : steps_) {
    step.queued_ms *= share;
    step.prefill_ms *= share;
    step.decode_ms *= share;
    turn.receipt.steps.push_back(std::move(step));
  }
  steps_.clear();
  busy_ms_ = 0;
}

}  // namespace lichen::mechanisms
