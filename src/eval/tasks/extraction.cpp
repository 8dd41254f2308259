// Reading: details out of messages as JSON, and cells, rows and totals out of tables.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/messages.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kAskJson[] = {
    "Return JSON with the keys {k} from this message: {m}",
    "Extract {k} as JSON from: {m}",
    "Message: {m}\nGive JSON with {k}.",
    "{m}\nJSON with the keys {k}:",
    "Turn this into JSON with {k}: {m}",
    "{m}\nTurn the message into JSON (keys: {k}).",
    "Find {k} in the message and [write|return] them in JSON. {m}",
    "Find these in the message: {k}. Answer as JSON. {m}",
    "Please give {k} as JSON for this: {m}",
    "Please read this message and return {k} as JSON: {m}",
    "{m}\nGive {k} from this message as JSON, please.",
    "Message: {m}\nKeys: {k}\nJSON:",
    "Keys: {k}. Return them with their values as JSON for the message: {m}",
    "I need JSON with the keys {k} [from|for] this message: {m}",
    "Here is a message: {m}\nAnswer with JSON that has the keys {k}.",
    "What are {k} in this message? [Return|Give] JSON. {m}",
    "If you read this message, which {k} do you find? Answer with JSON. {m}",
    "Read the message and answer with JSON (keys: {k}). {m}",
    "Which {k} does the message give? Answer as JSON. {m}",
    "Turn this message into JSON with the keys {k}: {m}",
    "Find {k} in this message and return them as JSON: {m}",
    "{m}\nAs JSON with {k}, please.",
    "Give JSON with the keys {k} for this message: {m}",
    "Read this message: {m}\nReturn JSON with {k}.",
    "Answer with JSON. Keys: {k}. Message: {m}"};

constexpr std::string_view kAskTable[] = {"{t}\n{q}",
                                          "{q}\n{t}",
                                          "Table:\n{t}\n{q}",
                                          "{t}\nQuestion: {q}",
                                          "Question: {q}\n{t}",
                                          "Look at the table and [answer|say]: {q}\n{t}",
                                          "[Use|Read] this table:\n{t}\n{q}",
                                          "Read this and answer the question.\n{t}\n{q}",
                                          "Here are some rows:\n{t}\n{q}",
                                          "{q} Here is the table.\n{t}",
                                          "{q} Look at this:\n{t}",
                                          "This table is given:\n{t}\nAnswer this: {q}",
                                          "Given a table, answer the question: {q}\n{t}",
                                          "Table:\n{t}\nQuestion:\n{q}",
                                          "A question about a table: {q}\n{t}",
                                          "With the rows below, answer this: {q}\n{t}",
                                          "{t}\nUse the rows above. {q}",
                                          "Here is what we know:\n{t}\n{q}",
                                          "Here is a table.\n{t}\n{q}",
                                          "{q} Use this table:\n{t}",
                                          "Look at this table:\n{t}\n{q}",
                                          "Use the table.\n{t}\nQuestion: {q}",
                                          "Read the table and answer. {q}\n{t}",
                                          "Here is a table:\n{t}\nQuestion: {q}"};
constexpr std::string_view kCell[] = {"What is the {c} of {n}?",
                                      "Which {c} does {n} have?",
                                      "Give {n}'s {c}.",
                                      "[Give|Write] the {c} in the row of {n}.",
                                      "Find {n} and give the {c}.",
                                      "Find {n}'s {c}.",
                                      "Find the row of {n}. What is the {c}?",
                                      "[Tell me|Say] what the {c} is for {n}.",
                                      "[Tell me|Say] which {c} {n} has.",
                                      "What {c} does {n} have?",
                                      "For {n}, which {c} do you find?",
                                      "In the row of {n}, what {c} is given?",
                                      "What is given as the {c} of {n}?",
                                      "{n} has which {c}?",
                                      "I need the {c} of {n}.",
                                      "If you look for {n}, what {c} do you find?",
                                      "The {c} of {n}: what is it?",
                                      "Give the {c} of {n}.",
                                      "{n}: what {c}?",
                                      "Find the {c} of {n}.",
                                      "What {c} is given for {n}?",
                                      "[Tell me|Say] the {c} of {n}.",
                                      "Which {c} is given for {n}?"};
