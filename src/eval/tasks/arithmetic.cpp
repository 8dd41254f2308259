// Sums, differences, products, quotients and longer expressions.
//
// Sums and differences are answered at once: their difficulty is the number of digits. Products,
// quotients and expressions are worked part by part, as on paper.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kAdd[] = {
    "What is {a} + {b}?",
    "[Compute|Calculate] {a} + {b}.",
    "{a} + {b} = ?",
    "Add {a} and {b}.",
    "Add up {a} and {b} and [tell me|give me] the result.",
    "When you add up {a} and {b}, what do you get?",
    "I need the sum of {a} and {b}, please.",
    "If {b} is added to {a}, [how much is it|how much do you have]?",
    "{a} and {b}: [give the total|give the sum].",
    "How much is it when {a} and {b} are added?",
    "I need to add {a} and {b}. [Tell me|Give me] the sum of the two.",
    "Here are two numbers, {a} and {b}. What do they come to in total?",
    "To {a}, add {b}. [Give|Say] the total.",
    "Please [calculate|compute] {a} plus {b}.",
    "What is the sum of {a} and {b}?",
    "[What do you get|What is the result] if you add {b} to {a}?",
    "How much is {a} plus {b}?",
    "I have {a} and get {b} more. What is the total?",
    "Work out {a} plus {b}.",
    "Find the sum: {a} + {b}",
    "What do {a} and {b} add up to?",
    "[Tell me|Give me] the total of {a} and {b}.",
    "Calculate the sum of {a} and {b}.",
    "If you add {a} and {b}, how much is it?",
    "[I need|Give] the result of {a} + {b}.",
    "What is the total when {b} is added to {a}?"};

constexpr std::string_view kSubtract[] = {
    "What is {a} - {b}?",
    "[Compute|Calculate] {a} - {b}.",
    "{a} - {b} = ?",
    "Subtract {b} from {a}.",
    "How much is {a} less {b}?",
    "{a} less {b}: what do you get?",
    "[Tell me|Give me] the result if {b} is subtracted from {a}.",
    "I need to know how much {a} - {b} is.",
    "When you subtract {b} from {a}, what do you get?",
    "If you take {b} from {a}, how much is left?",
    "Please [calculate|compute] the result of {a} minus {b}.",
    "From {a}, subtract {b}. [Give|Tell me] what is left.",
    "I need the difference: {a} minus {b}.",
    "Start with {a} and take away {b}. What do you get?",
    "What is the difference between {a} and {b}? Take {a} minus {b}.",
    "What is left of {a} if you take away {b}?",
    "How much is {a} minus {b}?",
    "Take {b} away from {a}.",
    "Work out {a} minus {b}.",
    "I have {a} and give away {b}. What is left?",
    "[Tell me|Give me] what {a} less {b} is.",
    "Subtract: {a} - {b}",
    "How much is left if you subtract {b} from {a}?",
    "[I need|Give] the result of {a} - {b}.",
    "What do you get if you take {b} away from {a}?",
    "Calculate {a} minus {b}."};

constexpr std::string_view kMultiply[] = {
    "What is {a} * {b}?",
    "[Compute|Calculate] {a} * {b}.",
    "{a} * {b} = ?",
    "Multiply {a} by {b}.",
    "If you multiply {a} by {b}, what [do you get|is the result]?",
    "There are {a} bags of {b} coins each. How many coins is that?",
    "{a} bags hold {b} coins each. [Tell me|Say] how many coins there are.",
    "How many coins do {a} bags of {b} coins make?",
    "If each of {a} rows has {b} seats, how many seats are there?",
    "I need the product of {a} and {b}, please.",
    "[Tell me|Give me] how much {a} times {b} is.",
    "Multiply {a} and {b} and give the result.",
    "Please [calculate|compute] the product of {a} and {b}.",
    "I need to know what you get for {a} * {b}.",
    "What is the product of {a} and {b}?",
    "How much is {a} times {b}?",
    "What is {b} times {a}?",
    "There are {a} boxes with {b} pens each. How many pens are there?",
    "Work out {a} times {b}.",
    "Find the product: {a} * {b}",
    "What do you get if you multiply {a} and {b}?",
    "[Tell me|Give me] the product of {a} and {b}.",
    "Calculate {a} times {b}.",
    "[I need|Give] the result of {a} * {b}.",
    "How much is the product of {a} and {b}?",
    "If there are {a} bags of {b} coins, how many coins are there?"};

