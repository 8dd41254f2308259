// Short programs in a language that looks like Python: what do they print?
//
// A program is built and run at the same time; the trace is what a reader would note beside it.
#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kAskCode[] = {
    "What does this program print?\n{p}",
    "What is printed?\n{p}",
    "Run this code:\n{p}",
    "{p}\nWhat is the output?",
    "Work out the output of this program:\n{p}",
    "Work through this code and [say|tell me] what is printed.\n{p}",
    "{p}\n[Say|Tell me] what this prints.",
    "I need to know what this code prints:\n{p}",
    "Follow this program.\n{p}\nWhat [is its output|does it print]?",
    "Follow the program and give what it prints:\n{p}",
    "Give the output of this:\n{p}",
    "Here are some lines of code:\n{p}\nGive the output.",
    "Some code:\n{p}\nOutput?",
    "Read this:\n{p}\nWhat is printed [at the end|when it runs]?",
    "If you run this program, what is [printed|its output]?\n{p}",
    "{p}\nWork out the output.",
    "Read the code.\n{p}\nWhat does the program print?",
    "When this code runs, what does it print?\n{p}",
    "Code:\n{p}\nWhat does it print?",
    "Here is a program.\n{p}\nWhat does it print?",
    "Work out what this prints:\n{p}",
    "Follow the code and give its output.\n{p}",
    "{p}\nWhat does this code print?",
    "Read the program:\n{p}\nWhat is its output?",
    "What is the output of this code?\n{p}",
    "Here is some code:\n{p}\nWhat is printed?"};

/// A program under way: its lines, its one or two variables, what happened.
struct Program {
  std::string lines;
  std::vector<std::string> trace;

  void line(int indent, std::string_view code) {
    if (!lines.empty()) lines += '\n';
    lines.append(static_cast<std::size_t>(indent) * 4, ' ').append(code);
  }
};

struct Change {
  char op;
  int by;

  std::int64_t of(std::int64_t value) const {
    return op == '+' ? value + by : op == '-' ? value - by : value * by;
  }
};

Change random_change(Random& random, bool may_multiply) {
  if (may_multiply && random.chance(20)) return {'*', random.between(2, 3)};
  const char op = random.chance(65) ? '+' : '-';
  return {op, random.between(1, 9)};
}

/// Assignments, one after the other.
Task straight(Maker& maker, Program program) {
  Random& random = maker.random;
  std::int64_t x = random.between(2, 20);
  program.line(0, text("x = ", x));
  const int count = random.between(1, 2);
  for (int i = 0; i < count; ++i) {
    const auto change = random_change(random, true);
    program.line(0, text("x = x ", change.op, " ", change.by));
    x = change.of(x);
  }
  program.line(0, "print(x)");
  return {.question = program.lines, .answer = text(x), .check = "numeric"};
}

/// Two variables and a condition.
Task branching(Maker& maker, Program program) {
  Random& random = maker.random;
  std::int64_t x = random.between(2, 30);
  std::int64_t y = random.between(2, 30);
  program.line(0, text("x = ", x));
  program.line(0, text("y = ", y));
  const auto first = random_change(random, true);
  program.line(0, text("x = x ", first.op, " ", first.by));
  x = first.of(x);
  program.trace.push_back(text("x = ", x));
  const bool greater = random.chance(50);
  program.line(0, text("if x ", greater ? ">" : "<", " y:"));
  const bool taken = greater ? x > y : x < y;
  const auto yes = random_change(random, false);
  const auto no = random_change(random, false);
  program.line(1, text("y = y ", yes.op, " ", yes.by));
  program.line(0, "else:");
  program.line(1, text("y = y ", no.op, " ", no.by));
  const auto other = (taken ? no : yes).of(y);
  y = (taken ? yes : no).of(y);
  program.trace.push_back(text("y = ", y));
  program.line(0, "print(x + y)");
  return {.question = program.lines,
          .answer = text(x + y),
          .steps = program.trace,
          .check = "numeric",
          .rivals = {text(x + other == x + y ? x + y + 1 : x + other)}};
}

/// A loop over numbers or a list that changes one variable.
Task looping(Maker& maker, Program program) {
  Random& random = maker.random;
  std::int64_t x = random.between(0, 20);
  program.line(0, text("x = ", x));
  std::vector<int> values;
  const int count = random.between(3, 6);
  if (random.chance(50)) {
    program.line(0, text("for i in range(", count, "):"));
    for (int i = 0; i < count; ++i) values.push_back(i);
  } else {
    for (int i = 0; i < count; ++i) values.push_back(random.between(1, 20));
    program.line(0, text("for i in [", join(values), "]:"));
  }
  const auto change = random_change(random, false);
  const bool adds = random.chance(70);
  program.line(1, text("x = x ", adds ? "+" : "-", " i ", change.op, " ", change.by));
  for (const int value : values) {
    x = change.of(adds ? x + value : x - value);
    program.trace.push_back(text("i = ", value, ", x = ", x));
  }
  program.line(0, "print(x)");
  return {.question = program.lines, .answer = text(x), .steps = program.trace, .check = "numeric"};
}

/// A loop with a condition in it, two variables, and at times an end of its own.
Task nested(Maker& maker, Program program) {
  Random& random = maker.random;
  std::int64_t x = random.between(0, 20);
  std::int64_t y = random.between(0, 9);
  program.line(0, text("x = ", x));
  program.line(0, text("y = ", y));
  if (random.chance(35)) {
    const auto step = random.between(3, 9);
    const std::int64_t end = x + random.between(3 * step - 2, 7 * step);
    const auto change = random_change(random, false);
    program.line(0, text("while x < ", end, ":"));
    program.line(1, text("x = x + ", step));
    program.line(1, text("y = y ", change.op, " ", change.by));
    while (x < end) {
      x += step;
      y = change.of(y);
      program.trace.push_back(text("x = ", x, ", y = ", y));
    }
  } else {
    std::vector<int> values;
    const int count = random.between(5, 8);
    for (int i = 0; i < count; ++i) values.push_back(random.between(1, 20));
    program.line(0, text("for i in [", join(values), "]:"));
    const bool parity = random.chance(50);
    const int limit = random.between(6, 14);
    program.line(1, parity ? "if i % 2 == 0:" : text("if i > ", limit, ":"));
    program.line(2, "x = x + i");
    program.line(1, "else:");
    const auto change = random_change(random, false);
    program.line(2, text("y = y ", change.op, " ", change.by));
    for (const int value : values) {
      if (parity ? value % 2 == 0 : value > limit) {
        x += value;
      } else {
        y = change.of(y);
      }
      program.trace.push_back(text("i = ", value, ", x = ", x, ", y = ", y));
    }
  }
  program.line(0, "print(x - y)");
  return {
      .question = program.lines, .answer = text(x - y), .steps = program.trace, .check = "numeric"};
}

}  // namespace

Task make_code(Maker& maker) {
  Task task;
  switch (maker.level) {
    case 1: task = straight(maker, {}); break;
    case 2: task = branching(maker, {}); break;
    case 3: task = looping(maker, {}); break;
    default: task = nested(maker, {});
  }
  task.question = phrase(maker, kAskCode, {{"p", task.question}});
  return task;
}

}  // namespace lichen::eval::tasks
