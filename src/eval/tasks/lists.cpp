// Lists of words and numbers: sorted, changed, compared, summed up.
#include <algorithm>
#include <set>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kSortWords[] = {
    "Sort these words alphabetically: {l}.",
    "Put in alphabetical order: {l}.",
    "Order the words from a to z: {l}.",
    "Write these words in alphabetical order: {l}.",
    "Please sort this list: {l}.",
    "Arrange the list [alphabetically|from a to z]: {l}.",
    "{l}: put them in order from a to z.",
    "{l}. Write this list in alphabetical order.",
    "Words: {l}. Please arrange them alphabetically.",
    "List these words from a to z: {l}.",
    "I need these words in alphabetical order: {l}.",
    "If you sort {l} alphabetically, what is the order?",
    "What is the alphabetical order of {l}?",
    "What do you get if you sort these words from a to z: {l}?",
    "An alphabetical list of these words, please: {l}.",
    "How would a dictionary order these words: {l}?",
    "Here are some words: {l}. Put them in alphabetical order.",
    "Can you arrange this list in alphabetical order: {l}?",
    "Sort from a to z[, please|]: {l}.",
    "Give the words {l} in alphabetical order.",
    "Sort: {l}.",
    "Arrange alphabetically: {l}.",
    "{l}: sort this list alphabetically.",
    "Alphabetical order, please: {l}.",
    "[Write|Put] the words in order from a to z: {l}.",
    "Put this list in alphabetical order: {l}.",
};
constexpr std::string_view kSortUp[] = {
    "Sort from smallest to largest: {l}.",
    "Put these numbers in ascending order: {l}.",
    "Sort these numbers: {l}.",
    "Arrange these numbers from smallest to largest: {l}.",
    "Write the numbers in ascending order: {l}.",
    "{l}: put them in ascending order.",
    "{l}. Arrange them, smallest first.",
    "Numbers: {l}. Write them with the smallest first.",
    "Order from smallest to largest: {l}.",
    "[Please sort|Sort] these numbers in ascending order: {l}.",
    "I need these numbers sorted, the smallest first: {l}.",
    "I have the numbers {l}. Sort them in ascending order.",
    "If you sort {l} from smallest to largest, what do you get?",
    "What is the ascending order of {l}?",
    "The numbers {l} in ascending order, please.",
    "List these numbers, from the smallest to the largest: {l}.",
    "Can you put {l} in order, from smallest to largest?",
    "Start with the smallest and end with the largest: order {l}.",
    "Give {l} in order, from the smallest to the largest.",
    "Put these numbers in order, smallest first: {l}.",
    "Order the numbers, smallest first: {l}.",
    "Arrange in ascending order: {l}.",
    "{l}: sort them from smallest to largest.",
    "Write these numbers from smallest to largest: {l}.",
    "Sort, smallest first: {l}.",
};
constexpr std::string_view kSortDown[] = {
    "Sort from largest to smallest: {l}.",
    "Put these numbers in descending order: {l}.",
    "Arrange these numbers from largest to smallest: {l}.",
    "Write the numbers in descending order: {l}.",
    "{l}: put them in descending order.",
    "{l}. Arrange them, largest first.",
    "Numbers: {l}. Write them with the largest first.",
    "Order from largest to smallest: {l}.",
    "[Please sort|Sort] these numbers in descending order: {l}.",
    "I need these numbers sorted, the largest first: {l}.",
    "I have the numbers {l}. Sort them in descending order.",
    "If you sort {l} from largest to smallest, what do you get?",
    "What is the descending order of {l}?",
    "The numbers {l} in descending order, please.",
    "List these numbers, from the largest to the smallest: {l}.",
    "Can you put {l} in order, from largest to smallest?",
    "Start with the largest and end with the smallest: order {l}.",
    "Give {l} in order, from the largest to the smallest.",
    "Order the numbers, largest first: {l}.",
    "Sort these numbers, the largest first: {l}.",
    "Arrange in descending order: {l}.",
    "{l}: sort them from largest to smallest.",
    "Write these numbers from largest to smallest: {l}.",
    "Sort, largest first: {l}.",
};