constexpr std::string_view kDivide[] = {
    "What is {a} / {b}? Give quotient and remainder.",
    "Divide {a} by {b}, with remainder.",
    "{a} / {b} = ? Give the remainder, too.",
    "How many times does {b} go into {a}, and what is left?",
    "Work out how many times {b} goes into {a}, and the remainder.",
    "Work out {a} divided by {b}, and [give|say] what is left, too.",
    "What are the quotient and the remainder if you divide {a} by {b}?",
    "When {a} is divided by {b}, what is the quotient, and what remains?",
    "When you divide {a} by {b}, what are the two results, quotient and remainder?",
    "[Tell me|Give me] the quotient of {a} and {b}, and what remains.",
    "{b} goes into {a} how many times, and what remains?",
    "{a} eggs make how many full boxes of {b}? [Tell me|Say] how many are left.",
    "How many boxes of {b} do {a} eggs make, and how many eggs are left?",
    "I need quotient and remainder: {a} / {b}.",
    "I have {a} coins and bags of {b}. How many full bags do I get, and what is left?",
    "{a} by {b}: [give|say] the whole quotient, then the remainder.",
    "Find quotient and remainder of {a} divided by {b}.",
    "{a} eggs go into boxes of {b}. How many boxes are full, and how many eggs are left?",
    "Compute {a} divided by {b} with remainder.",
    "What is {a} divided by {b}? Say what remains.",
    "Work out {a} / {b} and the remainder.",
    "Give the quotient and the remainder of {a} / {b}.",
    "What are quotient and remainder when {a} is divided by {b}?",
    "[Tell me|Say] how many times {b} goes into {a} and what remains.",
    "How many full boxes of {b} do {a} eggs make, and what is left?",
    "Divide {a} by {b} and give quotient and remainder."};

constexpr std::string_view kTerms[] = {"What is {e}?",
                                       "[Compute|Calculate] {e}.",
                                       "{e} = ?",
                                       "Evaluate {e}.",
                                       "I need to know how much {e} is.",
                                       "[Find|Give] the value of {e}.",
                                       "What [result|value] do you get if you work out {e}?",
                                       "What do you get when you [calculate|evaluate] {e}?",
                                       "Evaluate {e} and give the result.",
                                       "I need the value of this: {e}",
                                       "[Tell me|Say] how much {e} is.",
                                       "For {e}, what is the result?",
                                       "Here is an expression: {e}. What is its value?",
                                       "Please [compute|calculate] this for me: {e}",
                                       "[Tell me|Say] the result: {e}",
                                       "Find out what {e} [comes to|is].",
                                       "For the expression {e}, give the value.",
                                       "Work out the value of {e}.",
                                       "How much is {e}?",
                                       "Find the value: {e}",
                                       "Give the result of {e}.",
                                       "[Tell me|Say] what {e} is.",
                                       "What is the value of {e}?",
                                       "What do you get for {e}?",
                                       "[I need|Find] the result of {e}."};

/// How many digits a sum or a difference of this level has.
int sum_digits(Maker& maker) {
  return maker.random.between(maker.by_level(1, 3, 6, 9), maker.by_level(2, 5, 8, 12));
}

/// The digits of `number` from the left as parts that add up to it: 305 gives 300 and 5.
std::vector<std::int64_t> parts_of(std::int64_t number) {
  std::vector<std::int64_t> parts;
  for (std::int64_t unit = 1; unit <= number; unit *= 10) {
    if (const auto digit = number / unit % 10; digit != 0) parts.push_back(digit * unit);
  }
  std::ranges::reverse(parts);
  return parts;
}

/// Expressions are kept as lists of operands and operators and evaluated one operation at a time.
struct Expression {
  std::vector<std::int64_t> operands;
  std::string operators;  // one fewer than operands; '*' binds more

  std::string written() const {
    std::string out = text(operands[0]);
    for (std::size_t i = 0; i < operators.size(); ++i) {
      out += text(" ", operators[i], " ", operands[i + 1]);
    }
    return out;
  }

  /// Carries out the operation to do first, and says it as a step.
  std::string reduce() {
    auto at = operators.find('*');
    if (at == std::string::npos) at = 0;
    const auto a = operands[at];
    const auto b = operands[at + 1];
    const char op = operators[at];
    const auto value = op == '*' ? a * b : op == '+' ? a + b : a - b;
    operands[at] = value;
    operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    operators.erase(at, 1);
    return text(a, " ", op, " ", b, " = ", value);
  }
};

}  // namespace

