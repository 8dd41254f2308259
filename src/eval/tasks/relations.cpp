// Relations over several hops: families, orders, and where things have gone.
#include <algorithm>
#include <map>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kWhoIs[] = {
    "{facts} Who is {rel}?",
    "Given: {facts} Who is {rel}?",
    "{facts} Question: who is {rel}?",
    "Read this. {facts} Who is {rel}?",
    "{facts} Name {rel}.",
    "[Tell me|Say] who {rel} is. {facts}",
    "{facts} Can you [tell me|say] who {rel} is?",
    "Can you work out who {rel} is? {facts}",
    "Given these facts, name {rel}. {facts}",
    "Here are the facts: {facts} Name {rel}.",
    "Here are some facts about people. {facts} Can you say who {rel} is?",
    "These are the facts. {facts} [Tell me|Say] the name of {rel}.",
    "{facts} I need the name of {rel}.",
    "I need to know who {rel} is. {facts}",
    "If all this is true, who is {rel}? {facts}",
    "{facts} From some of these facts, find {rel}.",
    "Find {rel}. {facts}",
    "{facts} The name of {rel}, please.",
    "{facts} What is the name of {rel}?",
    "Question: who is {rel}? {facts}",
    "{facts} [Tell me|Say] who {rel} is.",
    "Who is {rel}? {facts}",
    "Here are some facts. {facts} Who is {rel}?",
    "{facts} Can you name {rel}?",
    "Name {rel}. {facts}",
    "Given these facts, who is {rel}? {facts}",
};

constexpr std::string_view kPlaceInOrder[] = {
    "{facts} Who is the {s}?",
    "Given: {facts} Who is the {s}?",
    "{facts} Which of them is the {s}?",
    "Who is the {s}? {facts}",
    "[Tell me|Say] who the {s} is. {facts}",
    "{facts} Can you [tell me|say] which of them is the {s}?",
    "Read these facts and name the {s}. {facts}",
    "Read this and find the {s}: {facts}",
    "Given these facts, name the {s}. {facts}",
    "Here are the facts: {facts} Which person is the {s}?",
    "Here are some people. {facts} Name the {s} person.",
    "Some facts: {facts} So, who is the {s} of all?",
    "Question: which of them is the {s}? {facts}",
    "A question: {facts} Who of them is the {s}?",
    "{facts} I need the name of the {s}.",
    "I need to know who the {s} is. {facts}",
    "If all this is true, who is the {s}? {facts}",
    "{facts} From this, find the {s} of them.",
    "Find the {s}. {facts}",
    "{facts} The name of the {s}, please.",
    "Read this. {facts} Name the {s}.",
    "{facts} [Tell me|Say] who the {s} is.",
    "Here are some facts. {facts} Who is the {s}?",
    "{facts} Name the {s} of them.",
    "Given these facts, who is the {s}? {facts}",
    "{facts} Question: who is the {s}?",
};

constexpr std::string_view kWhereIs[] = {
    "{facts} Where is the {o}?",
    "{facts} Where is the {o} now?",
    "Read this. {facts} In which room is the {o}?",
    "{facts} In the end, where is the {o}?",
    "Where is the {o} at the end? {facts}",
    "[Tell me|Say] in which room the {o} is. {facts}",
    "Where is the {o} now? [Tell me|Say] the room. {facts}",
    "{facts} Say which room holds the {o} now.",
    "{facts} Can you tell me where to find the {o}?",
    "Where can I find the {o} now? {facts}",
    "What happens is this: {facts} Where is the {o} in the end?",
    "Here is a story. {facts} In which room can the {o} be found?",
    "Given what happens here, where is the {o}? {facts}",
    "Given this story, which room is the {o} in? {facts}",
    "In which room is the {o} to be found? {facts}",
    "{facts} Name the room the {o} is in.",
    "I need the {o}. Where is it? {facts}",
    "{facts} I am looking for the {o}. In which room is it?",
    "If all this happens, where is the {o} at the end? {facts}",
    "{facts} The {o} is in which room now?",
    "{facts} Where can the {o} be found?",
    "Here is what happens. {facts} Where is the {o}?",
    "{facts} Which room is the {o} in?",
    "Given: {facts} Where is the {o} now?",
    "{facts} [Tell me|Say] where the {o} is.",
    "Here is what happens. {facts} In which room is the {o} now?",
};

constexpr std::string_view kGoes[] = {" {n} goes to the {r}.", " {n} walks to the {r}.",
                                      " Then {n} goes to the {r}.", " {n} moves to the {r}.",
                                      " Now {n} goes to the {r}."};
constexpr std::string_view kTakes[] = {" {n} takes the {o}.", " {n} picks up the {o}.",
                                       " Then {n} takes the {o}.", " {n} gets the {o}.",
                                       " Now {n} takes the {o}."};
constexpr std::string_view kDrops[] = {" {n} puts down the {o}.", " {n} leaves the {o} there.",
                                       " {n} drops the {o}.", " Then {n} puts down the {o}.",
                                       " Now {n} drops the {o}."};
