#include "eval/tasks/task.h"

#include <algorithm>
#include <cassert>

namespace lichen::eval::tasks {
namespace {

/// Where the group that opens at `open` closes.
std::size_t closing(std::string_view pattern, std::size_t open) {
  const auto close = pattern.find(pattern[open] == '[' ? ']' : '}', open);
  assert(close != std::string_view::npos);
  return close;
}

std::vector<std::string_view> alternatives(std::string_view group) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto bar = group.find('|');
    parts.push_back(group.substr(0, bar));
    if (bar == std::string_view::npos) return parts;
    group.remove_prefix(bar + 1);
  }
}

/// Slots only: what stands inside a choice.
void fill_slots(std::string& out, std::string_view pattern, std::initializer_list<Slot> slots) {
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) return;
    const auto close = closing(pattern, open);
    const auto name = pattern.substr(open + 1, close - open - 1);
    const auto* slot = std::ranges::find(slots, name, &Slot::first);
    assert(slot != slots.end());
    out += slot->second;
    pattern.remove_prefix(close + 1);
  }
}

}  // namespace

std::string full_answer(std::span<const std::string> steps, std::string_view answer) {
  if (steps.empty()) return std::string(answer);
  std::string text;
  for (const auto& step : steps) text.append(step).append(". ");
  return text.append("The answer is ").append(answer).append(".");
}

std::string full_answer(const Task& task) { return full_answer(task.steps, task.answer); }

std::optional<Maker> follow_up_maker(const Maker& maker) {
  if (maker.split != Split::train) return std::nullopt;
  return Maker{.random = maker.random, .split = maker.split, .level = maker.level};
}

std::string fill(Random& random, std::string_view pattern, std::initializer_list<Slot> slots) {
  std::string out;
  while (!pattern.empty()) {
    const auto open = pattern.find('[');
    fill_slots(out, pattern.substr(0, open), slots);
    if (open == std::string_view::npos) break;
    const auto close = closing(pattern, open);
    fill_slots(out, random.pick(alternatives(pattern.substr(open + 1, close - open - 1))), slots);
    pattern.remove_prefix(close + 1);
  }
  return out;
}

Phrasings phrasings_of(Split split, Phrasings phrasings) {
  const auto test = std::clamp<std::size_t>(phrasings.size() / 4, 1, 4);
  const auto calibration = std::clamp<std::size_t>(phrasings.size() / 8, 1, 2);
  assert(test + calibration < phrasings.size());
  const std::size_t train = phrasings.size() - test - calibration;
  switch (split) {
    case Split::train: return phrasings.first(train);
    case Split::calibration: return phrasings.subspan(train, calibration);
    case Split::test: return phrasings.last(test);
  }
  return {};
}

std::string phrase(Maker& maker, Phrasings phrasings, std::initializer_list<Slot> slots) {
  Random& random = maker.wording != nullptr ? *maker.wording : maker.random;
  const auto pattern = random.pick(phrasings_of(maker.split, phrasings));
  if (maker.chosen != nullptr) maker.chosen->push_back(pattern);
  return fill(random, pattern, slots);
}

std::string say(Random& random, Phrasings phrasings, std::initializer_list<Slot> slots) {
  return fill(random, random.pick(phrasings), slots);
}

std::vector<std::string> expansions(std::string_view pattern) {
  const auto open = pattern.find('[');
  if (open == std::string_view::npos) return {std::string(pattern)};
  const auto close = closing(pattern, open);
  std::vector<std::string> all;
  for (const auto& rest : expansions(pattern.substr(close + 1))) {
    for (const auto part : alternatives(pattern.substr(open + 1, close - open - 1))) {
      all.push_back(std::string(pattern.substr(0, open)).append(part).append(rest));
    }
  }
  return all;
}

}  // namespace lichen::eval::tasks