Task make_add(Maker& maker) {
  const auto a = maker.random.with_digits(sum_digits(maker));
  const auto b = maker.random.with_digits(sum_digits(maker));
  return {.question = phrase(maker, kAdd, {{"a", text(a)}, {"b", text(b)}}),
          .answer = text(a, " + ", b, " = ", a + b),
          .check = "numeric"};
}

Task make_subtract(Maker& maker) {
  auto a = maker.random.with_digits(sum_digits(maker));
  auto b = maker.random.with_digits(sum_digits(maker));
  const bool may_be_negative = maker.level >= 3 && maker.random.chance(30);
  if (a < b && !may_be_negative) std::swap(a, b);
  return {.question = phrase(maker, kSubtract, {{"a", text(a)}, {"b", text(b)}}),
          .answer = text(a, " - ", b, " = ", a - b),
          .check = "numeric"};
}

Task make_multiply(Maker& maker) {
  Random& random = maker.random;
  const auto a = maker.level == 1   ? random.between(2, 12)
                 : maker.level == 4 ? random.between(101, 999)
                                    : random.between(11, 99);
  const auto b = maker.level == 1   ? random.between(2, 12)
                 : maker.level == 2 ? random.between(3, 9)
                                    : random.between(11, maker.level == 3 ? 99 : 199);
  Task task{.question = phrase(maker, kMultiply, {{"a", text(a)}, {"b", text(b)}}),
            .answer = text(a, " * ", b, " = ", a * b),
            .check = "numeric"};
  if (maker.level <= 2) return task;
  std::int64_t sum = 0;
  for (const auto part : parts_of(b)) {
    task.steps.push_back(text(a, " * ", part, " = ", a * part));
    if (sum != 0) task.steps.push_back(text(sum, " + ", a * part, " = ", sum + a * part));
    sum += a * part;
  }
  task.answer = text(sum);
  return task;
}

Task make_divide(Maker& maker) {
  Random& random = maker.random;
  const std::int64_t b = maker.level == 4 ? random.between(11, 25) : random.between(2, 9);
  const std::int64_t a = maker.level == 1
                             ? random.between(2 * static_cast<int>(b), 10 * static_cast<int>(b) - 1)
                             : random.with_digits(maker.by_level(0, 2, 4, 5));
  const auto result = text(a / b, " remainder ", a % b);
  Task task{.question = phrase(maker, kDivide, {{"a", text(a)}, {"b", text(b)}}),
            .answer = result,
            .rivals = {text(a / b + 1, " remainder ", a % b), text(a / b, " remainder ", a % b + 1),
                       text(a / b, " remainder ", b - a % b - (2 * (a % b) == b))}};
  if (maker.level <= 2) return task;
  // Long division: bring down a digit, take away what fits.
  std::int64_t rest = 0;
  bool started = false;
  for (const char digit : text(a)) {
    rest = rest * 10 + (digit - '0');
    if (rest >= b) started = true;
    if (!started) continue;
    task.steps.push_back(
        text(rest, " / ", b, " = ", rest / b, ", ", rest, " - ", rest / b * b, " = ", rest % b));
    rest %= b;
  }
  return task;
}

Task make_terms(Maker& maker) {
  Random& random = maker.random;
  const int count = maker.by_level(3, 4, 5, 7);
  Expression expression;
  for (int i = 0; i < count; ++i) {
    const bool product =
        i > 0 && maker.level >= 2 && random.chance(30) && !expression.operators.ends_with('*');
    if (i > 0) expression.operators += product ? '*' : random.pick(std::string_view("+-"));
    expression.operands.push_back(product ? random.between(2, 9)
                                          : random.between(1, maker.by_level(20, 50, 99, 99)));
  }
  if (maker.level >= 3 && !expression.operators.contains('*')) {
    expression.operators.back() = '*';
    expression.operands.back() = random.between(2, 9);
  }
  Task task{.question = phrase(maker, kTerms, {{"e", expression.written()}}), .answer = {}};
  task.check = "numeric";
  while (!expression.operators.empty()) task.steps.push_back(expression.reduce());
  task.answer = text(expression.operands[0]);
  return task;
}

}  // namespace lichen::eval::tasks
