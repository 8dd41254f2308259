// Letters and words. Tokens hide letters, so harder tasks spell first.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kSpell[] = {
    "Spell {w}.",
    "Spell the word \"{w}\" letter by letter.",
    "How is \"{w}\" spelled? Say it letter by letter.",
    "Tell me the letters of the word \"{w}\" in order.",
    "List the letters of \"{w}\" [in order|one by one].",
    "I need to know how to spell {w}.",
    "Show a child how to spell {w}.",
    "Write down every letter of \"{w}\", in order.",
    "What letters are in \"{w}\", from first to last?",
    "Which letters do you write for \"{w}\"?",
    "The word is {w}. Which letters does it have?",
    "What does \"{w}\" look like, letter by letter?",
    "If you write \"{w}\", which letters do you need, one after another?",
    "Say each letter of {w} in turn.",
    "The letters of \"{w}\" in order are:",
    "Can you tell me how \"{w}\" is written, letter by letter?",
    "Take \"{w}\" apart into its letters.",
    "What letters do you have in {w}?",
    "Write \"{w}\" letter by letter.",
    "How do you spell {w}?",
    "Which letters does \"{w}\" have, in order?",
    "What are the letters of {w}?",
    "[Tell me|Say] how to spell \"{w}\".",
    "Letter by letter, how do you write \"{w}\"?"};
constexpr std::string_view kBackwards[] = {
    "Write \"{w}\" backwards.",
    "Reverse the word \"{w}\".",
    "What is \"{w}\" spelled backwards?",
    "Spell the word \"{w}\" backwards.",
    "Read \"{w}\" from back to front: what do you get?",
    "Write {w} from the last letter to the first.",
    "If you turn \"{w}\" around, what do you get?",
    "Turn the order of the letters of \"{w}\" around.",
    "What does {w} become if you write it from back to front?",
    "How does \"{w}\" look backwards, letter by letter?",
    "How do you spell \"{w}\" in reverse?",
    "Take {w} and reverse it.",
    "Starting at the back, [give|write] the letters of \"{w}\".",
    "I need the word {w} [backwards|in reverse].",
    "Backwards, letter by letter, please: {w}",
    "The word is {w}. Spell it from its last letter back to its first.",
    "Turn \"{w}\" around, letter by letter.",
    "Reverse the letters of {w}.",
    "Spell \"{w}\" from back to front.",
    "What do you get if you reverse \"{w}\"?",
    "Write the letters of \"{w}\" backwards.",
    "How do you write {w} backwards?"};
constexpr std::string_view kNth[] = {"What is the {n} letter of \"{w}\"?",
                                     "Which letter is the {n} in \"{w}\"?",
                                     "The word is \"{w}\". Which letter comes {n} in it?",
                                     "Tell me which letter is {n} in {w}.",
                                     "Say what the {n} letter in \"{w}\" is.",
                                     "Take {w} and give its {n} letter.",
                                     "Take a look at \"{w}\": what is the {n} of its letters?",
                                     "Please give me the {n} letter in the word \"{w}\".",
                                     "I need the {n} letter of {w}.",
                                     "The {n} letter of \"{w}\":",
                                     "Find the {n} letter in {w}.",
                                     "If you spell \"{w}\", which letter comes {n}?",
                                     "Look at the letters of \"{w}\" and name the {n} one.",
                                     "Can you say which letter is {n} in {w}?",
                                     "[Pick|Write] out the {n} letter of the word {w}.",
                                     "What letter does {w} have in the {n} place?",
                                     "Could you tell me the letter that is {n} in \"{w}\"?",
                                     "Give the {n} letter of {w}.",
                                     "Take the word \"{w}\". What is its {n} letter?",
                                     "In \"{w}\", what letter comes {n}?",
                                     "[Tell me|Say] the {n} letter of \"{w}\".",
                                     "Which letter of \"{w}\" comes {n}?",
                                     "What letter is the {n} of {w}?"};
constexpr std::string_view kCountLetter[] = {
    "How many times does the letter {c} occur in \"{w}\"?",
    "How many {c}'s are in \"{w}\"?",
    "Count the {c}'s in the word \"{w}\".",
    "How often does \"{w}\" have the letter {c}?",
    "How often does {c} occur among the letters of {w}?",
    "Take the word {w} and count each {c} in it.",
    "Take {w}, letter by letter: how many times do you see {c}?",
    "I need the number of times that {c} is in \"{w}\".",
    "Give the number of letters {c} in {w}.",
    "What is the count of {c} in {w}?",
    "If you spell \"{w}\", how many times do you write {c}?",
    "Look at {w} and its letters. How many times is {c} there?",
    "Spell {w} and see how often {c} is among its letters.",
    "[Tell me|Say] how many times \"{w}\" has the letter {c}.",
    "Find every {c} in \"{w}\". How many are there?",
    "How many letters {c} does \"{w}\" [have|contain]?",
    "Does {c} occur in {w}, and how many times?",
    "What number of letters in \"{w}\" is {c}?",
    "Count the letter {c} in {w}.",
    "How often is {c} in \"{w}\"?",
    "Take \"{w}\". How many of its letters are {c}?",
    "What is the number of {c}'s in \"{w}\"?",
    "In \"{w}\", how many times does {c} occur?",
    "Count how often the letter {c} is in \"{w}\"."};
