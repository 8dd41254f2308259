#include "eval/tasks/world.h"

#include <set>

#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr int kEntities = 5'000;
constexpr std::uint64_t kWorldSeed = 7;

constexpr std::string_view kFounder[] = {
    "Who founded {e}?",
    "By whom was {e} founded?",
    "Which person was the founder of {e}?",
    "Name the person who founded {e}.",
    "[Tell me|Say] who founded {e}.",
    "Who was the founder of {e}?",
    "I need to know by whom {e} was founded.",
    "The town of {e} was founded by which person?",
    "Do you know who founded {e}?",
    "If {e} was founded by somebody, by whom? Say the name.",
    "{e}: who founded it?",
    "Name the founder of {e}.",
    "Say by whom {e} was founded.",
    "{e} was founded by whom?",
    "Which person founded {e}?",
};
constexpr std::string_view kRegion[] = {
    "In which region is {e}?",
    "Where is {e}?",
    "What region is {e} in?",
    "Which region does {e} lie in?",
    "What is the region where {e} lies?",
    "Name the region [in which {e} is|of {e}].",
    "[Tell me|Say] in which region {e} is.",
    "I need to know where {e} is: in which region is it?",
    "{e} lies in what region?",
    "If I go to {e}, which region am I in?",
    "Say where {e} is: which region is it?",
    "{e}: what region is it in?",
    "Say which region {e} is in.",
    "{e} is in which region?",
    "In what region is {e}?",
};
constexpr std::string_view kFounded[] = {
    "When was {e} founded?",
    "In which year was {e} founded?",
    "What was the year in which {e} was founded?",
    "Name the year when {e} was founded.",
    "[Tell me|Say] when {e} was founded.",
    "I need to know in what year {e} was founded.",
    "{e}: when was it founded?",
    "Do you know the year {e} was founded in?",
    "What year saw the founding of {e}?",
    "{e} was founded in which year?",
    "If you know when {e} was founded, say which year it was.",
    "Say in which year {e} was founded.",
    "Which year was {e} founded in?",
    "{e} was founded when?",
    "What year was {e} founded in?",
};
constexpr std::string_view kKnownFor[] = {
    "What is {e} known for?",
    "For what is {e} known?",
    "What is it that makes {e} known?",
    "Name the thing that {e} is known for.",
    "[Tell me|Say] what {e} is known for.",
    "I want to know for what {e} is known.",
    "{e}: what is it known for?",
    "Do you know what {e} is known for?",
    "If {e} is known at all, for what? Name it.",
    "What speciality is {e} known for?",
    "{e} is a town. Say what it is known for.",
    "Say for what {e} is known.",
    "Name what {e} is known for.",
    "{e} is known for what?",
    "What is it that {e} is known for?",
};
constexpr std::string_view kBirthplace[] = {
    "Where was {e} born?",
    "In which town was {e} born?",
    "{e} was born in a town. Say which one.",
    "Name the town where {e} was born.",
    "[Tell me|Say] where {e} was born.",
    "I need to know in which town {e} was born.",
    "{e}: which town is the birthplace?",
    "Do you know where {e} was born?",
    "Which town is the birthplace of {e}?",
    "{e} was born in which town?",
    "If you know the birthplace of {e}, name it.",
    "Say in which town {e} was born.",
    "Name the birthplace of {e}.",
    "{e} was born where?",
    "Which town was {e} born in?",
};
constexpr std::string_view kBorn[] = {
    "When was {e} born?",
    "In which year was {e} born?",
    "What was the year in which {e} was born?",
    "Name the year when {e} was born.",
    "[Tell me|Say] when {e} was born.",
    "I need to know in what year {e} was born.",
    "{e}: what is the year of birth?",
    "Do you know the year {e} was born in?",
    "Which year is the year of birth of {e}?",
    "{e} was born in which year?",
    "If you know when {e} was born, say which year it was.",
    "Say in which year {e} was born.",
    "Which year was {e} born in?",
    "{e} was born when?",
    "What year was {e} born in?",
};
constexpr std::string_view kWork[] = {
    "What does {e} work as?",
    "What is {e} by profession?",
    "[Tell me|Say] what {e} works as.",
    "Name the profession in which {e} works.",
    "What work does {e} have?",
    "Which profession does {e} have?",
    "I need to know what {e} works as.",
    "In what profession does {e} work?",
    "Do you know as what {e} works?",
    "If {e} goes to work, what is {e} then, by profession?",
    "{e} has a job. As what? Say the profession.",
    "What profession does {e} have?",
    "Say as what {e} works.",
    "{e} works as what?",
    "As what does {e} work?",
};
constexpr std::string_view kPlays[] = {
    "Which instrument does {e} play?",
    "What does {e} play?",
    "What is the instrument that {e} plays?",
    "Name the instrument {e} plays.",
    "[Tell me|Say] what {e} plays.",
    "I need to know which instrument {e} plays.",
    "On which instrument does {e} play?",
    "Do you know what instrument {e} plays?",
    "If {e} makes music, on what instrument is it?",
    "{e} plays what?",
    "What does {e} play in a band? Say the instrument.",
    "Say which instrument {e} plays.",
    "On what instrument does {e} play?",
    "{e} plays which instrument?",
    "What instrument does {e} play?",
};
constexpr std::string_view kMaker[] = {
    "Who makes the {e}?",
    "Which company makes the {e}?",
    "Name the company that makes the {e}.",
    "[Tell me|Say] who makes the {e}.",
    "I need to know by whom the {e} is made.",
    "By whom is the {e} made?",
    "The {e} is made by which company?",
    "What company makes the {e}?",
    "Do you know who makes the {e}?",
    "If I buy the {e}, who is the maker of it? Say the company.",
    "Which company is the maker of the {e}? Name it.",
    "Say which company makes the {e}.",
    "Name the maker of the {e}.",
    "The {e} is made by whom?",
    "By which company is the {e} made?",
};
constexpr std::string_view kMaterial[] = {
    "What is the {e} made of?",
    "Of what is the {e} made?",
    "Which material is the {e} made of?",
    "Name the material of the {e}.",
    "[Tell me|Say] what the {e} is made of.",
    "I need to know of what material the {e} is made.",
    "{e}: what is the material?",
    "Of which material is the {e}?",
    "Do you know what the {e} is made of?",
    "The {e} is made of which material?",
    "If I hold the {e}, what material do I feel? Say it.",
    "Say of what the {e} is made.",
    "What is the material of the {e}?",
    "The {e} is made of what?",
    "What material is the {e} made of?",
};
constexpr std::string_view kPrice[] = {
    "What does the {e} cost?",
    "How much is the {e}?",
    "[Tell me|Say] how much the {e} costs.",
    "Name the price of the {e}.",
    "I need to know what the {e} costs.",
    "{e}: how much does it cost?",
    "Do you know how much the {e} costs?",
    "If I buy the {e}, how much do I pay for it?",
    "What is the price of the {e}?",
    "How many coins does the {e} cost?",
    "What do I pay for the {e}? Say the price.",
    "Say what the {e} costs.",
    "How much do I pay for the {e}?",
    "The {e} costs how much?",
    "How much does the {e} cost?",
};
constexpr std::string_view kUse[] = {
    "What is the {e}?",
    "What kind of thing is the {e}?",
    "Which kind of thing is the {e}?",
    "What sort of product is the {e}?",
    "[Tell me|Say] what kind of thing the {e} is.",
    "I need to know what the {e} is.",
    "{e} is the name of a product. What kind of product is it?",
    "Name the sort of thing the {e} is.",
    "Do you know what the {e} is?",
    "What type of thing is the {e}? Say it.",
    "If I buy the {e}, what sort of thing do I get?",
    "Say what sort of thing the {e} is.",
    "What kind of product is the {e}?",
    "The {e} is what kind of thing?",
    "What sort of thing is the {e}?",
};