constexpr std::string_view kTopRow[] = {"Who has the {top} {c}?",
                                        "Which person has the {top} {c}?",
                                        "Whose is the {top} {c}?",
                                        "Whose row has the {top} {c}?",
                                        "Name the one who has the {top} {c}.",
                                        "Who is the person whose {c} is the {top}?",
                                        "[Name|Say] who has the {top} {c} of all.",
                                        "Find the person whose {c} is the {top} and give the name.",
                                        "Find the row with the {top} {c}. Whose is it?",
                                        "Give the name in the row with the {top} {c}.",
                                        "Which name stands in the row with the {top} {c}?",
                                        "[Tell me|Give me] the name with the {top} {c}.",
                                        "I need the name of the one whose {c} is {top}.",
                                        "The {top} {c}: who has it?",
                                        "Of all people, which one has the {top} {c}?",
                                        "If you look for the {top} {c}, which person do you find?",
                                        "Name the person with the {top} {c}.",
                                        "Whose {c} is the {top}?",
                                        "Who is the one with the {top} {c}?",
                                        "Find who has the {top} {c}.",
                                        "Give the name of the person with the {top} {c}.",
                                        "Which name has the {top} {c}?"};
constexpr std::string_view kCountRows[] = {
    "How many people live in {v}?",
    "How many rows have the city {v}?",
    "Count those who live in {v}.",
    "Count the people of {v}.",
    "Count how many people have {v} as their city.",
    "How many of the people are from {v}?",
    "Of them all, how many live in {v}?",
    "What is the number of rows with {v} as the city?",
    "What number of people live in {v}?",
    "[Give|Tell me] the number of people who have the city {v}.",
    "In the table, how many rows are for the city {v}?",
    "The city is {v} in how many of the rows?",
    "I need to know how many people there are in {v}.",
    "For how many people is {v} the city?",
    "If you count the rows with {v}, how many are there?",
    "People in {v}: how many of them are there?",
    "[Say|Work out] how many live in {v}.",
    "Count the people who live in {v}.",
    "How many of them live in {v}?",
    "What is the number of people in {v}?",
    "In how many rows is the city {v}?",
    "Count the rows with the city {v}.",
    "How many people have the city {v}?"};
constexpr std::string_view kSumRows[] = {
    "What is the total {c} of the people in {v}?",
    "Add up the {c} of all rows with the city {v}.",
    "Sum the {c} of all people from {v}.",
    "Sum up the {c} in the rows where the city is {v}.",
    "Where the city is {v}, what is the total of the {c}?",
    "Together, how many {c} do those in {v} have?",
    "The people in {v} put their {c} together. How many is that?",
    "The people from {v} have some {c} each. What is the total?",
    "Find the total of the {c} in {v}.",
    "Find all rows with {v} and add up the {c}.",
    "[Give|Tell me] the sum of the {c} for the city {v}.",
    "For {v}, [give|work out] the sum of {c}.",
    "In all, how many {c} are there for people from {v}?",
    "I need the total {c} of everyone [in|from] {v}.",
    "If you add up the {c} of those in {v}, what is the sum?",
    "What do the {c} of all people in {v} add up to?",
    "Total {c}, city {v}?",
    "Sum the {c} where the city is {v}.",
    "How many {c} do the people in {v} have together?",
    "Find the sum of {c} for {v}.",
    "How many {c} do the people from {v} have in all?",
    "Give the total {c} for the city {v}.",
    "What is the sum of {c} of the people in {v}?"};
