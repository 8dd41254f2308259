// Lists of words and numbers: sorted, changed, compared, summed up.
#include <algorithm>
#include <set>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kSortWords[] = {"Sort these words alphabetically: {l}.",
                                           "Put in alphabetical order: {l}.",
                                           "Order the words from a to z: {l}.",
                                           "Write these words in alphabetical order: {l}.",
                                           "Sort: {l}.",
                                           "Arrange alphabetically: {l}.",
                                           "{l}: sort this list alphabetically.",
                                           "Alphabetical order, please: {l}.",
                                           "[Write|Put] the words in order from a to z: {l}.",
                                           "Put this list in alphabetical order: {l}."};
constexpr std::string_view kSortUp[] = {"Sort from smallest to largest: {l}.",
                                        "Put these numbers in ascending order: {l}.",
                                        "Order the numbers, smallest first: {l}.",
                                        "Sort these numbers: {l}.",
                                        "Arrange in ascending order: {l}.",
                                        "{l}: sort them from smallest to largest.",
                                        "Write these numbers from smallest to largest: {l}.",
                                        "Sort, smallest first: {l}."};
constexpr std::string_view kSortDown[] = {"Sort from largest to smallest: {l}.",
                                          "Put these numbers in descending order: {l}.",
                                          "Order the numbers, largest first: {l}.",
                                          "Sort these numbers, the largest first: {l}.",
                                          "Arrange in descending order: {l}.",
                                          "{l}: sort them from largest to smallest.",
                                          "Write these numbers from largest to smallest: {l}.",
                                          "Sort, largest first: {l}."};

constexpr std::string_view kDoList[] = {"Take this list: {l}. {do}.",
                                        "List: {l}. {do}.",
                                        "{l}. {do}.",
                                        "Here is a list: {l}. {do}.",
                                        "Work on the list {l}. {do}. What is the result?",
                                        "With the list {l}: {do}. What do you get?",
                                        "Start with {l}. {do}.",
                                        "Given: {l}. {do}.",
                                        "Take the list {l}. {do}. What do you get?",
                                        "Here is the list {l}. {do}. What is the result?",
                                        "Given this list: {l}. {do}."};

constexpr std::string_view kBoth[] = {"Which items are in both lists? A: {a}. B: {b}.",
                                      "A: {a}. B: {b}. What do A and B have in common?",
                                      "List A has {a}. List B has {b}. Which items are in both?",
                                      "Find the common items of A ({a}) and B ({b}).",
                                      "What is in A and also in B? A: {a}. B: {b}.",
                                      "Give the items that A and B share. A: {a}. B: {b}.",
                                      "A has {a}. B has {b}. Which items do they have in common?",
                                      "Which items of A are also in B? A: {a}. B: {b}."};
constexpr std::string_view kOnlyFirst[] = {
    "Which items are in A but not in B? A: {a}. B: {b}.",
    "A: {a}. B: {b}. What is only in A?",
    "List A has {a}. List B has {b}. Which items are missing in B?",
    "Take the items of B out of A. A: {a}. B: {b}.",
    "What does A ({a}) have that B ({b}) does not?",
    "Give the items of A that are not in B. A: {a}. B: {b}.",
    "A has {a}. B has {b}. Which items are only in A?",
    "Which items of A are missing in B? A: {a}. B: {b}."};
constexpr std::string_view kOnlySecond[] = {
    "Which items are in B but not in A? A: {a}. B: {b}.",
    "A: {a}. B: {b}. What is only in B?",
    "List A has {a}. List B has {b}. Which items are missing in A?",
    "Take the items of A out of B. A: {a}. B: {b}.",
    "What is new in B ({b}) when compared with A ({a})?",
    "Give the items of B that are not in A. A: {a}. B: {b}.",
    "A has {a}. B has {b}. Which items are only in B?",
    "Which items of B are missing in A? A: {a}. B: {b}."};

constexpr std::string_view kStatistic[] = {"What is the {s} of {l}?",
                                           "Find the {s}: {l}.",
                                           "Give the {s} of these numbers: {l}.",
                                           "Numbers: {l}. What is the {s}?",
                                           "Compute the {s} of {l}.",
                                           "{l}: what is their {s}?",
                                           "Work out the {s} of these values: {l}.",
                                           "[Tell me|Say] what the {s} of {l} is.",
                                           "What {s} do these numbers have: {l}?",
                                           "Take the numbers {l}. What is their {s}?",
                                           "These are the values: {l}. Find the {s}."};

using List = std::vector<std::string>;

/// One change of a list, as it is asked for; carries it out.
std::string change(Random& random, List& list) {
  const auto size = static_cast<int>(list.size());
  switch (random.below(size > 3 ? 9 : 4)) {
    case 0: std::ranges::reverse(list); return "Reverse the order";
    case 1: std::ranges::rotate(list, list.begin() + 1); return "Move the first item to the end";
    case 2: std::ranges::rotate(list, list.end() - 1); return "Move the last item to the front";
    case 3: std::swap(list.front(), list.back()); return "Swap the first and the last item";
    case 4: list.erase(list.begin()); return "Remove the first item";
    case 5: list.pop_back(); return "Remove the last item";
    case 6: {
      const int at = random.between(1, size);
      list.erase(list.begin() + at - 1);
      return text("Remove the ", ordinal(at), " item");
    }
    case 7: {
      const int at = random.between(2, size - 1);
      std::rotate(list.begin(), list.begin() + at - 1, list.begin() + at);
      return text("Move the ", ordinal(at), " item to the front");
    }
    default: {
      const auto item = list[static_cast<std::size_t>(random.below(size))];
      std::erase(list, item);
      return text("Remove ", item);
    }
  }
}