constexpr std::string_view kDoList[] = {
    "Take this list: {l}. {do}.",
    "List: {l}. {do}.",
    "{l}. {do}.",
    "Here is a list: {l}. {do}.",
    "Work on the list {l}. {do}. What is the result?",
    "Given the list {l}: {do}. [Give|Write] the result.",
    "Given are these items: {l}. {do}.",
    "Start with this list: {l}. {do}. What is the result?",
    "Start from the items {l}. {do}. What do you get?",
    "Here are some items: {l}. {do}. What do you get [in the end|]?",
    "I have a list: {l}. {do}. What do I get?",
    "Do this with the list {l}: {do}.",
    "{do}. List: {l}.",
    "{do}. The list is {l}.",
    "Change this list: {l}. {do}. Give the new list.",
    "If you take {l} and do this, what is the result? {do}.",
    "What do you get from this? List: {l}. {do}.",
    "I need the list {l} changed. {do}.",
    "Items: {l}. Task: {do}. Result?",
    "{do}. Here is what to work on: {l}.",
    "With the list {l}: {do}. What do you get?",
    "Start with {l}. {do}.",
    "Given: {l}. {do}.",
    "Take the list {l}. {do}. What do you get?",
    "Here is the list {l}. {do}. What is the result?",
    "Given this list: {l}. {do}.",
};