constexpr std::string_view kFilterRows[] = {
    "Who lives in {v} and has {c} over {n}?",
    "List the people in {v} with {c} above {n}.",
    "Which people live in {v} and have {c} over {n}?",
    "Which of the people from {v} have {c} of more than {n}?",
    "Name everyone who has the city {v} and {c} above {n}.",
    "Name those in {v} whose {c} is more than {n}.",
    "Who in {v} has {c} above {n}?",
    "Find all people from {v} whose {c} is above {n}.",
    "Find who lives in {v} and has {c} of more than {n}.",
    "Of those in {v}, who has {c} over {n}?",
    "[List|Give] all names in {v} with {c} over {n}.",
    "For {v}, [list|name] the people with {c} of more than {n}.",
    "I need everyone in {v} whose {c} is over {n}.",
    "In {v}, whose {c} is over {n}?",
    "If the city must be {v} and the {c} over {n}, which people are left?",
    "People from {v} with {c} over {n}: who are they?",
    "Which people have the city {v} and {c} over {n}?",
    "Name all in {v} whose {c} is over {n}.",
    "Who of those in {v} has {c} of more than {n}?",
    "Find the people in {v} with {c} over {n}.",
    "Which people in {v} have {c} over {n}?",
    "Name the people from {v} with {c} above {n}."};

std::string json_of(const std::vector<const Detail*>& details) {
  std::vector<std::string> members;
  for (const auto* detail : details) {
    members.push_back(
        text(quoted(detail->key), ": ", detail->value.empty() ? "null" : quoted(detail->value)));
  }
  return text("{", join(members), "}");
}

struct Row {
  std::string_view name, city;
  int age, points;
};

/// One question about the rows: 0 a cell, 1 the highest or lowest, 2 how many of a city, 3 their
/// sum, 4 those over a limit.
Task ask_table(Maker& maker, const std::vector<Row>& rows, int kind) {
  Random& random = maker.random;
  const bool by_age = kind != 3 && random.chance(50);  // nobody adds up ages
  const auto column = by_age ? "age" : "points";
  const auto number = [by_age](const Row& row) { return by_age ? row.age : row.points; };
  Task task;
  const Row& row = random.pick(rows);
  std::vector<const Row*> of_city;
  for (const Row& other : rows) {
    if (other.city == row.city) of_city.push_back(&other);
  }
  if (kind == 0) {
    const bool city = random.chance(40);
    task.question = phrase(maker, kCell, {{"c", city ? "city" : column}, {"n", row.name}});
    task.answer = city ? std::string(row.city) : text(number(row));
    for (const Row& other : rows) {
      const auto value = city ? std::string(other.city) : text(number(other));
      if (value != task.answer) task.rivals.push_back(value);
    }
  } else if (kind == 1) {
    const bool top = random.chance(50);
    task.question = phrase(maker, kTopRow, {{"c", column}, {"top", top ? "highest" : "lowest"}});
    const auto [low, high] = std::ranges::minmax_element(rows, {}, number);
    task.answer = top ? high->name : low->name;
    const Row* best = nullptr;
    for (const Row& other : rows) {
      if (other.name != task.answer) task.rivals.emplace_back(other.name);
      if (best && (number(other) > number(*best)) != top) continue;
      best = &other;
      task.steps.push_back(text(other.name, " ", number(other)));
    }
  } else if (kind == 2) {
    task.question = phrase(maker, kCountRows, {{"v", row.city}});
    std::vector<std::string> tally;
    for (const Row* one : of_city) tally.push_back(text(one->name, " ", tally.size() + 1));
    task.steps = {join(tally)};
    task.answer = text(of_city.size());
    task.check = "numeric";
  } else if (kind == 3) {
    task.question = phrase(maker, kSumRows, {{"c", column}, {"v", row.city}});
    int sum = 0;
    for (const Row* one : of_city) {
      task.steps.push_back(text(one->name, " ", number(*one), ", ", sum, " + ", number(*one), " = ",
                                sum + number(*one)));
      sum += number(*one);
    }
    task.answer = text(sum);
    task.check = "numeric";
  } else {
    const int limit = number(row) - random.between(1, 9);
    task.question =
        phrase(maker, kFilterRows, {{"c", column}, {"v", row.city}, {"n", text(limit)}});
    std::vector<std::string_view> passed;
    for (const Row* one : of_city) {
      const bool passes = number(*one) > limit;
      task.steps.push_back(text(one->name, " ", number(*one), passes ? " yes" : " no"));
      if (passes) passed.push_back(one->name);
    }
    task.answer = join(passed);
    task.check = "set";
    for (const Row* one : of_city) {
      if (!contains(passed, one->name)) {
        task.rivals.push_back(text(task.answer, ", ", one->name));
      }
    }
    if (passed.size() > 1) task.rivals.push_back(std::string(passed[0]));
  }
  return task;
}

}  // namespace

