// Stories with numbers, worked step by step.
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kHowMany[] = {
    "How many {thing} does {name} have now?",
    "How many {thing} are there in the end?",
    "What is the number of {thing} that {name} has at the end?",
    "So how many {thing} does {name} have?",
    "Count how many {thing} {name} has got now.",
    "Count the {thing} that are left with {name}.",
    "How many {thing} has {name} got [now|then]?",
    "What number of {thing} is left with {name}?",
    "What number of {thing} has {name} now?",
    "At the end, {name} has how many {thing}?",
    "At the end of it all, how many {thing} are with {name}?",
    "In the end, what is {name}'s number of {thing}?",
    "[Tell me|Say] the number of {thing} that {name} has in the end.",
    "Now [say|tell me] how many {thing} are left with {name}.",
    "I need to know how many {thing} {name} has.",
    "How many {thing} does that make for {name} now?",
    "If you count {name}'s {thing} after all this, how many are there?",
    "Work out how many {thing} {name} has after all this.",
    "How many {thing} are left with {name}?",
    "Count the {thing} that {name} has now.",
    "[Tell me|Say] how many {thing} {name} has now.",
    "In the end, how many {thing} has {name} got?",
    "How many {thing} has {name} at the end?",
    "What number of {thing} does {name} have in the end?",
    "Now, how many {thing} does {name} have?"};
constexpr std::string_view kGain[] = {
    " {name} buys {n} more.",        " A friend gives {name} {n} more.",
    " {name} finds {n} more.",       " {name} gets another {n} from {other}.",
    " {other} brings {name} {n}.",   " Then {n} more are added.",
    " {name} is given another {n}.", " {name} wins {n} more in a game.",
    " {name} picks up {n} more.",    " Another {n} come from {other}."};
constexpr std::string_view kLoss[] = {
    " {name} sells {n}.",          " {name} loses {n}.",       " {name} gives {n} to {other}.",
    " {other} takes {n} of them.", " {n} of them break.",      " {name} gives away {n}.",
    " Then {n} are taken away.",   " {name} throws {n} away.", " {n} of them are lost.",
    " {other} buys {n} of them."};
constexpr std::string_view kTimes[] = {
    " Then the number grows {n} times as large.", " Next, {name} ends up with {n} times as many.",
    " A bit later there are {n} times as many.", " Then {name} has {n} times as many.",
    " Next, the number becomes {n} times as large."};
constexpr std::string_view kShare[] = {
    " {name} shares them among {n} bags and keeps one bag.",
    " {name} divides them into {n} equal parts and keeps one.",
    " Only one of {n} equal parts stays with {name}.",
    " {name} makes {n} equal parts of them and keeps one part.",
    " They are shared among {n} bags, and {name} keeps one bag."};
/// Sentences that change nothing.
constexpr std::string_view kAside[] = {
    " {other} has {n} {stuff}.",         " It is {n} o'clock in the afternoon.",
    " {name} is {n} years old.",         " The shop is {n} streets away.",
    " {other} is {n} years old.",        " {other} counts {n} {stuff} of his own.",
    " The walk home takes {n} minutes.", " {other} owns {n} {stuff}."};

constexpr std::string_view kTotal[] = {"How much is that in all?",
                                       "What does {name} pay in total?",
                                       "How much does everything cost?",
                                       "What is the total?",
                                       "[Work out|Give] what {name} must pay.",
                                       "What must {name} pay for all that?",
                                       "Work out how much it is in total.",
                                       "What is the price of everything?",
                                       "[Give|Tell me] the price in total.",
                                       "[Tell me|Say] how much {name} pays.",
                                       "How much does all of that cost {name}?",
                                       "For all that, how much does {name} pay in total?",
                                       "What total does {name} pay?",
                                       "I need the total [price|cost] of everything.",
                                       "So what does it cost in all?",
                                       "If {name} buys all that, what is the total price?",
                                       "In total, how much is it?",
                                       "How many coins does {name} pay?",
                                       "How many coins must {name} pay for everything?",
                                       "How much must {name} pay?",
                                       "Work out the total price.",
                                       "What is the price of all that?",
                                       "How much does {name} pay?",
                                       "What does everything cost in total?",
                                       "How much is the total price?"};
