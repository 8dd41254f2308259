// Times of day, time zones, and units of measure.
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kLater[] = {
    "It is {t}. What time is it in {d}?",
    "What time is it {d} after {t}?",
    "Add {d} to {t}.",
    "A film starts at {t} and lasts {d}. When does it end?",
    "The bus leaves at {t}. It needs {d}. At what time does it come?",
    "If the bus leaves at {t} and needs {d}, when does it arrive?",
    "A bus needs {d} and leaves at {t}. [Tell me|Say] when it will come.",
    "{name} starts to read at {t} and reads for {d}. At what time does {name} stop?",
    "{name} works for {d}, starting at {t}. When does the work stop?",
    "If {name} works for {d} from {t} on, when does {name} stop?",
    "A lesson lasts {d}. If it starts at {t}, when does it end?",
    "Which time do you get for {t} plus {d}?",
    "Now it is {t}. Which time will it be {d} later?",
    "[Tell me|Give me] the time {d} later than {t}.",
    "I need the time {d} later than {t}.",
    "[Give|Say] the time: {t} plus {d}.",
    "It is {t} now. [Say|Tell me] what time it is {d} from now.",
    "If {name} leaves at {t} and walks for {d}, when does the walk end?",
    "The film starts at {t} and ends {d} later. At what time is that?",
    "Start at {t} and go {d} on. What time is it then?",
    "The bus leaves at {t} and needs {d}. When does it come?",
    "{name} starts at {t} and works for {d}. When does {name} stop?",
    "Which time is {d} later than {t}?",
    "{t} plus {d} is what time?",
    "If it is {t} now, what time is it {d} later?",
    "The film lasts {d} and starts at {t}. At what time does it end?"};
constexpr std::string_view kEarlier[] = {
    "It is {t}. What time was it {d} ago?",
    "What time is it {d} before {t}?",
    "Take {d} away from {t}. What time is that?",
    "From {t}, take {d}. [Give|Say] the time.",
    "A [film|concert] ended at {t} and had lasted {d}. When did it start?",
    "The film took {d} and ended at {t}. At what time did it start?",
    "After {d} of work, {name} stopped at {t}. When did {name} start?",
    "The bus came at {t} after {d}. At what time did it leave?",
    "The bus needed {d} and came at {t}. [Tell me|Say] when it left.",
    "{name} came home at {t} and needed {d} for the way. When did {name} leave?",
    "Which time do you get for {t} minus {d}?",
    "[Give|Tell me] the time {d} earlier than {t}.",
    "I need the time {d} earlier than {t}.",
    "Now it is {t}. Which time was it {d} earlier?",
    "It is {t} now. [Say|Tell me] what time it was {d} ago.",
    "If the time now is {t}, what was it {d} ago?",
    "[Give|Say] the time: {t} minus {d}.",
    "Go back {d} from {t}. What time is it then?",
    "If a lesson ended at {t} and took {d}, when did it start?",
    "Take {d} from {t}.",
    "A film ended at {t} after {d}. When did it start?",
    "The bus came at {t} and needed {d}. When did it leave?",
    "Which time is {d} earlier than {t}?",
    "{t} minus {d} is what time?",
    "If it is {t} now, what time was it {d} earlier?"};
constexpr std::string_view kLasts[] = {
    "How long is it from {a} to {b}?",
    "How much time is there between {a} and {b}?",
    "{name} works from {a} to {b}. How long is that?",
    "If a train leaves at {a} and comes at {b}, how long is it on the way?",
    "The train leaves at {a}. It comes at {b}. [Tell me|Say] how long the ride takes.",
    "A bus leaves at {a} and is there at {b}. How much time does it need?",
    "How much time does the bus need from {a} to {b}?",
    "A film starts at {a} and is over at {b}. How much time does it take?",
    "A lesson starts at {a} and ends at {b}. How much time is that?",
    "How long does a film last if it starts at {a} and ends at {b}?",
    "A break begins at {a} and ends at {b}. How long does the break last?",
    "Give [the time|how long it is] between {a} and {b}.",
    "[Give me|Tell me] how much time it is from {a} to {b}.",
    "{name} leaves at {a} and is back at {b}. How long does the trip take?",
    "I need to know how long it is from {a} until {b}.",
    "Work out the time between {a} and {b}.",
    "{a} to {b}: how much time is that?",
    "From {a} on, how long do I wait until {b}?",
    "If it is {a} now, how long is it until {b}?",
    "The train leaves at {a} and comes at {b}. How long does it take?",
    "A film starts at {a} and ends at {b}. How long does it last?",
    "Give the time from {a} to {b}.",
    "From {a} to {b}, how long is it?",
    "The bus leaves at {a} and comes at {b}. How long does it need?",
    "How long does it last from {a} to {b}?"};