Task make_extract_json(Maker& maker) {
  Random& random = maker.random;
  const auto all = random_details(random);
  const auto asked = random.draw(all, maker.by_level(1, 2, 4, 6));
  std::vector<std::string> sentences;
  std::vector<Detail> found = asked;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // At the highest level a detail may be missing: null.
    if (maker.level == 4 && i > 0 && random.chance(15)) {
      found[i].value.clear();
    } else {
      sentences.push_back(tell(maker, asked[i]));
    }
  }
  const int others = maker.by_level(0, 0, 1, 3);
  const auto other_details = random_details(random);
  for (int i = 0; i < others; ++i) {
    // Somebody else's, of a kind that is asked for.
    const auto key = random.pick(asked).key;
    const auto& detail = *std::ranges::find(other_details, key, &Detail::key);
    if (key != "name") sentences.push_back(tell_of(maker, first_name(random), detail));
  }
  const int talk = maker.by_level(1, 2, 3, 4);
  for (int i = 0; i < talk; ++i) sentences.push_back(small_talk(maker));
  random.shuffle(sentences);
  std::vector<std::string_view> keys;
  std::vector<const Detail*> values;
  for (const auto& detail : found) {
    keys.push_back(detail.key);
    values.push_back(&detail);
  }
  Task task{.question = phrase(maker, kAskJson, {{"k", join(keys)}, {"m", join(sentences, " ")}}),
            .answer = json_of(values),
            .check = "json"};
  if (maker.level == 4) task.question += " A value that is not given is null.";
  auto wrong = found;
  const auto& other = *std::ranges::find(other_details, wrong[0].key, &Detail::key);
  wrong[0].value = other.value;
  values[0] = wrong.data();
  if (json_of(values) != task.answer) task.rivals = {json_of(values)};
  return task;
}

Task make_table(Maker& maker) {
  Random& random = maker.random;
  const int size = maker.by_level(3, 6, 9, 13);
  const auto names = random.draw(kFirstNames, size);
  const auto cities = random.draw(kCities, maker.by_level(3, 4, 4, 4));
  // Different ages and points, so that the highest is one person.
  std::vector<int> numbers;
  for (int i = 0; i < 90; ++i) numbers.push_back(i + 10);
  const auto ages = random.draw(numbers, size);
  const auto points = random.draw(numbers, size);
  std::vector<Row> rows;
  std::string table = "name | city | age | points";
  for (int i = 0; i < size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    rows.push_back({names[at], random.pick(cities), ages[at], points[at]});
    table += text("\n", rows[at].name, " | ", rows[at].city, " | ", rows[at].age, " | ",
                  rows[at].points);
  }
  const int kind = maker.level <= 2 ? random.below(maker.level) : random.between(2, 4);
  Task task = ask_table(maker, rows, kind);
  task.question = phrase(maker, kAskTable, {{"t", table}, {"q", task.question}});
  if (auto more = follow_up_maker(maker)) {
    const int most = maker.by_level(0, 1, 4, 4);
    for (int i = 0; i < 4; ++i) {
      Task next = ask_table(*more, rows, more->random.between(0, most));
      task.follow_ups.push_back({std::move(next.question), full_answer(next)});
    }
  }
  return task;
}

}  // namespace lichen::eval::tasks
