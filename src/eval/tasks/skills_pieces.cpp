// Answers in pieces (outline, then one point at a time), and questions with words left out.
#include <algorithm>
#include <array>

#include "eval/tasks/families.h"
#include "eval/tasks/skills.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"
#include "eval/tasks/world.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kDescribe[] = {
    "Describe the {k} {e}.",
    "Write about the {k} {e}.",
    "Give a full description of the {k} {e}.",
    "Give me the facts about the {k} {e}.",
    "A portrait of the {k} {e}, please.",
    "Please write a portrait: the {k} {e}.",
    "I should know more about the {k} {e}: what can you tell me?",
    "What do I need to know of the {k} {e}?",
    "Write down all facts about the {k} {e}.",
    "Put down in words what you can say about the {k} {e}.",
    "Tell me what the {k} {e} is like.",
    "What should a text about the {k} {e} say?",
    "All you know about the {k} {e}:",
    "I want to know all about the {k} {e}.",
    "If I ask about the {k} {e}, what do you tell me?",
    "What is there to know about the {k} {e}?",
    "The {k} {e}: write all that you know.",
    "Can you describe the {k} {e} [for me|in words]?",
    "What do you know about the {k} {e}?",
    "Tell me all about the {k} {e}.",
    "Give a portrait of the {k} {e}.",
    "What should I know about the {k} {e}?",
    "Write down what you know about the {k} {e}.",
    "Tell me what you know of the {k} {e}."};
constexpr std::string_view kProfile[] = {"{f} Write a text about {e}.",
                                         "{f} Describe {e}.",
                                         "Use the facts to write about {e}. {f}",
                                         "{f} Use these notes to write a text about {e}.",
                                         "Give a description of {e} from this: {f}",
                                         "These are the facts: {f} Describe {e} with them.",
                                         "Here is what I know: {f} Give me a text about {e}.",
                                         "I need a portrait of {e}. Facts: {f}",
                                         "A portrait of {e}, please, from these notes: {f}",
                                         "Here are my notes. {f} Describe {e} in full sentences.",
                                         "What can you write about {e} from this? {f}",
                                         "If these are the facts, how do you describe {e}? {f}",
                                         "{f} Turn this into a text about {e}.",
                                         "Notes: {f} Text about {e}:",
                                         "Please describe {e}. This is what is known: {f}",
                                         "{f} Who is {e}? [Say|Tell] it in whole sentences.",
                                         "[Read|Take] the notes and tell me about {e}. {f}",
                                         "Facts: {f} Write about {e}.",
                                         "From these facts, describe {e}: {f}",
                                         "Write a portrait of {e}. {f}",
                                         "Use this to describe {e}. {f}",
                                         "Here are facts. {f} Write a text about {e}.",
                                         "{f} Give a portrait of {e}."};

/// What can be said of one subject, point by point.
struct Portrait {
  std::string question;
  std::vector<std::string> points;
  std::vector<std::string> sentences;
};

Portrait of_entity(Maker& maker) {
  const Entity& entity = random_entity(maker);
  Portrait portrait{
      .question = phrase(maker, kDescribe, {{"k", to_string(entity.kind)}, {"e", entity.name}}),
      .points = {},
      .sentences = {}};
  const auto known = attributes(entity.kind);
  for (std::size_t i = 0; i < known.size(); ++i) {
    portrait.points.emplace_back(known[i].noun);
    portrait.sentences.push_back(
        fill(maker.random, known[i].sentence, {{"e", entity.name}, {"v", entity.values[i]}}));
  }
  return portrait;
}

/// From facts that the question gives as notes: "age 34; city Rome".
Portrait from_notes(Maker& maker) {
  Random& random = maker.random;
  const auto name = first_name(random);
  const auto age = text(random.between(18, 90));
  struct Point {
    std::string_view name, value, sentence;
  };
  const Point all[] = {{"age", age, "{e} is {v} years old."},
                       {"city", random.pick(kCities), "{e} lives in {v}."},
                       {"pet", random.pick(kAnimals), "The pet of {e} is a {v}."},
                       {"favourite fruit", random.pick(kFruit), "{e} likes to eat {v}."},
                       {"favourite colour", random.pick(kColours), "{e} likes the colour {v}."},
                       {"hobby", random.pick(kGoods), "{e} collects {v}."},
                       {"free day", random.pick(kWeekdays), "{e} is free on {v}."},
                       {"office", random.pick(kRooms), "{e} works in the {v}."}};
  Portrait portrait;
  std::vector<std::string> notes;
  for (const auto& [point, value, sentence] : random.draw(all, maker.by_level(2, 3, 5, 7))) {
    notes.push_back(text(point, " ", value));
    portrait.points.emplace_back(point);
    portrait.sentences.push_back(fill(random, sentence, {{"e", name}, {"v", value}}));
  }
  portrait.question =
      phrase(maker, kProfile, {{"f", text(name, ": ", join(notes, "; "), ".")}, {"e", name}});
  return portrait;
}

Portrait random_portrait(Maker& maker) {
  return maker.random.chance(60) ? of_entity(maker) : from_notes(maker);
}

/// Words that can be left out with little harm.
constexpr std::array<std::string_view, 42> kLight = {
    "the",    "a",     "an",    "of",   "is",   "are", "to",   "in",   "and",     "it",  "that",
    "this",   "there", "for",   "from", "with", "has", "have", "does", "do",      "at",  "on",
    "by",     "was",   "were",  "then", "them", "all", "me",   "what", "which",   "how", "give",
    "please", "here",  "these", "read", "now",  "so",  "be",   "its",  "question"};

/// Every base here can still be answered without its light words.
using Make = Task (*)(Maker&);
constexpr Make kRobust[] = {make_fact,   make_fact_chain, make_table,        make_kinship,
                            make_needle, make_aggregate,  make_extract_json, make_shopping,
                            make_count,  make_statistics, make_sort};

std::string compressed(Random& random, std::string_view whole, int percent) {
  std::vector<std::string> lines;
  for (const auto line : split(whole, "\n")) {
    std::vector<std::string_view> kept;
    for (const auto word : split(line, " ")) {
      auto bare = lowercase(word);
      while (!bare.empty() && (bare.back() == ',' || bare.back() == ':')) bare.pop_back();
      const bool light = contains(kLight, bare);
      if (!light || !random.chance(percent)) kept.push_back(word);
    }
    lines.push_back(join(kept, " "));
  }
  return join(lines, "\n");
}

}  // namespace

Task make_outline(Maker& maker) {
  const auto portrait = random_portrait(maker);
  return {.question = asked_by("outline", {{"question", portrait.question}}),
          .answer = join(portrait.points, "\n"),
          .check = "lines"};
}

Task make_expand(Maker& maker) {
  const auto portrait = random_portrait(maker);
  const auto at =
      static_cast<std::size_t>(maker.random.below(static_cast<int>(portrait.points.size())));
  return {.question = asked_by("expand", {{"question", portrait.question},
                                          {"outline", join(portrait.points, "\n")},
                                          {"point", portrait.points[at]}}),
          .answer = portrait.sentences[at]};
}

Task make_compressed(Maker& maker) {
  Task task = maker.random.pick(kRobust)(maker);
  task.question = compressed(maker.random, task.question, maker.by_level(30, 50, 70, 85));
  return task;
}

}  // namespace lichen::eval::tasks
