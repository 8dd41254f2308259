// Long texts: one fact to find among many, or many to add up. The longest have some 6,000
// characters, 1,500 tokens.
#include <algorithm>
#include <map>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kNeedle[] = {
    "{t}\nWhat is the code of the {c} {o}?",
    "{t}\nWhich code does the {c} {o} have?",
    "Read the report and give the code of the {c} {o}.\n{t}",
    "Report: {t}\nQuestion: what is the code of the {c} {o}?",
    "{t}\nGive the code of the {c} {o}.",
    "Find the code that the {c} {o} has.\n{t}",
    "{t}\nWhat code does this text give for the {c} {o}?",
    "Text: {t}\nWhat code does the report have for the {c} {o}?",
    "[Tell me|Say] which code the {c} {o} has.\n{t}",
    "Read this text and [tell me|say] the code of the {c} {o}.\n{t}",
    "Which code belongs to the {c} {o}?\n{t}",
    "{t}\nI need the code of the {c} {o}. What is it?",
    "I need the code of the {c} {o} from this report.\n{t}",
    "Somewhere in the report stands the code of the {c} {o}. Give it.\n{t}",
    "{t}\nThe code of the {c} {o} is somewhere in this text. Find it.",
    "Text: {t}\nCode of the {c} {o}:",
    "{t}\nThe code of the {c} {o}, please.",
    "If you read this text, what is the code of the {c} {o}?\n{t}",
    "Look for the code of the {c} {o} in this text.\n{t}",
    "Search the report for the {c} {o} and give its code.\n{t}",
    "Somewhere in this text is the code of the {c} {o}. What is it?\n{t}",
    "{t}\nFind the code of the {c} {o}.",
    "What code does the {c} {o} have?\n{t}",
    "{t}\n[Tell me|Say] the code of the {c} {o}.",
    "Read this report: {t}\nWhat code does the {c} {o} have?",
    "Find the code of the {c} {o} in this text.\n{t}",
};
constexpr std::string_view kNeedleFact[] = {
    "The code of the {c} {o} is {n}.",           "The {c} {o} has the code {n}.",
    "{n} is the code of the {c} {o}.",           "For the {c} {o} the code is {n}.",
    "Note the code {n} for the {c} {o}.",        "On the {c} {o} stands the code {n}.",
    "Note that {n} is the code of the {c} {o}.", "The {c} {o} got the code {n}."};

constexpr std::string_view kHowMuch[] = {
    "{t}\nHow many {g} did {p} bring in all?",
    "{t}\nWhat is the total of {g} that {p} brought?",
    "How many {g} did {p} bring? Add them up.\n{t}",
    "Log: {t}\nQuestion: how many {g} did {p} bring in all?",
    "{t}\nAdd up the {g} that {p} brought.",
    "[Tell me|Say] how many {g} came from {p}.\n{t}",
    "Read the log and [tell me|say] how many {g} {p} brought.\n{t}",
    "{t}\nFind the total of {g} that came from {p}.",
    "Read this: {t}\nIn total, how many {g} did {p} bring?",
    "Add up all the {g} from {p} in this log.\n{t}",
    "{t}\nAll in all, how many {g} came from {p}?",
    "I need the total of {g} that {p} brought.\n{t}",
    "{t}\nI need to know how many {g} {p} brought in all.",
    "Log: {t}\nTotal of {g} from {p}:",
    "{t}\nThe total of {g} from {p}, please.",
    "If you add up the {g} that {p} brought, what is the total?\n{t}",
    "Find all {g} that {p} brought and add them up.\n{t}",
    "{t}\nGive the number of {g} that {p} brought[ in all| in total|].",
    "From {p} came some {g}: how many in total? Here is the log.\n{t}",
    "Here is a log: {t}\nFind out how many {g} {p} brought.",
    "From this log, find how many {g} {p} brought in total.\n{t}",
    "{t}\nHow many {g} came from {p}?",
    "Read the log. How many {g} came from {p} in all?\n{t}",
    "{t}\n[Tell me|Say] how many {g} {p} brought.",
    "Read this log: {t}\nAdd up the {g} that came from {p}.",
    "How many {g} came from {p} in total?\n{t}",
};
constexpr std::string_view kBrought[] = {
    "On {d} {p} brought {n} {g}.",   "{p} brought {n} {g} on {d}.",
    "{n} {g} came from {p} on {d}.", "On {d} there came {n} {g} from {p}.",
    "{p} came on {d} with {n} {g}.", "On {d} {n} {g} came from {p}.",
    "On {d} {p} came with {n} {g}.", "{d}: {p} brought {n} {g}."};

/// Sentences that hold neither a code nor a delivery. The splits share them: a long text would
/// repeat a few otherwise.
constexpr std::string_view kFiller[] = {"{p} painted the {c} {o} in the {r}.",
                                        "The {r} was cleaned by {p} on {d}.",
                                        "In the {r} stands a {c} {o} that nobody uses.",
                                        "{p} and {q} met in the {r} to talk about the {o}.",
                                        "It rained in {v} all {d}, and {p} stayed in the {r}.",
                                        "{p} wrote a letter to {q} from {v}.",
                                        "The train to {v} was late, so {p} read a book.",
                                        "A {a} was seen near the {r} on {d}.",
                                        "{p} likes the {c} {o} better than the old one.",
                                        "Nobody in {v} had heard of the {c} {o}.",
                                        "{q} asked {p} to close the {r} on {d}.",
                                        "The {a} of {p} slept in the {r}.",
                                        "{p} saw a {a} near the {r} on {d}.",
                                        "On {d} {p} and {q} stayed in {v}.",
                                        "{p} asked {q} about the old {o} in the {r}.",
                                        "The {o} in the {r} was painted by {q}."};