constexpr std::string_view kChange[] = {
    "How much change does {name} get from {paid} coins?",
    "{name} pays with {paid} coins. What is the change?",
    "{name} had {paid} coins. What is left after that?",
    "After that, how many of the {paid} coins are left with {name}?",
    "If {name} has {paid} coins, how many are left in the end?",
    "If {name} gives {paid} coins, how many come back?",
    "{name} gives {paid} coins. What is the change?",
    "{paid} coins are paid. How much of that comes back?",
    "{name} pays with {paid} coins. [Tell me|Say] how much comes back to {name}.",
    "Of the {paid} coins that {name} has, what is left?",
    "What does {name} get back from {paid} coins?",
    "What change comes back from {paid} coins?",
    "[Work out|Give] the change from {paid} coins.",
    "I need to know the change if {name} pays with {paid} coins.",
    "{name}'s purse had {paid} coins. How many of them are left now?",
    "What is left of {name}'s {paid} coins after that?",
    "From {paid} coins, how much change is there?",
    "{name} has {paid} coins. How many are left after that?",
    "How many of {name}'s {paid} coins are left?",
    "What is left of {paid} coins?",
    "{name} gives {paid} coins. How much comes back?",
    "Of {paid} coins, how many are left?",
    "What change does {name} get from {paid} coins?"};

constexpr std::string_view kAskRate[] = {"{story} {ask}",
                                         "{story} Question: {ask}",
                                         "Here is a story. {story} {ask}",
                                         "Here is a question. {story} {ask}",
                                         "Solve the problem. {story} {ask}",
                                         "{story} Solve this: {ask}",
                                         "Tell me the answer. {story} {ask}",
                                         "Please tell me. {story} {ask}",
                                         "Think [first|well]. {story} {ask}",
                                         "{story} Think about it: {ask}",
                                         "I have a question about this: {story} {ask}",
                                         "Read the story. {story} {ask}",
                                         "Read and answer. {story} {ask}",
                                         "{story} The problem is: {ask}",
                                         "Problem to solve. {story} Question: {ask}",
                                         "{story} Answer this: {ask}",
                                         "Story: {story} Question: {ask}",
                                         "I need the answer to this. {story} {ask}",
                                         "Here is a problem. {story} {ask}",
                                         "Solve this: {story} {ask}",
                                         "{story} Tell me: {ask}",
                                         "Think about this. {story} {ask}",
                                         "Read this. {story} {ask}",
                                         "Problem: {story} {ask}"};

}  // namespace

Task make_story(Maker& maker) {
  Random& random = maker.random;
  const auto people = random.draw(kFirstNames, 2);
  const auto& name = people[0];
  const auto& thing = random.pick(kGoods);
  const int events = maker.by_level(1, 3, 5, 8);
  std::int64_t now = random.between(5, maker.by_level(20, 60, 99, 200));
  Task task{.question = text(name, " has ", now, " ", thing, "."), .answer = {}};
  task.check = "numeric";
  const auto tell = [&](Phrasings phrasings, std::int64_t n) {
    task.question +=
        say(random, phrasings,
            {{"name", name}, {"other", people[1]}, {"n", text(n)}, {"stuff", random.pick(kGoods)}});
  };
  for (int i = 0; i < events; ++i) {
    const int kind = random.below(100);
    if (kind < 10 && maker.level >= 2 && now < 100) {
      const int n = random.between(2, 5);
      tell(kTimes, n);
      task.steps.push_back(text(now, " * ", n, " = ", now * n));
      now *= n;
    } else if (const int n = random.between(2, 5);
               kind < 25 && maker.level >= 3 && now % n == 0 && now > 20) {
      tell(kShare, n);
      task.steps.push_back(text(now, " / ", n, " = ", now / n));
      now /= n;
    } else if (kind < 60 && now > 4) {
      const auto less = random.between(2, static_cast<int>(now) - 1);
      tell(kLoss, less);
      task.steps.push_back(text(now, " - ", less, " = ", now - less));
      now -= less;
    } else {
      const auto more = random.between(2, maker.by_level(20, 40, 99, 199));
      tell(kGain, more);
      task.steps.push_back(text(now, " + ", more, " = ", now + more));
      now += more;
    }
    if (maker.level >= 2 && random.chance(15)) tell(kAside, random.between(2, 12));
  }
  task.question += " " + phrase(maker, kHowMany, {{"name", name}, {"thing", thing}});
  task.answer = text(now);
  return task;
}