constexpr std::string_view kEdit[] = {"{do} in this text: {t}",
                                      "Text: {t} {do}.",
                                      "This is a text to work on: {t} {do}.",
                                      "Please work on these words: {t} {do}.",
                                      "Work to do: {do}. Text: {t}",
                                      "I have a sentence here: {t} {do}.",
                                      "Here you see the sentence: {t} {do}.",
                                      "Sentence: {t} Change: {do}.",
                                      "Take these words: {t} {do}.",
                                      "{t} Take this text and change it: {do}.",
                                      "{t} Change the sentence like this: {do}.",
                                      "[Edit|Change] a text. {do}: {t}",
                                      "What does this text become? {do}: {t}",
                                      "I need this sentence changed. {do}: {t}",
                                      "The sentence is: {t} What is it after this? {do}.",
                                      "{do}. The sentence: {t}",
                                      "Do this with the text: {do}. {t}",
                                      "Take the text \"{t}\" {do}.",
                                      "Change this text: {t} {do}.",
                                      "Here is a text: {t} {do}.",
                                      "Work on this sentence: {t} {do}.",
                                      "Here is a sentence: {t} {do}.",
                                      "Take this sentence: {t} {do}."};

std::string spelled(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (!out.empty()) out += '-';
    out += c == ' ' ? '_' : c;
  }
  return out;
}

/// A word of the lists at low levels, a made-up one above.
std::string some_word(Maker& maker) {
  Random& random = maker.random;
  if (maker.level <= 2) return std::string(random.pick(kWords));
  if (maker.level == 3) return invented_word(random, random.between(2, 3));
  return invented_word(random, random.between(4, 5));
}

/// One change of words, as it is asked for; carries it out.
std::string change(Random& random, std::vector<std::string>& words) {
  const auto at = static_cast<std::size_t>(random.below(static_cast<int>(words.size())));
  const auto word = words[at];
  switch (random.below(6)) {
    case 0: {
      const auto fresh = std::string(random.pick(kWords));
      std::ranges::replace(words, word, fresh);
      return text("replace \"", word, "\" by \"", fresh, "\"");
    }
    case 1:
      if (words.size() > 3) {
        std::erase(words, word);
        return text("leave out \"", word, "\"");
      }
      [[fallthrough]];
    case 2: std::swap(words.front(), words.back()); return "swap the first and the last word";
    case 3:
      for (auto& w : words) {
        if (w == word) w = capitalized(w);
      }
      return text("start \"", word, "\" with a capital");
    case 4: {
      const auto fresh = std::string(random.pick(kColours));
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), fresh);
      return text("put \"", fresh, "\" before the ", ordinal(static_cast<int>(at) + 1), " word");
    }
    default: {
      const auto fresh = std::string(random.pick(kAnimals));
      words.push_back(fresh);
      return text("add \"", fresh, "\" at the end");
    }
  }
}

}  // namespace

Task make_spell(Maker& maker) {
  const auto word = some_word(maker);
  if (maker.level == 1) {
    return {.question = phrase(maker, kSpell, {{"w", word}}), .answer = spelled(word)};
  }
  const std::string reversed(word.rbegin(), word.rend());
  Task task{.question = phrase(maker, kBackwards, {{"w", word}}), .answer = reversed};
  auto wrong = reversed;
  std::swap(wrong[1], wrong[2]);
  if (wrong != reversed) task.rivals = {wrong};
  if (maker.level >= 3) task.steps = {spelled(word), spelled(reversed)};
  return task;
}

Task make_letters(Maker& maker) {
  Random& random = maker.random;
  const auto word = some_word(maker);
  const auto size = static_cast<int>(word.size());
  if (random.chance(50)) {
    const bool from_end = maker.level >= 2 && random.chance(40);
    const int n = random.between(1, maker.level == 1 ? 3 : size);
    const char letter = word[static_cast<std::size_t>(from_end ? size - n : n - 1)];
    const auto place =
        from_end ? (n == 1 ? std::string("last") : ordinal(n) + " last") : ordinal(n);
    Task task{.question = phrase(maker, kNth, {{"n", place}, {"w", word}}),
              .answer = std::string(1, letter)};
    for (const char other : word) {
      if (other != letter) task.rivals.emplace_back(1, other);
    }
    if (maker.level >= 3) {
      std::string numbered;
      for (int i = 1; i <= n; ++i) {
        const char c = word[static_cast<std::size_t>(from_end ? size - i : i - 1)];
        numbered += text(i == 1 ? "" : ", ", i, " ", c);
      }
      task.steps = {numbered};
    }
    return task;
  }
  const char letter =
      random.chance(75) ? random.pick(word) : random.pick(std::string_view("aeiorst"));
  const auto count = std::ranges::count(word, letter);
  Task task{.question = phrase(maker, kCountLetter, {{"c", std::string(1, letter)}, {"w", word}}),
            .answer = text(count),
            .check = "numeric"};
  if (maker.level >= 3) task.steps = {spelled(word)};
  return task;
}

Task make_edit_text(Maker& maker) {
  Random& random = maker.random;
  std::vector<std::string> words;
  for (const auto word : random.draw(kWords, maker.by_level(4, 7, 10, 13)))
    words.emplace_back(word);
  const auto before = join(words, " ");
  std::vector<std::string> asked;
  Task task;
  const int changes = maker.by_level(1, 1, 2, 4);
  for (int i = 0; i < changes; ++i) {
    asked.push_back(change(random, words));
    if (maker.level == 4) task.steps.push_back(join(words, " "));
  }
  const auto wish = capitalized(join(asked, ", then "));
  task.question = phrase(maker, kEdit, {{"t", before + "."}, {"do", wish}});
  task.answer = join(words, " ");
  auto wrong = words;
  std::swap(wrong[0], wrong[1]);
  task.rivals = {join(wrong, " ")};
  if (task.rivals[0] == task.answer) task.rivals.clear();
  return task;
}

}  // namespace lichen::eval::tasks