constexpr std::string_view kFlight[] = {
    "Clocks in {to} are {z} {ahead} those in {from}. A plane leaves {from} at {t} and flies {d}. "
    "What time is it in {to} when it lands?",
    "{to} is {z} {ahead} {from}. A flight from {from} at {t} takes {d}. When does it land, local "
    "time?",
    "{to} is {z} {ahead} {from}. A plane leaves {from} at {t} and flies for {d}. What is the "
    "local time when it lands in {to}?",
    "A plane leaves {from} at {t} and takes {d} to {to}. {to} is {z} {ahead} {from}. What does a "
    "clock in {to} show when it lands?",
    "A call from {from} to {to} starts at {t} in {from} and lasts {d}. {to} is {z} {ahead} "
    "{from}. When does it end, in {to} time?",
    "{to} is {z} {ahead} {from}. A call starts at {t} in {from} and ends after {d}. What time is "
    "it in {to} then?",
    "In {from} it is {t}. Clocks in {to} are {z} {ahead} those in {from}. What does the clock in "
    "{to} show {d} later?",
    "{name} starts in {from} at {t} and travels for {d} to {to}, where clocks are {z} {ahead} "
    "{from}. Local time at the end?",
    "I start in {from} at {t}. {to} is {z} {ahead} {from}. What is the time in {to} {d} later?",
    "A film starts at {t} in {from} and ends {d} later. {to} is {z} {ahead} {from}. What time is "
    "it then in {to}?",
    "{name} needs {d} to get from {from} to {to}, which is {z} {ahead} {from}. {name} leaves "
    "{from} at {t}. When does {name} land, local time?",
    "A trip to {to} needs {d}. It starts in {from} at {t}, and {to} is {z} {ahead} {from}. "
    "[Give|Tell me] the local time in {to} when it ends.",
    "I need the local time in {to}, which is {z} {ahead} {from}, when a flight that leaves {from} "
    "at {t} and takes {d} lands.",
    "Work out what the clocks in {to} show: a plane leaves {from} at {t} and lands there {d} "
    "later. {to} is {z} {ahead} {from}.",
    "A game in {from} starts at {t} and lasts {d}. {name} sees it in {to}, where clocks are {z} "
    "{ahead} {from}. When does it end there?",
    "Clocks in {to} are {z} {ahead} those in {from}. When it is {t} in {from}, {name} starts to "
    "work for {d}. What time is it in {to} at the end?",
    "A plane leaves {from} at {t}, flies for {d} and lands in {to}, where clocks are {z} {ahead} "
    "{from}. Local time then?",
    "A call starts at {t} in {from} and lasts {d}. Clocks in {to} are {z} {ahead} those in "
    "{from}. When does it end in {to}?",
    "{name} leaves {from} at {t} and needs {d} to {to}, which is {z} {ahead} {from}. What does "
    "the clock in {to} show then?",
    "A flight leaves {from} at {t} and takes {d}. Clocks in {to} are {z} {ahead} {from}. What is "
    "the local time in {to} when it lands?",
    "It is {t} in {from}. {to} is {z} {ahead} {from}. What time is it in {to} {d} later?",
    "A call from {from} starts at {t} and lasts {d}. {to} is {z} {ahead} {from}. What time is it "
    "in {to} when it ends?"};

constexpr std::string_view kConvert[] = {
    "How many {to} are {n}?",
    "Convert {n} to {to}.",
    "{n} in {to}?",
    "What is {n} in {to}?",
    "Express this in {to}: {n}",
    "Please express {n} as {to}.",
    "How many {to} are there if you have {n}?",
    "There are {n}. How many {to} is that?",
    "Change this into {to}: {n}",
    "If you change {n} into {to}, [how many do you get|what do you get]?",
    "[Tell me|Say] how many {to} {n} are.",
    "Give me {n} as {to}.",
    "Give the number of {to} in {n}.",
    "I need {n} in {to}, please.",
    "{n}: how many {to} is [it|that]?",
    "What are {n} if you write them in {to}?",
    "I have {n}. What are they in {to}?",
    "What number of {to} is the same as {n}?",
    "Work out how many {to} there are in {n}.",
    "Write {n} in {to}.",
    "Express {n} in {to}.",
    "How many {to} are there in {n}?",
    "Change {n} into {to}.",
    "Give {n} in {to}.",
    "How many {to} is {n}?",
    "What are {n} in {to}?"};
