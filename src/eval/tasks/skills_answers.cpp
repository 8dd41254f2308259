// Judging, comparing, mending, hinting, fusing: prompts about answers to other families' tasks.
#include <array>

#include "eval/tasks/families.h"
#include "eval/tasks/mistakes.h"
#include "eval/tasks/skills.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

using Make = Task (*)(Maker&);

constexpr Make kBases[] = {
    make_add,        make_subtract, make_multiply,        make_terms,   make_story,   make_shopping,
    make_rates,      make_date_add, make_date_difference, make_weekday, make_clock,   make_units,
    make_sort,       make_list_ops, make_statistics,      make_count,   make_kinship, make_order,
    make_transfer,   make_boolean,  make_implication,     make_table,   make_fact,    make_fact,
    make_fact_chain, make_code};

constexpr Make kWorked[] = {
    make_multiply,        make_terms, make_story,   make_shopping,   make_rates,
    make_date_difference, make_units, make_kinship, make_statistics, make_code};

}  // namespace

std::string asked_by(std::string_view prompt, std::initializer_list<mechanisms::PromptSlot> slots) {
  return mechanisms::render(prompt, slots).value();
}

Task random_base(Maker& maker) { return maker.random.pick(kBases)(maker); }

Task random_worked(Maker& maker, std::size_t steps) {
  for (;;) {
    // Expressions have three terms at least, so this ends.
    Task task = maker.random.pick(kWorked)(maker);
    if (task.steps.size() >= steps) return task;
    if (task = make_terms(maker); task.steps.size() >= steps) return task;
  }
}

Task make_judge(Maker& maker) {
  const Task base = random_base(maker);
  const bool right = maker.random.chance(50);
  const auto answer = right ? full_answer(base) : wrong_answer(maker.random, base);
  return {.question = asked_by("judge", {{"question", base.question}, {"answer", answer}}),
          .answer = right ? "yes" : "no",
          .check = "choice"};
}

Task make_verify(Maker& maker) {
  for (;;) {
    const Task base = random_worked(maker, 2);
    auto wrong = wrong_step(maker.random, base);
    if (!wrong) continue;
    const bool right = maker.random.chance(40);
    const auto answer = right ? full_answer(base) : full_answer(wrong->steps, wrong->answer);
    return {.question = asked_by("verify", {{"question", base.question}, {"answer", answer}}),
            .answer = right ? "right" : "wrong: " + wrong->first_wrong};
  }
}

Task make_compare(Maker& maker) {
  const Task base = random_base(maker);
  const auto right = full_answer(base);
  const auto wrong = wrong_answer(maker.random, base);
  const bool first = maker.random.chance(50);
  return {.question = asked_by("compare", {{"question", base.question},
                                           {"a", first ? right : wrong},
                                           {"b", first ? wrong : right}}),
          .answer = first ? "A" : "B",
          .check = "choice"};
}

Task make_refine(Maker& maker) {
  Random& random = maker.random;
  const Task base = random.chance(50) ? random_base(maker) : random_worked(maker, 2);
  const auto wanted = full_answer(base);
  std::string draft = wanted;
  if (random.chance(60)) {
    const auto wrong = random.chance(50) ? wrong_step(random, base) : std::nullopt;
    draft = wrong ? full_answer(wrong->steps, wrong->answer) : wrong_answer(random, base);
  }
  return {.question = asked_by("refine", {{"question", base.question}, {"draft", draft}}),
          .answer = draft == wanted ? "OK" : edits_between(draft, wanted),
          .check = "edits",
          .reference = text("{\"draft\": ", quoted(draft), ", \"check\": ", quoted(base.check),
                            ", \"reference\": ", quoted(wanted), "}")};
}

Task make_hint_use(Maker& maker) {
  Task task = random_worked(maker, maker.level >= 3 ? 2 : 1);
  task.question =
      asked_by("hint_use", {{"question", task.question}, {"hint", task.steps.front() + "."}});
  return task;
}

Task make_hint_write(Maker& maker) {
  const Task base = random_worked(maker, maker.level == 1 ? 1 : 2);
  return {.question = asked_by("hint_write", {{"question", base.question}}),
          .answer = base.steps.front() + "."};
}

Task make_prior(Maker& maker) {
  Random& random = maker.random;
  Task task = random_base(maker);
  // Confidence tells something, not everything.
  const bool right = random.chance(60);
  const int confidence = right ? random.between(55, 99) : random.between(20, 85);
  const auto given = right ? full_answer(task) : wrong_answer(random, task);
  task.question = asked_by("prior", {{"question", task.question},
                                     {"confidence", text("0.", padded(confidence, 2))},
                                     {"answer", given}});
  return task;
}

Task make_fuse(Maker& maker) {
  Random& random = maker.random;
  Task task = random_base(maker);
  std::vector<std::string> answers{full_answer(task)};
  const int wrong = maker.by_level(1, random.between(1, 2), 2, 3);
  for (int i = 0; i < wrong; ++i) {
    answers.push_back(random.chance(25) ? full_answer(task) : wrong_answer(random, task));
  }
  random.shuffle(answers);
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] = text(i + 1, ": ", answers[i]);
  task.question = asked_by("fuse", {{"question", task.question}, {"answers", join(answers, "\n")}});
  return task;
}

Task make_rationale(Maker& maker) {
  Task task = random_worked(maker, maker.level == 1 ? 1 : 2);
  task.question = asked_by("rationale", {{"question", task.question}});
  return task;
}

}  // namespace lichen::eval::tasks