std::string neighbours_swapped(Random& random, List list) {
  const auto at = static_cast<std::size_t>(random.below(static_cast<int>(list.size()) - 1));
  std::swap(list[at], list[at + 1]);
  return join(list);
}

}  // namespace

Task make_sort(Maker& maker) {
  Random& random = maker.random;
  const int count = maker.by_level(3, 6, 10, 16);
  Task task;
  task.check = "list";
  List sorted;
  if (random.chance(50)) {
    auto words = random.draw(kWords, count);
    task.question = phrase(maker, kSortWords, {{"l", join(words)}});
    std::ranges::sort(words);
    sorted.assign(words.begin(), words.end());
  } else {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i)
      numbers.push_back(random.between(1, maker.by_level(99, 199, 999, 1'999)));
    const bool down = random.chance(40);
    task.question =
        phrase(maker, down ? Phrasings(kSortDown) : Phrasings(kSortUp), {{"l", join(numbers)}});
    std::ranges::sort(numbers);
    if (down) std::ranges::reverse(numbers);
    for (const int number : numbers) sorted.push_back(text(number));
  }
  task.answer = join(sorted);
  if (const auto wrong = neighbours_swapped(random, sorted); wrong != task.answer) {
    task.rivals = {wrong};
  }
  return task;
}

Task make_list_ops(Maker& maker) {
  Random& random = maker.random;
  List list;
  for (const auto word : random.draw(kWords, maker.by_level(4, 6, 8, 10))) list.emplace_back(word);
  Task task;
  task.check = "list";
  const auto shown = join(list);
  std::vector<std::string> changes;
  const int count = maker.by_level(1, 2, 3, 5);
  for (int i = 0; i < count; ++i) {
    auto asked = change(random, list);
    changes.push_back(i == 0 ? asked : text("then ", lowercase(asked)));
    if (maker.level >= 3) task.steps.push_back(text(asked, ": ", join(list)));
  }
  task.question = phrase(maker, kDoList, {{"l", shown}, {"do", join(changes)}});
  task.answer = join(list);
  task.rivals = {neighbours_swapped(random, list)};
  return task;
}

Task make_sets(Maker& maker) {
  Random& random = maker.random;
  const int each = maker.by_level(3, 5, 8, 12);
  const int common = random.between(1, each - 1);
  auto words = random.draw(kWords, 2 * each - common);
  const auto middle = words.begin() + each;
  List a(words.begin(), middle);
  List b(middle - common, words.end());
  random.shuffle(a);
  random.shuffle(b);
  const auto& kind = random.pick(std::string_view("&-+"));
  const auto& asked_of = kind == '+' ? b : a;
  const auto& other = kind == '+' ? a : b;
  List result;
  for (const auto& item : asked_of) {
    if (contains(other, item) == (kind == '&')) result.push_back(item);
  }
  Task task{.question = phrase(maker,
                               kind == '&'   ? Phrasings(kBoth)
                               : kind == '-' ? Phrasings(kOnlyFirst)
                                             : Phrasings(kOnlySecond),
                               {{"a", join(a)}, {"b", join(b)}}),
            .answer = join(result),
            .check = "set"};
  List short_of_one(result.begin() + 1, result.end());
  if (!short_of_one.empty()) task.rivals.push_back(join(short_of_one));
  for (const auto& item : asked_of) {
    if (contains(result, item)) continue;
    List one_more = result;
    one_more.push_back(item);
    task.rivals.push_back(join(one_more));
    break;
  }
  return task;
}

Task make_statistics(Maker& maker) {
  Random& random = maker.random;
  const int count = maker.by_level(4, 5, 7, 9);
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i)
    numbers.push_back(random.between(1, maker.by_level(50, 60, 99, 299)));
  constexpr std::string_view kEasy[] = {"largest number", "smallest number", "last number"};
  constexpr std::string_view kMiddling[] = {"sum", "range (largest minus smallest)",
                                            "second largest number"};
  constexpr std::string_view kHard[] = {"sum", "mean", "median", "sum of the even numbers",
                                        "sum of the odd numbers"};
  const auto name = maker.level == 1   ? random.pick(kEasy)
                    : maker.level == 2 ? random.pick(kMiddling)
                                       : random.pick(kHard);
  if (name == "mean") {
    // The last number makes it a whole one.
    int sum = 0;
    for (const int number : numbers) sum += number;
    numbers.back() += (count - sum % count) % count;
  }
  Task task{.question = phrase(maker, kStatistic, {{"s", name}, {"l", join(numbers)}}),
            .answer = {}};
  task.check = "numeric";
  auto sorted = numbers;
  std::ranges::sort(sorted);
  int result = 0;
  if (name.starts_with("largest")) result = sorted.back();
  if (name.starts_with("smallest")) result = sorted.front();
  if (name.starts_with("last")) result = numbers.back();
  if (name.starts_with("second")) result = sorted[sorted.size() - 2];
  if (name.starts_with("range")) {
    result = sorted.back() - sorted.front();
    task.steps.push_back(text(sorted.back(), " - ", sorted.front(), " = ", result));
  }
  if (name == "median") {
    result = sorted[sorted.size() / 2];
    task.steps.push_back(text("Sorted: ", join(sorted)));
  }
  if (name.starts_with("sum") || name == "mean") {
    bool first = true;
    for (const int number : numbers) {
      if (name.contains("even") && number % 2 != 0) continue;
      if (name.contains("odd") && number % 2 == 0) continue;
      if (!first) task.steps.push_back(text(result, " + ", number, " = ", result + number));
      result += number;
      first = false;
    }
  }
  if (name == "mean") {
    task.steps.push_back(text(result, " / ", count, " = ", result / count));
    result /= count;
  }
  task.answer = text(result);
  return task;
}

}  // namespace lichen::eval::tasks
