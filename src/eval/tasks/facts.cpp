// Facts of the made-up world: nothing in the prompt gives them, and nothing shows how rare they
// are.
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/world.h"

namespace lichen::eval::tasks {
namespace {

/// Frames for all attributes; each attribute has questions of its own beside them.
constexpr std::string_view kFrames[] = {"What is the {a} of {e}?",
                                        "[Give|Name] the {a} of {e}.",
                                        "{e}: {a}?",
                                        "I need the {a} of {e}.",
                                        "Do you know the {a} of {e}?",
                                        "Which {a} does {e} have?",
                                        "Question about {e}: what is the {a}?",
                                        "Look up the {a} of {e}.",
                                        "What {a} does {e} have?",
                                        "[Tell me|Say] the {a} of {e}.",
                                        "About {e}: which {a}?",
                                        "Can you give the {a} of {e}?"};

constexpr std::string_view kChain[] = {"In which region is the town where {e} was born?",
                                       "Which region was {e} born in?",
                                       "{e} was born in a town. In which region is it?",
                                       "Give the region of the birthplace of {e}.",
                                       "What is the region of the town in which {e} was born?",
                                       "Where, by region, was {e} born?",
                                       "The birthplace of {e} is in which region?",
                                       "In what region is the birthplace of {e}?"};
constexpr std::string_view kChainFounder[] = {"Who founded the town where {e} was born?",
                                              "{e} was born in a town. Who founded it?",
                                              "Give the founder of the birthplace of {e}.",
                                              "By whom was the town founded in which {e} was born?",
                                              "What is the founder of the town where {e} was born?",
                                              "Name who founded the birthplace of {e}.",
                                              "The birthplace of {e} was founded by whom?",
                                              "Which person founded the birthplace of {e}?"};
constexpr std::string_view kChainKnown[] = {
    "What is the town known for where {e} was born?",
    "{e} was born in a town. What is it known for?",
    "Give the speciality of the birthplace of {e}.",
    "For what is the town known in which {e} was born?",
    "What is the speciality of the town where {e} was born?",
    "Name what the birthplace of {e} is known for.",
    "The birthplace of {e} is known for what?",
    "What is the birthplace of {e} known for?"};
constexpr std::string_view kOlder[] = {
    "Who was born first, {a} or {b}?",        "Who is older, {a} or {b}?",
    "Of {a} and {b}, who was born first?",    "{a} and {b}: who is older?",
    "Which of the two is older, {a} or {b}?", "Was {a} born before {b}? Name the older one.",
    "Of {a} and {b}, who is older?",          "Which one was born first, {a} or {b}?"};
constexpr std::string_view kDearer[] = {
    "Which costs more, the {a} or the {b}?",     "Which is dearer, the {a} or the {b}?",
    "Of the {a} and the {b}, which costs more?", "The {a} and the {b}: which is dearer?",
    "Name the dearer one: {a} or {b}?",          "Is the {a} dearer than the {b}? Name the dearer.",
    "Of the {a} and the {b}, which is dearer?",  "Which one costs more, the {a} or the {b}?"};

const Entity& town_named(std::string_view name) {
  for (const Entity& entity : world()) {
    if (entity.name == name) return entity;
  }
  return world().front();
}

std::string stated(Random& random, const Entity& entity, std::size_t attribute) {
  auto sentence = fill(random, attributes(entity.kind)[attribute].sentence,
                       {{"e", entity.name}, {"v", entity.values[attribute]}});
  sentence.pop_back();  // steps have no full stop
  return sentence;
}

/// Two of a kind, compared by a number that must be known of both.
Task compare(Maker& maker, Kind kind, std::size_t attribute, bool wants_larger,
             Phrasings phrasings) {
  const Entity& a = random_entity(maker, kind);
  const Entity* b = &random_entity(maker, kind);
  while (b->values[attribute] == a.values[attribute]) b = &random_entity(maker, kind);
  const bool a_larger = std::stoi(a.values[attribute]) > std::stoi(b->values[attribute]);
  const Entity& answer = a_larger == wants_larger ? a : *b;
  return {.question = phrase(maker, phrasings, {{"a", a.name}, {"b", b->name}}),
          .answer = answer.name,
          .steps = {stated(maker.random, a, attribute), stated(maker.random, *b, attribute)},
          .rivals = {&answer == &a ? b->name : a.name}};
}

}  // namespace

Task make_fact(Maker& maker) {
  Random& random = maker.random;
  const Entity& entity = random_entity(maker);
  const auto at = static_cast<std::size_t>(random.below(4));
  const Attribute& attribute = attributes(entity.kind)[at];
  const auto phrasings = random.chance(50) ? Phrasings(kFrames) : attribute.questions;
  return {.question = phrase(maker, phrasings, {{"a", attribute.noun}, {"e", entity.name}}),
          .answer = entity.values[at],
          .rivals = other_values(random, entity.kind, at, entity.values[at])};
}

Task make_fact_chain(Maker& maker) {
  Random& random = maker.random;
  const int kind = random.below(5);
  if (kind == 0) return compare(maker, Kind::person, 1, false, kOlder);
  if (kind == 1) return compare(maker, Kind::product, 2, true, kDearer);
  constexpr struct {
    std::size_t attribute;
    Phrasings phrasings;
  } kHops[] = {{1, kChain}, {0, kChainFounder}, {3, kChainKnown}};
  const auto& [attribute, phrasings] = kHops[kind - 2];
  const Entity& person = random_entity(maker, Kind::person);
  const Entity& town = town_named(person.values[0]);
  return {.question = phrase(maker, phrasings, {{"e", person.name}}),
          .answer = town.values[attribute],
          .steps = {stated(random, person, 0), stated(random, town, attribute)},
          .rivals = other_values(random, Kind::town, attribute, town.values[attribute])};
}

}  // namespace lichen::eval::tasks