constexpr std::string_view kHands[] = {
    " {n} goes to the {r} and gives the {o} to {m}.", " In the {r}, {n} hands the {o} to {m}.",
    " {n} brings the {o} to {m} in the {r}.", " In the {r}, {n} gives the {o} to {m}."};

/// What somebody can be to somebody else, and what that makes the other: a woman's word and a
/// man's.
struct Relation {
  std::string_view woman, man;
  std::string_view other_woman = {}, other_man = {};  // empty: not put the other way round

  std::string_view of(std::string_view person) const { return is_woman(person) ? woman : man; }
  std::string_view back_from(std::string_view person) const {
    return is_woman(person) ? other_woman : other_man;
  }
};
constexpr Relation kRelations[] = {{"mother", "father", "daughter", "son"},
                                   {"sister", "brother"},
                                   {"aunt", "uncle", "niece", "nephew"},
                                   {"grandmother", "grandfather", "granddaughter", "grandson"},
                                   {"boss", "boss"},
                                   {"teacher", "teacher", "pupil", "pupil"},
                                   {"doctor", "doctor", "patient", "patient"},
                                   {"best friend", "best friend"},
                                   {"coach", "coach"},
                                   {"landlady", "landlord", "tenant", "tenant"}};

constexpr std::string_view kOrdinals[] = {"", "second ", "third "};
constexpr std::string_view kNextInOrder[] = {"And who is the {s}?", "Who is the {s}?",
                                             "Now name the {s}.", "Which of them is the {s}?"};
constexpr std::string_view kNextWhereIs[] = {
    "And the {o}?", "Where is the {o}?", "Now the {o}: where is it?", "In which room is the {o}?"};

std::string trace(const std::vector<std::string_view>& chain) { return join(chain, " > "); }

}  // namespace

Task make_kinship(Maker& maker) {
  Random& random = maker.random;
  const int hops = maker.by_level(1, 2, 3, 5);
  const int aside = maker.by_level(1, 2, 4, 7);
  const auto people = random.draw(kFirstNames, hops + 1 + aside);
  std::vector<std::string> facts;
  std::string asked(people[0]);
  Task task;
  // `who` is to `of` what the relation says.
  const auto fact = [&](std::string_view of, const Relation& relation, std::string_view who) {
    if (!relation.other_man.empty() && random.chance(50)) {
      facts.push_back(text(of, " is the ", relation.back_from(of), " of ", who, "."));
    } else if (random.chance(50)) {
      facts.push_back(text(who, " is the ", relation.of(who), " of ", of, "."));
    } else {
      facts.push_back(text("The ", relation.of(who), " of ", of, " is ", who, "."));
    }
  };
  for (int i = 0; i < hops; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Relation& relation = random.pick(kRelations);
    fact(people[at], relation, people[at + 1]);
    const auto word = relation.of(people[at + 1]);
    if (maker.level >= 3) {
      task.steps.push_back(text("The ", word, " of ", people[at], " is ", people[at + 1]));
    }
    asked = text("the ", word, " of ", asked);
  }
  // Others, whose relations lead nowhere near the answer.
  for (int i = 0; i < aside; ++i) {
    const auto at = static_cast<std::size_t>(hops + 1 + i);
    const auto before =
        i == 0 || random.chance(50) ? people[static_cast<std::size_t>(hops)] : people[at - 1];
    fact(people[at], random.pick(kRelations), before);
    task.rivals.emplace_back(people[at]);
  }
  if (maker.level >= 2) random.shuffle(facts);
  task.question = phrase(maker, kWhoIs, {{"facts", join(facts, " ")}, {"rel", asked}});
  task.answer = people[static_cast<std::size_t>(hops)];
  task.rivals.emplace_back(people[static_cast<std::size_t>(hops) - 1]);
  return task;
}

