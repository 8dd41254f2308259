// How many there are of something, with a running tally from level 2 on.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kCount[] = {
    "How many times does \"{w}\" appear in: {l}?",
    "Count \"{w}\" in this list: {l}.",
    "How often is \"{w}\" in the list {l}?",
    "List: {l}. How many times is \"{w}\" there?",
    "How often does \"{w}\" [come up|appear] in the list {l}?",
    "\"{w}\" comes up how many times in: {l}?",
    "Count the times \"{w}\" comes up in this list: {l}.",
    "How many times does \"{w}\" occur here: {l}?",
    "In this list, how often does the word \"{w}\" occur? {l}.",
    "[Say|Tell me] how often \"{w}\" is here: {l}.",
    "Here is a list of words: {l}. How often is \"{w}\" there?",
    "Here are some words: {l}. How many of them are \"{w}\"?",
    "Of these words, how many are \"{w}\"? {l}.",
    "These are the words: {l}. Count each \"{w}\".",
    "Look at a list of words: {l}. How many are \"{w}\"?",
    "I need the number of times \"{w}\" is in: {l}.",
    "[Tell me|Say] how many times \"{w}\" appears: {l}.",
    "If you count \"{w}\" in the list {l}, [what do you get|how many are there]?",
    "Please count the word \"{w}\": {l}.",
    "What is the number of times \"{w}\" occurs in: {l}?",
    "Count how often \"{w}\" comes up: {l}.",
    "In the list {l}, how many are \"{w}\"?",
    "Here is a list: {l}. Count \"{w}\".",
    "How many of these are \"{w}\": {l}?",
    "How often does \"{w}\" occur in: {l}?",
    "Count how many times \"{w}\" is in the list: {l}."};
constexpr std::string_view kCountKind[] = {
    "How many {k} are in: {l}?",
    "Count the {k} in this list: {l}.",
    "List: {l}. How many {k} are there?",
    "How many of these things are {k}: {l}?",
    "Of these things, count the {k}: {l}.",
    "{l}. Which are {k}, and what is their number?",
    "Find which things are {k} and count them: {l}.",
    "In this list, how many things are {k}? {l}.",
    "Here is a list. How many {k} does it have? {l}.",
    "Here are some things: {l}. How many of them are {k}?",
    "Here is a list of things: {l}. Which are {k}, and how many is that?",
    "The list is {l}. Count the {k} in it.",
    "I need the number of {k} in the list {l}.",
    "[Tell me|Say] how many {k} there are: {l}.",
    "{l}: how many of the things are {k}?",
    "If you count only the {k} in {l}, how many [do you get|are there]?",
    "Look at the list and count {k}: {l}.",
    "Please [count|find] all {k} and give their number: {l}.",
    "What is the number of {k} in: {l}?",
    "In the list {l}, how many are {k}?",
    "Here is a list: {l}. Count the {k}.",
    "Which are {k}, and how many? {l}.",
    "Count the {k}: {l}.",
    "Of the things {l}, how many are {k}?",
    "How many {k} are there in the list {l}?"};

constexpr std::string_view kNextCount[] = {"And \"{w}\"?", "How often does \"{w}\" occur?",
                                           "Count \"{w}\", too.", "Now \"{w}\": how many times?"};

/// Counting aloud: "fox 1, fox 2".
std::string tally(const std::vector<std::string_view>& found) {
  std::string out;
  for (std::size_t i = 0; i < found.size(); ++i) {
    out += text(i == 0 ? "" : ", ", found[i], " ", i + 1);
  }
  return out;
}

}  // namespace

Task make_count(Maker& maker) {
  Random& random = maker.random;
  const auto kinds = random.draw(kWords, maker.by_level(3, 4, 5, 6));
  std::vector<std::string_view> list;
  const int size = random.between(maker.by_level(4, 9, 16, 28), maker.by_level(7, 14, 25, 45));
  for (int i = 0; i < size; ++i) list.push_back(random.pick(kinds));
  const auto wanted = random.pick(kinds);
  std::vector<std::string_view> found;
  std::ranges::copy_if(list, std::back_inserter(found),
                       [&](const auto& item) { return item == wanted; });
  Task task{.question = phrase(maker, kCount, {{"w", wanted}, {"l", join(list)}}),
            .answer = text(found.size()),
            .check = "numeric"};
  if (maker.level >= 2 && !found.empty()) task.steps = {tally(found)};
  if (auto more = follow_up_maker(maker)) {
    for (const auto word : kinds) {
      if (word == wanted) continue;
      const std::vector<std::string_view> of_word(
          static_cast<std::size_t>(std::ranges::count(list, word)), word);
      const bool aloud = maker.level >= 2 && !of_word.empty();
      task.follow_ups.push_back(
          {say(more->random, kNextCount, {{"w", word}}),
           full_answer(aloud ? std::vector{tally(of_word)} : std::vector<std::string>{},
                       text(of_word.size()))});
    }
  }
  return task;
}

Task make_count_kind(Maker& maker) {
  Random& random = maker.random;
  struct Kind {
    std::string_view name;
    std::span<const std::string_view> members;
  };
  static constexpr Kind kKinds[] = {
      {"animals", kAnimals}, {"fruits", kFruit}, {"tools", kTools}, {"colours", kColours}};
  const Kind& kind = random.pick(kKinds);
  const int size = maker.by_level(4, 7, 11, 17);
  std::vector<std::string_view> list;
  std::vector<std::string_view> found;
  while (static_cast<int>(list.size()) < size) {
    const Kind& other = random.chance(50) ? kind : random.pick(kKinds);
    const auto item = random.pick(other.members);
    if (contains(list, item)) continue;
    if (list.size() > 30) break;
    list.push_back(item);
    if (other.name == kind.name) found.push_back(item);
  }
  Task task{.question = phrase(maker, kCountKind, {{"k", kind.name}, {"l", join(list)}}),
            .answer = text(found.size()),
            .check = "numeric"};
  if (maker.level >= 2 && !found.empty()) task.steps = {tally(found)};
  return task;
}

}  // namespace lichen::eval::tasks