constexpr std::string_view kSumUp[] = {"Add {list}. Give the sum in {to}.",
                                       "What is the total of {list} in {to}?",
                                       "Taken together, how many {to} are {list}?",
                                       "Put {list} together. How many {to} [do you get|is that]?",
                                       "Sum up {list} and [give|say] the result in {to}.",
                                       "Sum these up and give {to}: {list}.",
                                       "In {to}, what is the sum of {list}?",
                                       "How many {to} do you get if you add up {list}?",
                                       "Add up {list} and write the total in {to}.",
                                       "I need the total in {to}: {list}.",
                                       "If there are {list}, how many {to} are there in all?",
                                       "There are {list}. How many {to} is the total?",
                                       "[Tell me|Give me] the sum of {list} as {to}.",
                                       "{list}: what is the total in {to}?",
                                       "I have {list}. How many {to} is that together?",
                                       "How much is it in all, in {to}: {list}?",
                                       "Work out the total of {list} and write it in {to}.",
                                       "How many {to} are {list} together?",
                                       "Sum up in {to}: {list}.",
                                       "{list}: how many {to} is that in all?",
                                       "Give the total of {list} in {to}.",
                                       "Add up {list}. How many {to} are there?",
                                       "How many {to} is the sum of {list}?"};

std::string clock(int minutes) {
  const int of_day = (minutes % 1'440 + 1'440) % 1'440;
  return text(padded(of_day / 60, 2), ":", padded(of_day % 60, 2));
}

std::string duration(int minutes) {
  if (minutes % 60 == 0) return text(minutes / 60, minutes == 60 ? " hour" : " hours");
  if (minutes < 60) return text(minutes, " minutes");
  return text(minutes / 60, " h ", minutes % 60, " min");
}

/// Hours, then minutes.
std::vector<std::string> clock_steps(int start, int change) {
  const char sign = change < 0 ? '-' : '+';
  const int size = change < 0 ? -change : change;
  std::vector<std::string> steps;
  const int hours = size / 60 * (change < 0 ? -60 : 60);
  if (hours != 0)
    steps.push_back(text(clock(start), " ", sign, " ", size / 60, " h = ", clock(start + hours)));
  if (size % 60 != 0) {
    steps.push_back(
        text(clock(start + hours), " ", sign, " ", size % 60, " min = ", clock(start + change)));
  }
  return steps;
}

std::vector<std::string> clock_misses(int minutes) {
  return {clock(minutes + 60), clock(minutes - 60), clock(minutes + 10)};
}

Task flight(Maker& maker) {
  Random& random = maker.random;
  const int start = random.below(288) * 5;
  const int length = random.between(12, 160) * 5;
  const int zone = random.between(1, 11);
  const bool ahead = random.chance(50);
  const auto cities = random.draw(kCities, 2);
  const int end = start + length + (ahead ? zone * 60 : -zone * 60);
  Task task{.question = phrase(maker, kFlight,
                               {{"from", cities[0]},
                                {"to", cities[1]},
                                {"name", first_name(random)},
                                {"z", duration(zone * 60)},
                                {"ahead", ahead ? "ahead of" : "behind"},
                                {"t", clock(start)},
                                {"d", duration(length)}}),
            .answer = clock(end),
            .steps = clock_steps(start, length),
            .rivals = clock_misses(end)};
  for (auto& step : clock_steps(start + length, end - start - length)) {
    task.steps.push_back(std::move(step));
  }
  task.rivals.push_back(clock(start + length + (ahead ? -zone * 60 : zone * 60)));
  return task;
}

struct Unit {
  std::string_view name;
  int size;  // of the next smaller one in its list
};
/// From large to small; `size` says how many of the next make one.
using Measure = std::vector<Unit>;