constexpr std::string_view kNextNeedle[] = {"And the {c} {o}?",
                                            "What is the code of the {c} {o}?",
                                            "Which code has the {c} {o}?",
                                            "Now the {c} {o}: what is its code?",
                                            "Find the code of the {c} {o}, too.",
                                            "Give me the code of the {c} {o} as well."};
constexpr std::string_view kNextHowMuch[] = {
    "And how many {g} came from {p}?",     "How many {g} did {p} bring?",
    "Now {p}: how many {g} in all?",       "Add up the {g} of {p}, too.",
    "What is the number of {g} from {p}?", "How many {g} came from {p} altogether?"};

std::string filler(Maker& maker) {
  Random& random = maker.random;
  const auto people = random.draw(std::span(kFirstNames).first(20), 2);
  return say(random, kFiller,
             {{"p", people[0]},
              {"q", people[1]},
              {"c", random.pick(kColours)},
              {"o", random.pick(kObjects)},
              {"r", random.pick(kRooms)},
              {"v", random.pick(kCities)},
              {"a", random.pick(kAnimals)},
              {"d", random.pick(kWeekdays)}});
}

/// Characters of a text of this level.
int wanted_length(Maker& maker) {
  return maker.random.between(maker.by_level(200, 600, 1'500, 3'500),
                              maker.by_level(400, 1'200, 3'000, 5'800));
}

/// `facts` in their order, among so much filler that the whole has about `length` characters.
std::string among_filler(Maker& maker, const std::vector<std::string>& facts, int length) {
  std::vector<std::string> sentences;
  int size = 0;
  for (const auto& fact : facts) size += static_cast<int>(fact.size()) + 1;
  while (size < length) {
    sentences.push_back(filler(maker));
    size += static_cast<int>(sentences.back().size()) + 1;
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    places.push_back(
        static_cast<std::size_t>(maker.random.below(static_cast<int>(sentences.size()) + 1)));
  }
  std::ranges::sort(places);
  std::string out;
  std::size_t next = 0;
  for (std::size_t i = 0; i <= sentences.size(); ++i) {
    while (next < facts.size() && places[next] == i) out += facts[next++] + " ";
    if (i < sentences.size()) out += sentences[i] + " ";
  }
  out.pop_back();
  return out;
}

}  // namespace

Task make_needle(Maker& maker) {
  Random& random = maker.random;
  const int codes = maker.by_level(2, 4, 8, 14);
  std::vector<std::pair<std::string_view, std::string_view>> things;
  while (static_cast<int>(things.size()) < codes) {
    const std::pair thing{random.pick(kColours), random.pick(kObjects)};
    if (!contains(things, thing)) things.push_back(thing);
  }
  const auto wanted = static_cast<std::size_t>(random.below(codes));
  std::vector<std::string> facts;
  std::vector<std::string> all_codes;
  Task task;
  for (std::size_t i = 0; i < things.size(); ++i) {
    const auto code = text(random.with_digits(5));
    all_codes.push_back(code);
    facts.push_back(
        say(random, kNeedleFact, {{"c", things[i].first}, {"o", things[i].second}, {"n", code}}));
    if (i == wanted) {
      task.answer = code;
    } else {
      task.rivals.push_back(code);
    }
  }
  const auto report = among_filler(maker, facts, wanted_length(maker));
  task.question = phrase(
      maker, kNeedle, {{"t", report}, {"c", things[wanted].first}, {"o", things[wanted].second}});
  if (auto more = follow_up_maker(maker)) {
    for (std::size_t i = 0; i < things.size(); ++i) {
      if (i == wanted) continue;
      task.follow_ups.push_back(
          {say(more->random, kNextNeedle, {{"c", things[i].first}, {"o", things[i].second}}),
           all_codes[i]});
    }
    more->random.shuffle(task.follow_ups);
  }
  return task;
}

Task make_aggregate(Maker& maker) {
  Random& random = maker.random;
  const auto people = random.draw(kFirstNames, maker.by_level(2, 2, 3, 3));
  const auto goods = random.draw(kGoods, maker.by_level(1, 2, 2, 2));
  const int deliveries = maker.by_level(3, 6, 12, 20);
  const auto person = people[0];
  const auto good = goods[0];
  std::vector<std::string> facts;
  struct Total {
    std::vector<std::string> steps = {};
    int sum = 0;
  };
  std::map<std::pair<std::string_view, std::string_view>, Total> totals;  // by person and good
  for (int i = 0; i < deliveries; ++i) {
    const auto who = i == 0 ? person : random.pick(people);
    const auto what = i == 0 ? good : random.pick(goods);
    const auto day = random.pick(kWeekdays);
    const int n = random.between(2, maker.by_level(9, 20, 50, 99));
    facts.push_back(say(random, kBrought, {{"d", day}, {"p", who}, {"n", text(n)}, {"g", what}}));
    auto& [steps, sum] = totals[{who, what}];
    steps.push_back(text(sum, " + ", n, " = ", sum + n));
    sum += n;
  }
  const auto log = among_filler(maker, facts, wanted_length(maker));
  const auto& asked = totals[{person, good}];
  Task task{.question = phrase(maker, kHowMuch, {{"t", log}, {"g", good}, {"p", person}}),
            .answer = text(asked.sum),
            .steps = asked.steps,
            .check = "numeric"};
  if (auto more = follow_up_maker(maker)) {
    for (const auto& [of, total] : totals) {
      if (of == std::pair(person, good)) continue;
      task.follow_ups.push_back(
          {say(more->random, kNextHowMuch, {{"p", of.first}, {"g", of.second}}),
           full_answer(total.steps, text(total.sum))});
    }
    more->random.shuffle(task.follow_ups);
  }
  return task;
}

}  // namespace lichen::eval::tasks
