// Truth values and rules.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kEvaluate[] = {
    "Evaluate: {e}",
    "What is {e}?",
    "Is this true or false? {e}",
    "Give the truth value of {e}.",
    "{e} = ?",
    "Work out {e}.",
    "Find the value, False or True: {e}.",
    "{e}: is that False or True?",
    "Find the value of this expression: {e}.",
    "Say whether {e} is True or False.",
    "Is the value of {e} True, or is it False?",
    "I need the value of {e}.",
    "What value does {e} have?",
    "Does {e} come out as True or as False?",
    "If you work out {e}, what is the value?",
    "Take the expression {e}. Give its value.",
    "I wonder if {e} is True or False.",
    "The value of {e}, please.",
    "The truth value of {e} is what?",
    "Expression: {e}. Truth value?",
    "Work out the truth value: {e}.",
    "Find the truth value of {e}.",
    "Is {e} True or False?",
    "What is the truth value of {e}?",
    "True or False: {e}?",
    "Give the value of {e}, True or False.",
};
constexpr std::string_view kFollows[] = {
    "{rules} Does it follow that {c}? Answer yes or no.",
    "{rules} Is it certain that {c}? Answer yes or no.",
    "Given: {rules} Does it follow that {c}? Answer yes or no.",
    "Read the rules. {rules} Can we conclude that {c}? Answer yes or no.",
    "Yes or no: is it certain that {c}? {rules}",
    "{rules} Yes or no: do we know for sure that {c}?",
    "Answer yes or no: is it sure that {c}? {rules}",
    "{rules} From this, do we know that {c}? Answer yes or no.",
    "Read these rules. {rules} Is it sure that {c}? Answer yes or no.",
    "Read this: {rules} Does it follow that {c}? Answer yes or no.",
    "Given these rules, do we know that {c}? {rules} Answer yes or no.",
    "Given this, can we be sure that {c}? Answer yes or no. {rules}",
    "These are the rules. {rules} So, does it follow that {c}? Answer yes or no.",
    "{rules} So [must it be true|can we conclude] that {c}? Answer yes or no.",
    "If all this is true, is it certain that {c}? {rules} Answer yes or no.",
    "I need to know if it follows that {c}. {rules} Answer yes or no.",
    "{rules} Say yes if it is certain that {c}, and no if it is not.",
    "Here is what we know. {rules} Can we conclude that {c}? Answer yes or no.",
    "Rules: {rules} Question: is it certain that {c}? Yes or no?",
    "{rules} Does this make it certain that {c}? Answer yes or no.",
    "Yes or no: does it follow that {c}? {rules}",
    "{rules} So, is it sure that {c}? Answer yes or no.",
    "{rules} Do we know that {c}? Answer yes or no.",
    "Read this. {rules} Is it certain that {c}? Answer yes or no.",
    "Given these rules, is it certain that {c}? Answer yes or no. {rules}",
    "{rules} Yes or no: does it follow that {c}?",
};
constexpr std::string_view kIf[] = {"If {a}, then {b}.", "Whenever {a}, {b}.", "{b} if {a}.",
                                    "When {a}, {b}."};

/// A tree of operators, written without the outermost parentheses.
struct Node {
  char op = 0;  // 0: a value; 'n': not; 'a': and; 'o': or
  bool value = false;
  std::vector<Node> children = {};

  bool evaluated() const {
    switch (op) {
      case 'n': return !children[0].evaluated();
      case 'a': return children[0].evaluated() && children[1].evaluated();
      case 'o': return children[0].evaluated() || children[1].evaluated();
      default: return value;
    }
  }

  std::string written(bool outermost = true) const {
    if (op == 0) return value ? "True" : "False";
    const auto inner = op == 'n' ? text("not ", children[0].written(false))
                                 : text(children[0].written(false), op == 'a' ? " and " : " or ",
                                        children[1].written(false));
    return outermost ? inner : text("(", inner, ")");
  }

  /// Replaces the first operation whose operands are all values by its value.
  bool reduce() {
    if (op == 0) return false;
    for (auto& child : children) {
      if (child.reduce()) return true;
    }
    *this = Node{.value = evaluated()};
    return true;
  }
};

Node random_tree(Random& random, int operators) {
  if (operators == 0) return {.value = random.chance(50)};
  if (random.chance(30)) return {.op = 'n', .children = {random_tree(random, operators - 1)}};
  const int left = random.below(operators);
  Node node{.op = random.chance(50) ? 'a' : 'o'};
  node.children.push_back(random_tree(random, left));
  node.children.push_back(random_tree(random, operators - 1 - left));
  return node;
}

constexpr std::string_view kStates[] = {
    "the lamp is on",     "the door is open",   "the cat sleeps",     "the bell rings",
    "the street is wet",  "the shop is closed", "the train is late",  "the fire burns",
    "the gate is locked", "the water is cold",  "the music plays",    "the robot stops",
    "the window is shut", "the dog barks",      "the light is green", "the pump runs",
    "the tank is full",   "the clock is wrong", "the phone is off",   "the road is free"};

}  // namespace

Task make_boolean(Maker& maker) {
  Random& random = maker.random;
  Node tree =
      random_tree(random, random.between(maker.by_level(1, 2, 4, 6), maker.by_level(1, 3, 5, 9)));
  Task task{.question = phrase(maker, kEvaluate, {{"e", tree.written()}}), .answer = {}};
  while (maker.level >= 3 && tree.reduce() && tree.op != 0) task.steps.push_back(tree.written());
  task.answer = tree.evaluated() ? "True" : "False";
  task.rivals = {tree.evaluated() ? "False" : "True"};
  return task;
}

/// A chain of rules from a fact to a conclusion, or a chain that is broken, among rules that lead
/// elsewhere.
Task make_implication(Maker& maker) {
  Random& random = maker.random;
  const int length = maker.by_level(1, 2, 3, 5);
  const int aside = maker.by_level(1, 2, 3, 5);
  const auto states = random.draw(kStates, length + 1 + aside);
  const bool follows = random.chance(50);
  // A chain breaks where a rule is turned around: its "then" does not lead back to its "if".
  const int broken = follows ? -1 : random.below(length);
  std::vector<std::string> rules;
  const auto rule = [&](std::string_view a, std::string_view b) {
    rules.push_back(capitalized(say(random, kIf, {{"a", a}, {"b", b}})));
  };
  Task task;
  for (int i = 0; i < length; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool turned = i == broken;
    rule(states[turned ? at + 1 : at], states[turned ? at : at + 1]);
  }
  for (int i = 0; i < aside; ++i) {
    const auto at = static_cast<std::size_t>(length + 1 + i);
    rule(states[static_cast<std::size_t>(random.below(length + 1))], states[at]);
  }
  random.shuffle(rules);
  rules.push_back(text(capitalized(states[0]), "."));
  if (maker.level >= 2) {
    // Everything along the chain that is known, up to the break.
    std::vector<std::string_view> known;
    const int last = follows ? length : broken;
    for (int i = 0; i <= last; ++i) known.push_back(states[static_cast<std::size_t>(i)]);
    task.steps = {capitalized(join(known, ", so "))};
    if (!follows) task.steps.push_back("No rule leads from there to the goal");
  }
  task.question =
      phrase(maker, kFollows,
             {{"rules", join(rules, " ")}, {"c", states[static_cast<std::size_t>(length)]}});
  task.answer = follows ? "yes" : "no";
  task.rivals = {follows ? "no" : "yes"};
  return task;
}

}  // namespace lichen::eval::tasks