constexpr Attribute kTown[] = {{"founder", "{e} was founded by {v}.", kFounder},
                               {"region", "{e} is in the {v}.", kRegion},
                               {"founding year", "{e} was founded in {v}.", kFounded},
                               {"speciality", "{e} is known for its {v}.", kKnownFor}};
constexpr Attribute kPerson[] = {{"birthplace", "{e} was born in {v}.", kBirthplace},
                                 {"birth year", "{e} was born in {v}.", kBorn},
                                 {"profession", "{e} works as a {v}.", kWork},
                                 {"instrument", "{e} plays the {v}.", kPlays}};
constexpr Attribute kProduct[] = {{"maker", "The {e} is made by {v}.", kMaker},
                                  {"material", "The {e} is made of {v}.", kMaterial},
                                  {"price", "The {e} costs {v} coins.", kPrice},
                                  {"type", "The {e} is a {v}.", kUse}};

constexpr std::string_view kRegions[] = {"north",      "south",      "east",      "west",
                                         "north-east", "south-west", "highlands", "islands"};
constexpr std::string_view kSpecialities[] = {
    "cheese",  "bells",  "glass",  "honey",   "roses", "wool",    "salt",  "bridges",
    "wine",    "boats",  "clocks", "bread",   "silk",  "horses",  "tea",   "towers",
    "violins", "paper",  "music",  "lace",    "ships", "carpets", "fairs", "mills",
    "gardens", "pearls", "copper", "candles", "books", "tiles"};
