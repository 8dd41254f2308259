#include "eval/tasks/mistakes.h"

#include <algorithm>

#include "base/ascii.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

using base::is_digit;

/// Where the number that ends `text` begins; npos where none does.
std::size_t last_number(std::string_view text) {
  std::size_t start = text.size();
  while (start > 0 && is_digit(text[start - 1])) --start;
  return start == text.size() ? std::string_view::npos : start;
}

std::size_t occurrences(std::string_view whole, std::string_view piece) {
  return split(whole, piece).size() - 1;
}

/// The one edit between two texts: what differs, widened to whole words until it is unique.
std::string edit_of(std::string_view draft, std::string_view wanted, std::string_view whole) {
  std::size_t front = 0;
  const std::size_t shorter = std::min(draft.size(), wanted.size());
  while (front < shorter && draft[front] == wanted[front]) ++front;
  std::size_t back = 0;
  while (back < shorter - front &&
         draft[draft.size() - 1 - back] == wanted[wanted.size() - 1 - back]) {
    ++back;
  }
  const auto widen_front = [&] {
    while (front > 0 && draft[front - 1] != ' ') --front;
  };
  const auto widen_back = [&] {
    while (back > 0 && draft[draft.size() - back] != ' ') --back;
  };
  widen_front();
  widen_back();
  for (;;) {
    const auto old = draft.substr(front, draft.size() - back - front);
    if (!old.empty() && occurrences(whole, old) == 1) {
      return text(old, " => ", wanted.substr(front, wanted.size() - back - front));
    }
    if (front > 0) {
      --front;
      widen_front();
    } else if (back > 0) {
      --back;
      widen_back();
    } else {
      return text(old, " => ", wanted);
    }
  }
}

}  // namespace

std::string slipped(Random& random, std::string_view number) {
  for (;;) {
    std::string wrong(number);
    const int kind = random.below(4);
    if (kind <= 1 || wrong.size() > 17) {
      wrong[static_cast<std::size_t>(random.below(static_cast<int>(wrong.size())))] =
          static_cast<char>('0' + random.below(10));
    } else {
      const int by = (kind == 2 ? 1 : 10) * (random.chance(50) ? 1 : -1);
      wrong = text(std::stoll(wrong) + by);
    }
    const bool padded = wrong.size() > 1 && wrong[0] == '0';
    if (wrong != number && wrong[0] != '-' && !padded) return wrong;
  }
}

std::string wrong_answer(Random& random, const Task& task) {
  if (!task.rivals.empty()) return full_answer(task.steps, random.pick(task.rivals));
  const auto at = last_number(task.answer);
  // A word that is no number and has no rival: letters of it.
  if (at == std::string_view::npos) return full_answer(task.steps, task.answer + "s");
  const auto number = task.answer.substr(at);
  const auto wrong = slipped(random, number);
  auto steps = task.steps;
  if (!steps.empty() && steps.back().ends_with(" " + number)) {
    steps.back().replace(steps.back().size() - number.size(), number.size(), wrong);
  }
  return full_answer(steps, task.answer.substr(0, at) + wrong);
}

std::optional<WrongStep> wrong_step(Random& random, const Task& task) {
  std::vector<std::size_t> calculated;
  for (std::size_t i = 0; i < task.steps.size(); ++i) {
    const auto at = last_number(task.steps[i]);
    if (at != std::string_view::npos && task.steps[i].substr(0, at).ends_with("= ")) {
      calculated.push_back(i);
    }
  }
  if (calculated.empty()) return std::nullopt;
  const auto chosen = random.pick(calculated);
  WrongStep wrong{.steps = task.steps, .answer = task.answer, .first_wrong = {}};
  auto& step = wrong.steps[chosen];
  const auto at = last_number(step);
  const auto right = step.substr(at);
  const auto slip = slipped(random, right);
  step.replace(at, std::string::npos, slip);
  wrong.first_wrong = step;
  // Who goes on takes over the wrong number.
  if (chosen + 1 < wrong.steps.size()) {
    auto& next = wrong.steps[chosen + 1];
    if (next.starts_with(right + " ")) next.replace(0, right.size(), slip);
  } else if (wrong.answer == right) {
    wrong.answer = slip;
  }
  return wrong;
}

std::string edits_between(std::string_view draft, std::string_view wanted) {
  const auto old_parts = split(draft, ". ");
  const auto new_parts = split(wanted, ". ");
  std::vector<std::string> edits;
  if (old_parts.size() != new_parts.size()) return edit_of(draft, wanted, draft);
  for (std::size_t i = 0; i < old_parts.size(); ++i) {
    if (old_parts[i] == new_parts[i]) continue;
    auto edit = edit_of(old_parts[i], new_parts[i], draft);
    // A part that stands there twice cannot be named alone.
    if (occurrences(draft, edit.substr(0, edit.find(" => "))) != 1) {
      return edit_of(draft, wanted, draft);
    }
    edits.push_back(std::move(edit));
  }
  return join(edits, "\n");
}

}  // namespace lichen::eval::tasks