const std::vector<Measure>& measures() {
  static const std::vector<Measure> kMeasures = {
      {{"kilometres", 1'000}, {"metres", 100}, {"centimetres", 10}, {"millimetres", 1}},
      {{"tonnes", 1'000}, {"kilograms", 1'000}, {"grams", 1'000}, {"milligrams", 1}},
      {{"litres", 10}, {"decilitres", 10}, {"centilitres", 10}, {"millilitres", 1}},
      {{"weeks", 7}, {"days", 24}, {"hours", 60}, {"minutes", 60}, {"seconds", 1}},
      {{"yards", 3}, {"feet", 12}, {"inches", 1}},
      {{"gallons", 4}, {"quarts", 2}, {"pints", 1}},
      {{"pounds", 16}, {"ounces", 1}},
      {{"euros", 100}, {"cents", 1}}};
  return kMeasures;
}

}  // namespace

Task make_clock(Maker& maker) {
  Random& random = maker.random;
  if (maker.level == 4) return flight(maker);
  const int start = maker.level == 1 ? random.between(72, 179) * 5
                                     : random.below(maker.level == 2 ? 1'200 : 1'440);
  const int length = maker.level == 1   ? random.between(1, 8) * 60
                     : maker.level == 2 ? random.between(5, 180)
                                        : random.between(100, 900);
  const int kind = maker.level == 1 ? 0 : random.below(3);
  const auto& name = first_name(random);
  if (kind == 2) {
    Task task{
        .question = phrase(maker, kLasts,
                           {{"a", clock(start)}, {"b", clock(start + length)}, {"name", name}}),
        .answer = duration(length),
        .rivals = {duration(length + 60), duration(length + 10)}};
    if (maker.level == 3) task.steps = clock_steps(start, length);
    return task;
  }
  const int change = kind == 0 ? length : -length;
  Task task{.question = phrase(maker, kind == 0 ? Phrasings(kLater) : Phrasings(kEarlier),
                               {{"t", clock(start)}, {"d", duration(length)}, {"name", name}}),
            .answer = clock(start + change),
            .rivals = clock_misses(start + change)};
  if (maker.level == 3) task.steps = clock_steps(start, change);
  return task;
}

Task make_units(Maker& maker) {
  Random& random = maker.random;
  const Measure& measure = random.pick(measures());
  const int last = static_cast<int>(measure.size()) - 1;
  const int from = random.below(last);
  const auto unit = [&](int index) { return measure[static_cast<std::size_t>(index)]; };
  Task task;
  task.check = "numeric";
  if (maker.level <= 2) {
    const int to = maker.level == 1 ? from + 1 : std::min(last, from + 2);
    std::int64_t factor = 1;
    for (int i = from; i < to; ++i) factor *= unit(i).size;
    const std::int64_t n = random.between(2, maker.level == 1 ? 12 : 60);
    const bool down = maker.level == 1 || random.chance(60);
    const auto shown = text(down ? n : n * factor, " ", unit(down ? from : to).name);
    task.question = phrase(maker, kConvert, {{"n", shown}, {"to", unit(down ? to : from).name}});
    task.answer = text(down ? n * factor : n);
    return task;
  }
  // Mixed amounts: everything into the smaller unit, part by part.
  const int to = from + 1;
  const std::int64_t factor = unit(from).size;
  const int amounts = maker.level == 3 ? 1 : random.between(3, 4);
  std::vector<std::string> list;
  std::int64_t total = 0;
  for (int i = 0; i < amounts; ++i) {
    const std::int64_t large = random.between(2, 29);
    const int most = std::min(static_cast<int>(factor) - 1, 99);
    const std::int64_t small = random.between(std::min(2, most), most);
    list.push_back(text(large, " ", unit(from).name, " ", small, " ", unit(to).name));
    task.steps.push_back(text(large, " * ", factor, " = ", large * factor));
    task.steps.push_back(text(large * factor, " + ", small, " = ", large * factor + small));
    if (total > 0) {
      task.steps.push_back(
          text(total, " + ", large * factor + small, " = ", total + large * factor + small));
    }
    total += large * factor + small;
  }
  task.question = maker.level == 3
                      ? phrase(maker, kConvert, {{"n", list[0]}, {"to", unit(to).name}})
                      : phrase(maker, kSumUp, {{"list", join(list)}, {"to", unit(to).name}});
  task.answer = text(total);
  return task;
}

}  // namespace lichen::eval::tasks
