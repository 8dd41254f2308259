// Facts of the made-up world: nothing in the prompt gives them, and nothing shows how rare they
// are.
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/world.h"

namespace lichen::eval::tasks {
namespace {

/// Frames for all attributes; each attribute has questions of its own beside them.
constexpr std::string_view kFrames[] = {
    "What is the {a} of {e}?",
    "Name the {a} of {e}.",
    "{e}: {a}?",
    "I need the {a} of {e}.",
    "Do you know the {a} of {e}?",
    "Which {a} does {e} have?",
    "What {a} does {e} have?",
    "Can you [tell me|say] what the {a} of {e} is?",
    "Tell me which {a} {e} has.",
    "A question about {e}: can you name the {a}?",
    "I have a question: [what|which] is the {a} of {e}?",
    "Look up {e} and [give|say] the {a}.",
    "I want to know about {e}. What is the {a}?",
    "About {e}: I need the {a}.",
    "What does {e} have as {a}?",
    "Which {a} do you have for {e}?",
    "If you know {e}, [tell me|give] the {a}.",
    "The {a} of {e}, please.",
    "What is {e}'s {a}?",
    "Please look up {e}. What is the {a}?",
    "Can you look up the {a} of {e}?",
    "Question about {e}: what is the {a}?",
    "Look up the {a} of {e}.",
    "[Tell me|Say] the {a} of {e}.",
    "About {e}: which {a}?",
    "Can you give the {a} of {e}?",
};

constexpr std::string_view kChain[] = {
    "In which region is the town where {e} was born?",
    "Which region was {e} born in?",
    "Think of the town where {e} was born. In which region is it?",
    "Find the town in which {e} was born and give its region.",
    "Give the region where {e} was born.",
    "Where is the town in which {e} was born? Name the region.",
    "Going by region, where is the birthplace of {e}?",
    "By region, where is the town where {e} was born?",
    "What region is the birthplace of {e} in?",
    "In what region [was {e} born|is the town where {e} was born]?",
    "The region of the birthplace of {e}, please.",
    "{e}: what is the region of the birthplace?",
    "I need the region of the town where {e} was born.",
    "[Tell me|Say] in which region {e} was born.",
    "If a town is the birthplace of {e}, what is its region?",
    "The town in which {e} was born is in which region?",
    "Do you know the region in which {e} was born?",
    "A town is the birthplace of {e}. Which region is it in?",
    "{e} was born in a town. In which region is it?",
    "Give the region of the birthplace of {e}.",
    "What is the region of the town in which {e} was born?",
    "Where, by region, was {e} born?",
    "The birthplace of {e} is in which region?",
    "In what region is the birthplace of {e}?",
};
constexpr std::string_view kChainFounder[] = {
    "Who founded the town where {e} was born?",
    "{e} was born in a town. Who founded it?",
    "Name the founder of the town where {e} was born.",
    "By whom was the birthplace of {e} founded?",
    "Which person founded the town in which {e} was born?",
    "Give the person who founded the town where {e} was born.",
    "The town where {e} was born was founded by whom?",
    "What is the name of the founder of the birthplace of {e}?",
    "What was the founder of the town called in which {e} was born?",
    "Take the birthplace of {e}. Which person [founded it|was its founder]?",
    "The founder of the birthplace of {e}, please.",
    "{e}: founder of the birthplace?",
    "I need the founder of the town in which {e} was born.",
    "[Tell me|Say] who founded the birthplace of {e}.",
    "If you know where {e} was born, name who founded the town.",
    "Find the birthplace of {e} and give its founder.",
    "A town is the birthplace of {e}. By whom was it founded?",
    "Do you know who founded the town where {e} was born?",
    "Give the founder of the birthplace of {e}.",
    "By whom was the town founded in which {e} was born?",
    "What is the founder of the town where {e} was born?",
    "Name who founded the birthplace of {e}.",
    "The birthplace of {e} was founded by whom?",
    "Which person founded the birthplace of {e}?",
};
constexpr std::string_view kChainKnown[] = {
    "What is the town known for where {e} was born?",
    "{e} was born in a town. What is it known for?",
    "Name the speciality of the town where {e} was born.",
    "For what is the birthplace of {e} known?",
    "Give what the town is known for in which {e} was born.",
    "The town where {e} was born is known for what?",
    "What is the speciality of {e}'s birthplace?",
    "Take the birthplace of {e}. What is its speciality?",
    "The speciality of the birthplace of {e}, please.",
    "{e}: speciality of the birthplace?",
    "I need the speciality of the town in which {e} was born.",
    "[Tell me|Say] what the birthplace of {e} is known for.",
    "If you know where {e} was born, name what the town is known for.",
    "Find the birthplace of {e} and give its speciality.",
    "A town is the birthplace of {e}. For what is it known?",
    "Do you know what the town is known for where {e} was born?",
    "Which speciality does the birthplace of {e} have?",
    "{e} has a birthplace. What is that town known for?",
    "Give the speciality of the birthplace of {e}.",
    "For what is the town known in which {e} was born?",
    "What is the speciality of the town where {e} was born?",
    "Name what the birthplace of {e} is known for.",
    "The birthplace of {e} is known for what?",
    "What is the birthplace of {e} known for?",
};
constexpr std::string_view kOlder[] = {
    "Who was born first, {a} or {b}?",
    "Who is older, {a} or {b}?",
    "Name the older one of {a} and {b}.",
    "[Tell me|Say] who is older, {a} or {b}.",
    "Of these two, {a} and {b}, which one is older?",
    "Was {a} or {b} born before the other? Name that one.",
    "Which of {a} and {b} was born first?",
    "Who was born before the other, {a} or {b}?",
    "Take {a} and {b}. Who was born first?",
    "The older of {a} and {b}, please.",
    "{a} or {b}: which one is older?",
    "{a}, {b}: [name|give] the older.",
    "I need to know who is older: {a} or {b}.",
    "If {a} and {b} stand in order of birth, who comes first?",
    "Compare {a} with {b}: which of the two was born earlier?",
    "Two people: {a} and {b}. Who is the older one?",
    "Between {a} and {b}, who was born earlier?",
    "Is {a} older than {b}? Name the older of the two.",
    "Do you know who of {a} and {b} was born first?",
    "Of {a} and {b}, who was born first?",
    "{a} and {b}: who is older?",
    "Which of the two is older, {a} or {b}?",
    "Was {a} born before {b}? Name the older one.",
    "Of {a} and {b}, who is older?",
    "Which one was born first, {a} or {b}?",
};
constexpr std::string_view kDearer[] = {
    "Which costs more, the {a} or the {b}?",
    "Which is dearer, the {a} or the {b}?",
    "Which one is dearer: {a} or {b}?",
    "Name the dearer of the {a} and the {b}.",
    "Is the {a} or the {b} dearer? Name [it|the one].",
    "Does the {a} cost more than the {b}? Name the dearer one.",
    "[Tell me|Say] which one costs more: {a} or {b}.",
    "Of these two, which is dearer: the {a} or the {b}?",
    "Take the {a} and the {b}. Which costs more?",
    "Compare the {a} with the {b}: which is dearer?",
    "The dearer of {a} and {b}, please.",
    "{a} or {b}: which costs more?",
    "{a}, {b}: [give|name] the dearer one.",
    "I need to know which is dearer, {a} or {b}.",
    "If I buy the {a} or the {b}, for which do I pay more?",
    "Which has the higher price, the {a} or the {b}?",
    "Two products: {a} and {b}. Which one is dearer than the other?",
    "Between the {a} and the {b}, which costs more?",
    "Of {a} and {b}, which has the higher price?",
    "Of the {a} and the {b}, which costs more?",
    "The {a} and the {b}: which is dearer?",
    "Name the dearer one: {a} or {b}?",
    "Is the {a} dearer than the {b}? Name the dearer.",
    "Of the {a} and the {b}, which is dearer?",
    "Which one costs more, the {a} or the {b}?",
};

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