constexpr std::string_view kBoth[] = {
    "Which items are in both lists? A: {a}. B: {b}.",
    "A: {a}. B: {b}. What do A and B have in common?",
    "Find what A and B share. A: {a}. B: {b}.",
    "A: {a}. B: {b}. Give the items in both lists.",
    "Give the common items. A: {a}. B: {b}.",
    "List A: {a}. List B: {b}. Which items do they share?",
    "A has {a}. B has {b}. Find the items that are in both.",
    "A: {a}. B: {b}. What is in A that is also in B?",
    "Compare A ({a}) with B ({b}). What do they have in common?",
    "I need the items that two lists share. A: {a}. B: {b}.",
    "If A is {a} and B is {b}, which items are common to both?",
    "Two lists: A has {a}, B has {b}. Name the common items.",
    "Items in both A and B: which are they? A: {a}. B: {b}.",
    "[Tell me|Say] which items A ({a}) and B ({b}) have in common.",
    "Keep only the items of A that are also in B. A: {a}. B: {b}.",
    "Here are list A, {a}, and list B, {b}. What is in both?",
    "What do these lists share? A: {a}. B: {b}.",
    "The common items of both lists, please. A: {a}. B: {b}.",
    "List A has {a}. List B has {b}. Which items are in both?",
    "Find the common items of A ({a}) and B ({b}).",
    "What is in A and also in B? A: {a}. B: {b}.",
    "Give the items that A and B share. A: {a}. B: {b}.",
    "A has {a}. B has {b}. Which items do they have in common?",
    "Which items of A are also in B? A: {a}. B: {b}.",
};
constexpr std::string_view kOnlyFirst[] = {
    "Which items are in A but not in B? A: {a}. B: {b}.",
    "A: {a}. B: {b}. What is only in A?",
    "A: {a}. B: {b}. Which items of A does B not have?",
    "A: {a}. B: {b}. Give what A has and B does not.",
    "List A: {a}. List B: {b}. What is missing in B?",
    "Find the items of A that are missing in B. A: {a}. B: {b}.",
    "Give the items that are only in A. A: {a}. B: {b}.",
    "What does only A have? A: {a}. B: {b}.",
    "A ({a}) has items that B ({b}) does not have. Which are they?",
    "Take list A ({a}) and leave out what is in B ({b}). What is left?",
    "From A, take out whatever B has too. A: {a}. B: {b}.",
    "I need the items of A without those of B. A: {a}. B: {b}.",
    "If A is {a} and B is {b}, which items are in A only?",
    "Compare A ({a}) with B ({b}). What is in A but missing in B?",
    "Two lists: A has {a}, B has {b}. Name the items only A has.",
    "[Tell me|Say] which items A ({a}) has but B ({b}) has not.",
    "Here are list A, {a}, and list B, {b}. What is not in B but in A?",
    "The items in A but not in B, please. A: {a}. B: {b}.",
    "List A has {a}. List B has {b}. Which items are missing in B?",
    "Take the items of B out of A. A: {a}. B: {b}.",
    "What does A ({a}) have that B ({b}) does not?",
    "Give the items of A that are not in B. A: {a}. B: {b}.",
    "A has {a}. B has {b}. Which items are only in A?",
    "Which items of A are missing in B? A: {a}. B: {b}.",
};
constexpr std::string_view kOnlySecond[] = {
    "Which items are in B but not in A? A: {a}. B: {b}.",
    "A: {a}. B: {b}. What is only in B?",
    "A: {a}. B: {b}. Which items of B does A not have?",
    "A: {a}. B: {b}. Give what B has and A does not.",
    "List A: {a}. List B: {b}. What is missing in A?",
    "Find the items of B that are missing in A. A: {a}. B: {b}.",
    "Give the items that are only in B. A: {a}. B: {b}.",
    "What does only B have? A: {a}. B: {b}.",
    "B ({b}) has items that A ({a}) does not have. Which are they?",
    "Take list B ({b}) and leave out what is in A ({a}). What is left?",
    "From B, take out whatever A has too. A: {a}. B: {b}.",
    "I need the items of B without those of A. A: {a}. B: {b}.",
    "If A is {a} and B is {b}, which items are in B only?",
    "List B ({b}) is compared with list A ({a}). What is new?",
    "When A ({a}) is compared with B ({b}), which items of B are new?",
    "When list A ({a}) became list B ({b}), which items were new?",
    "Two lists: A has {a}, B has {b}. Name the items only B has.",
    "[Tell me|Say] which items B ({b}) has but A ({a}) has not.",
    "Here are list A, {a}, and list B, {b}. What is not in A but in B?",
    "The items in B but not in A, please. A: {a}. B: {b}.",
    "List A has {a}. List B has {b}. Which items are missing in A?",
    "Take the items of A out of B. A: {a}. B: {b}.",
    "What is new in B ({b}) when compared with A ({a})?",
    "Give the items of B that are not in A. A: {a}. B: {b}.",
    "A has {a}. B has {b}. Which items are only in B?",
    "Which items of B are missing in A? A: {a}. B: {b}.",
};

constexpr std::string_view kStatistic[] = {
    "What is the {s} of {l}?",
    "Find the {s}: {l}.",
    "Give the {s} of these numbers: {l}.",
    "Numbers: {l}. What is the {s}?",
    "Compute the {s} of {l}.",
    "Tell me the {s} of these values: {l}.",
    "Say which {s} these numbers have: {l}.",
    "[Tell me|Say] the {s}: {l}.",
    "Take these values: {l}. Work out their {s}.",
    "Take {l} and give the {s}.",
    "These values are given: {l}. What is the {s}?",
    "Here are some numbers: {l}. What {s} do they have?",
    "{l}. Find the {s} of these numbers.",
    "{l}: [give|work out] the {s}.",
    "I need the {s} of the numbers {l}.",
    "I have the values {l}. What is their {s}?",
    "If the numbers are {l}, what is the {s}?",
    "Which {s} do the values {l} have?",
    "The {s} of {l}, please.",
    "For the values {l}, compute the {s}.",
    "{l}: what is their {s}?",
    "Work out the {s} of these values: {l}.",
    "[Tell me|Say] what the {s} of {l} is.",
    "What {s} do these numbers have: {l}?",
    "Take the numbers {l}. What is their {s}?",
    "These are the values: {l}. Find the {s}.",
};

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