Task make_order(Maker& maker) {
  Random& random = maker.random;
  struct Scale {
    std::string_view more, less, most, least;
  };
  constexpr Scale kScales[] = {{"taller", "shorter", "tallest", "shortest"},
                               {"older", "younger", "oldest", "youngest"},
                               {"faster", "slower", "fastest", "slowest"},
                               {"richer", "poorer", "richest", "poorest"},
                               {"heavier", "lighter", "heaviest", "lightest"}};
  const Scale& scale = random.pick(kScales);
  const int count = maker.by_level(3, 4, 6, 9);
  const auto people = random.draw(kFirstNames, count);
  std::vector<std::string> facts;
  for (int i = 0; i + 1 < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    facts.push_back(random.chance(60)
                        ? text(people[at], " is ", scale.more, " than ", people[at + 1], ".")
                        : text(people[at + 1], " is ", scale.less, " than ", people[at], "."));
  }
  random.shuffle(facts);
  const bool from_top = random.chance(50);
  const int rank = maker.level == 1 ? 1 : random.between(1, std::min(3, count));
  const auto asked = text(kOrdinals[rank - 1], from_top ? scale.most : scale.least);
  const auto answer = people[static_cast<std::size_t>(from_top ? rank - 1 : count - rank)];
  Task task{.question = phrase(maker, kPlaceInOrder, {{"facts", join(facts, " ")}, {"s", asked}}),
            .answer = std::string(answer)};
  if (maker.level >= 2) {
    auto ordered = people;
    if (!from_top) std::ranges::reverse(ordered);
    task.steps = {trace(ordered)};
  }
  for (const auto person : people) {
    if (person != answer) task.rivals.emplace_back(person);
  }
  if (auto more = follow_up_maker(maker)) {
    auto ordered = people;
    for (const bool top : {true, false}) {
      for (int place = 1; place <= std::min(3, count); ++place) {
        if (top == from_top && place == rank) continue;
        const auto whom = text(kOrdinals[place - 1], top ? scale.most : scale.least);
        const auto who = ordered[static_cast<std::size_t>(place - 1)];
        task.follow_ups.push_back({say(more->random, kNextInOrder, {{"s", whom}}),
                                   full_answer(maker.level >= 2 ? std::vector{trace(ordered)}
                                                                : std::vector<std::string>{},
                                               who)});
      }
      std::ranges::reverse(ordered);
    }
    more->random.shuffle(task.follow_ups);
    task.follow_ups.resize(std::min<std::size_t>(3, task.follow_ups.size()));
  }
  return task;
}

/// Persons walk, take things along and hand them over; asks where one of the things is.
Task make_transfer(Maker& maker) {
  Random& random = maker.random;
  const int persons = maker.by_level(1, 2, 3, 4);
  const auto people = random.draw(kFirstNames, persons);
  const auto things = random.draw(kObjects, maker.by_level(1, 2, 2, 3));
  std::map<std::string_view, std::string_view> room_of;    // of persons
  std::map<std::string_view, std::string_view> holder_of;  // of things; empty: lies somewhere
  std::map<std::string_view, std::vector<std::string_view>> rooms_of_thing;
  std::string facts;
  for (const auto thing : things) {
    const auto room = random.pick(kRooms);
    facts += text(" The ", thing, " is in the ", room, ".");
    rooms_of_thing[thing] = {room};
    holder_of[thing] = {};
  }
  const auto tell = [&](Phrasings phrasings, std::string_view name, std::string_view room,
                        std::string_view thing, std::string_view other) {
    facts += say(maker.random, phrasings, {{"n", name}, {"r", room}, {"o", thing}, {"m", other}});
  };
  const auto walk = [&](std::string_view name, std::string_view room) {
    tell(kGoes, name, room, {}, {});
    room_of[name] = room;
    for (const auto thing : things) {
      if (holder_of[thing] == name && rooms_of_thing[thing].back() != room) {
        rooms_of_thing[thing].push_back(room);
      }
    }
  };
  const int events = maker.by_level(1, 3, 5, 9);
  for (int i = 0; i < events; ++i) {
    const auto name = random.pick(people);
    const auto thing = random.pick(things);
    const auto holder = holder_of[thing];
    if (holder.empty()) {
      if (room_of[name] != rooms_of_thing[thing].back()) walk(name, rooms_of_thing[thing].back());
      tell(kTakes, name, {}, thing, {});
      holder_of[thing] = name;
      walk(name, random.pick(kRooms));
    } else if (holder == name && random.chance(50)) {
      tell(kDrops, name, {}, thing, {});
      holder_of[thing] = {};
      if (maker.level >= 2) walk(name, random.pick(kRooms));
    } else if (holder == name) {
      walk(name, random.pick(kRooms));
    } else {
      const auto room = random.pick(kRooms);
      // The one who gives walks there with all that is carried; the other is there already.
      tell(kHands, holder, room, thing, name);
      room_of[holder] = room;
      room_of[name] = room;
      for (const auto carried : things) {
        const bool moves = holder_of[carried] == holder || holder_of[carried] == name;
        if (moves && rooms_of_thing[carried].back() != room)
          rooms_of_thing[carried].push_back(room);
      }
      holder_of[thing] = name;
    }
  }
  const auto asked = random.pick(things);
  const auto& rooms = rooms_of_thing[asked];
  Task task{.question = phrase(maker, kWhereIs, {{"facts", facts.substr(1)}, {"o", asked}}),
            .answer = std::string(rooms.back())};
  if (maker.level >= 2) task.steps = {trace(rooms)};
  for (const auto thing : things) {
    for (const auto room : rooms_of_thing[thing]) {
      if (room != rooms.back()) task.rivals.emplace_back(room);
    }
  }
  if (auto more = follow_up_maker(maker)) {
    for (const auto thing : things) {
      if (thing == asked) continue;
      const auto& way = rooms_of_thing[thing];
      task.follow_ups.push_back(
          {say(more->random, kNextWhereIs, {{"o", thing}}),
           full_answer(maker.level >= 2 ? std::vector{trace(way)} : std::vector<std::string>{},
                       way.back())});
    }
  }
  return task;
}

}  // namespace lichen::eval::tasks