Task make_shopping(Maker& maker) {
  Random& random = maker.random;
  const int kinds = maker.by_level(1, 2, 3, 4);
  const auto& name = first_name(random);
  const auto goods = random.draw(kGoods, kinds);
  const bool list_first = random.chance(50);
  Task task{.question = {}, .answer = {}};
  task.check = "numeric";
  std::vector<std::string> prices;
  std::vector<std::string> bought;
  std::int64_t total = 0;
  for (const auto& good : goods) {
    const int price = random.between(2, maker.by_level(9, 12, 20, 40));
    const int count = random.between(2, maker.by_level(5, 9, 12, 20));
    prices.push_back(text(capitalized(good), " cost ", price, " coins each."));
    bought.push_back(text(count, " ", good));
    task.steps.push_back(text(count, " * ", price, " = ", count * price));
    if (total > 0) {
      task.steps.push_back(text(total, " + ", count * price, " = ", total + count * price));
    }
    total += count * price;
  }
  random.shuffle(prices);
  const auto buys = text(name, " buys ", join(bought, ", "), ".");
  task.question =
      list_first ? text(join(prices, " "), " ", buys) : text(buys, " ", join(prices, " "));
  if (maker.level >= 3 && random.chance(40)) {
    const int off = random.between(2, 9);
    task.question += text(" There are ", off, " coins off the total.");
    task.steps.push_back(text(total, " - ", off, " = ", total - off));
    total -= off;
  }
  task.question += " ";
  if (maker.level >= 2 && random.chance(50)) {
    const auto paid = (total / 50 + random.between(1, 3)) * 50;
    task.question += phrase(maker, kChange, {{"name", name}, {"paid", text(paid)}});
    task.steps.push_back(text(paid, " - ", total, " = ", paid - total));
    task.answer = text(paid - total);
  } else {
    task.question += phrase(maker, kTotal, {{"name", name}});
    task.answer = text(total);
  }
  return task;
}

/// Speeds, work and mixtures: the sentence alone says which of two similar operations is right.
Task make_rates(Maker& maker) {
  Random& random = maker.random;
  const int rate = random.between(2, maker.by_level(9, 20, 40, 90));
  const int time = random.between(2, maker.by_level(9, 12, 15, 24));
  const int amount = rate * time;
  const auto& name = first_name(random);
  std::string story;
  std::string ask;
  Task task{.question = {}, .answer = {}};
  task.check = "numeric";
  struct Setting {
    std::string_view does, unit, per;
  };
  constexpr Setting kSettings[] = {{"prints", "pages", "minutes"},    {"packs", "boxes", "hours"},
                                   {"pumps", "litres", "minutes"},    {"paints", "tiles", "hours"},
                                   {"drives", "kilometres", "hours"}, {"reads", "pages", "days"}};
  const auto& [does, unit, per] =
      random.pick(std::span(kSettings).first(maker.level <= 2 ? 6 : 4));  // a machine may help
  const auto each = per.substr(0, per.size() - 1);
  if (random.chance(50)) {
    story = text(name, " ", does, " ", rate, " ", unit, " in one ", each, ".");
  } else {
    story = text(name, " ", does, " ", amount, " ", unit, " in ", time, " ", per, ".");
    task.steps.push_back(text(amount, " / ", time, " = ", rate));
  }
  const int more = random.between(2, maker.by_level(9, 15, 30, 60));
  if (random.chance(50)) {
    ask = text("How many ", unit, " is that in ", more, " ", per, "?");
    task.steps.push_back(text(rate, " * ", more, " = ", rate * more));
    task.answer = text(rate * more);
  } else {
    ask = text("How many ", per, " does it take for ", rate * more, " ", unit, "?");
    task.steps.push_back(text(rate * more, " / ", rate, " = ", more));
    task.answer = text(more);
  }
  if (maker.level >= 3) {
    // A second worker, slower or faster: rates add up.
    const int helper = random.between(2, rate);
    const bool against = maker.level == 4 && random.chance(40) && helper < rate;
    story = text(name, " ", does, " ", rate, " ", unit, " in one ", each, ". A machine",
                 against ? " undoes " : " adds ", helper, " ", unit, " in one ", each, ".");
    const int both = against ? rate - helper : rate + helper;
    task.steps = {against ? text(rate, " - ", helper, " = ", both)
                          : text(rate, " + ", helper, " = ", both)};
    if (random.chance(50)) {
      ask = text("How many ", unit, " is that in ", more, " ", per, " together?");
      task.steps.push_back(text(both, " * ", more, " = ", both * more));
      task.answer = text(both * more);
    } else {
      ask = text("How many ", per, " does it take for ", both * more, " ", unit, " together?");
      task.steps.push_back(text(both * more, " / ", both, " = ", more));
      task.answer = text(more);
    }
    if (maker.level == 4) {
      const int start = random.between(10, 400);
      story += text(" ", start, " ", unit, " were done before.");
      if (random.chance(50)) {
        ask = text("How many ", unit, " are done after ", more, " ", per, "?");
        task.steps = {task.steps[0], text(both, " * ", more, " = ", both * more),
                      text(both * more, " + ", start, " = ", both * more + start)};
        task.answer = text(both * more + start);
      } else {
        ask = text("After how many ", per, " are ", both * more + start, " ", unit, " done?");
        task.steps = {task.steps[0], text(both * more + start, " - ", start, " = ", both * more),
                      text(both * more, " / ", both, " = ", more)};
        task.answer = text(more);
      }
    }
  }
  task.question = phrase(maker, kAskRate, {{"story", story}, {"ask", ask}});
  return task;
}

}  // namespace lichen::eval::tasks