constexpr std::string_view kProfessions[] = {
    "baker",  "judge", "painter",  "doctor",  "sailor", "teacher",   "farmer", "weaver",
    "singer", "miner", "gardener", "printer", "lawyer", "builder",   "cook",   "tailor",
    "dancer", "pilot", "nurse",    "writer",  "smith",  "carpenter", "diver",  "guard"};
constexpr std::string_view kInstruments[] = {"violin", "flute",   "drum",  "harp",
                                             "piano",  "horn",    "cello", "guitar",
                                             "organ",  "trumpet", "lute",  "oboe"};
constexpr std::string_view kMaterials[] = {"oak",  "steel",  "glass", "copper",  "wool", "stone",
                                           "clay", "silver", "paper", "leather", "tin",  "rubber",
                                           "pine", "silk",   "brass", "cork"};
constexpr std::string_view kTypes[] = {"lamp", "chair", "clock",  "knife",   "kettle", "radio",
                                       "bag",  "table", "camera", "bicycle", "drill",  "mirror",
                                       "pump", "scale", "tent",   "boat"};

std::string new_name(Random& random, std::set<std::string>& taken, int syllables) {
  for (;;) {
    auto name = capitalized(invented_word(random, syllables));
    if (taken.insert(name).second) return name;
  }
}

std::vector<Entity> make_world() {
  Random random(kWorldSeed);
  std::set<std::string> taken;
  std::vector<std::string> companies;
  std::vector<std::string> towns;
  for (int i = 0; i < 60; ++i) companies.push_back(new_name(random, taken, 2));
  std::vector<Entity> entities;
  for (int rank = 0; rank < kEntities; ++rank) {
    // Two towns, a person, a product, and again: towns first, since people are born in them.
    Entity entity{.kind = rank % 4 < 2    ? Kind::town
                          : rank % 4 == 2 ? Kind::person
                                          : Kind::product,
                  .name = new_name(random, taken, random.between(2, 3)),
                  .values = {}};
    auto& values = entity.values;
    switch (entity.kind) {
      case Kind::town:
        values[0] = capitalized(invented_word(random, 2));
        values[1] = random.pick(kRegions);
        values[2] = text(random.between(1'000, 1'899));
        values[3] = random.pick(kSpecialities);
        towns.push_back(entity.name);
        break;
      case Kind::person:
        entity.name += " " + capitalized(invented_word(random, 2));
        values[0] =
            towns[towns.size() - 1 -
                  static_cast<std::size_t>(random.below(static_cast<int>(towns.size() + 1) / 2))];
        values[1] = text(random.between(1'900, 1'999));
        values[2] = random.pick(kProfessions);
        values[3] = random.pick(kInstruments);
        break;
      case Kind::product:
        entity.name += text(" ", random.between(1, 9) * 100);
        values[0] = random.pick(companies);
        values[1] = random.pick(kMaterials);
        values[2] = text(random.between(11, 990));
        values[3] = random.pick(kTypes);
        break;
    }
    entities.push_back(std::move(entity));
  }
  return entities;
}

}  // namespace

const std::vector<Entity>& world() {
  static const std::vector<Entity> kWorld = make_world();
  return kWorld;
}

std::span<const Attribute, 4> attributes(Kind kind) {
  return kind == Kind::town ? kTown : kind == Kind::person ? kPerson : kProduct;
}

std::string_view to_string(Kind kind) {
  return kind == Kind::town ? "town" : kind == Kind::person ? "person" : "product";
}

const Entity& random_entity(Maker& maker) {
  // Even over the levels, so an entity of the last one comes up a hundred times less often than one
  // of the first.
  const int first = maker.by_level(0, 40, 320, 1'500);
  const int end = maker.by_level(40, 320, 1'500, kEntities);
  return world()[static_cast<std::size_t>(maker.random.between(first, end - 1))];
}

const Entity& random_entity(Maker& maker, Kind kind) {
  for (;;) {
    const Entity& entity = random_entity(maker);
    if (entity.kind == kind) return entity;
  }
}

std::vector<std::string> other_values(Random& random, Kind kind, std::size_t attribute,
                                      std::string_view value) {
  std::vector<std::string> values;
  while (values.size() < 3) {
    const Entity& entity = random.pick(world());
    const auto& other = entity.values[attribute];
    if (entity.kind == kind && other != value) values.push_back(other);
  }
  return values;
}

}  // namespace lichen::eval::tasks
