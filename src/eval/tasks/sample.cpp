#include "eval/tasks/sample.h"

#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

/// What people write around a question. A third of the questions that are not asked by a prompt of
/// prompts/ get it.
constexpr std::string_view kManners[] = {"Hello! {q}",
                                         "Hi. {q}",
                                         "Please help me. {q}",
                                         "{q} Thanks!",
                                         "A quick question: {q}",
                                         "{q} Thank you.",
                                         "Hi there, I need an answer. {q}",
                                         "I have a question and need your help: {q}",
                                         "Good evening! [Can|Could] you help me? {q}",
                                         "Morning! {q}",
                                         "This morning I have a question: {q}",
                                         "{q} Have a good day.",
                                         "I hope that you have a nice day. {q}",
                                         "{q} [Please keep it short.|A short answer is enough.]",
                                         "{q} Please let the answer be short.",
                                         "{q} A short answer would be good.",
                                         "{q} Many thanks for your time.",
                                         "{q} I thank you for your time.",
                                         "I need help. {q}",
                                         "{q} Please be short.",
                                         "Good morning. {q}",
                                         "Hi, please help. {q}",
                                         "{q} Thank you for your help.",
                                         "Good day. {q}"};

/// FNV-1a: a family keeps its tasks when another one is put before it.
std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

Sample make_sample(const Family& family, Maker maker) {
  const int level = maker.level;
  Task task = family.make(maker);
  // A text of several lines may end in a table or a program, which thanks would spoil.
  const bool may_be_polite = family.prompt.empty() && !task.question.contains('\n');
  if (may_be_polite && maker.random.chance(33)) {
    task.question = phrase(maker, kManners, {{"q", task.question}});
  }
  auto answer = full_answer(task);
  auto reference = task.reference.empty() ? answer : std::move(task.reference);
  return {.family = family.name,
          .level = level,
          .prompt = std::move(task.question),
          .answer = std::move(answer),
          .reference = std::move(reference),
          .check = task.check,
          .follow_ups = std::move(task.follow_ups)};
}

Maker maker_of(const SampleOptions& options, const Family& family, int level, std::uint64_t index) {
  const auto split_and_seed = mixed(options.seed, static_cast<std::uint64_t>(options.split));
  const auto cell = mixed(split_and_seed, hash_of(family.name) + static_cast<std::uint64_t>(level));
  return {.random = Random(mixed(cell, index)), .split = options.split, .level = level};
}

}  // namespace

Sample make_sample(const SampleOptions& options, const Family& family, int level,
                   std::uint64_t index, std::vector<std::string_view>* chosen_phrasings) {
  Maker maker = maker_of(options, family, level, index);
  maker.chosen = chosen_phrasings;
  return make_sample(family, std::move(maker));
}

Sample reworded_sample(const SampleOptions& options, const Family& family, int level,
                       std::uint64_t index, std::uint64_t wording) {
  Random words(mixed(wording, index));
  Maker maker = maker_of(options, family, level, index);
  maker.wording = &words;
  return make_sample(family, std::move(maker));
}

Sample make_sample(const SampleOptions& options, std::span<const FamilyLevel> cells,
                   std::uint64_t index) {
  const std::uint64_t round = index / cells.size();
  // The place of this round's cell: a Fisher-Yates order, seeded by the round.
  std::vector<std::uint32_t> order(cells.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  Random(mixed(options.seed, round)).shuffle(order);
  const FamilyLevel& cell = cells[order[index % cells.size()]];
  return make_sample(options, *cell.family, cell.level, index);
}

std::vector<FamilyLevel> cells_of(std::span<const Family* const> chosen,
                                  std::span<const int> levels) {
  std::vector<FamilyLevel> cells;
  const auto add = [&](const Family& family) {
    for (int level = 1; level <= kLevels; ++level) {
      if (levels.empty() || contains(levels, level)) cells.push_back({&family, level});
    }
  };
  for (const Family* family : chosen) add(*family);
  if (chosen.empty()) {
    for (const Family& family : families()) add(family);
  }
  return cells;
}

std::optional<Split> split_named(std::string_view name) {
  if (name == "train") return Split::train;
  if (name == "calibration") return Split::calibration;
  if (name == "test") return Split::test;
  return std::nullopt;
}

std::string_view name_of(Split split) {
  switch (split) {
    case Split::train: return "train";
    case Split::calibration: return "calibration";
    case Split::test: return "test";
  }
  return "";
}

std::string to_json_line(const Sample& sample, std::string_view id) {
  auto line =
      text("{\"id\": ", quoted(id), ", \"family\": ", quoted(sample.family),
           ", \"level\": ", sample.level, ", \"prompt\": ", quoted(sample.prompt),
           ", \"reference\": ", quoted(sample.reference), ", \"check\": ", quoted(sample.check));
  if (!sample.document.empty()) line += text(", \"document\": ", quoted(sample.document));
  if (sample.answer != sample.reference) line += text(", \"answer\": ", quoted(sample.answer));
  return line += "}";
}

std::string to_training_line(const Sample& sample, std::string_view id) {
  auto line = to_json_line(sample, id);
  if (sample.follow_ups.empty()) return line;
  std::vector<std::string> turns;
  for (const auto& [question, answer] : sample.follow_ups) {
    turns.push_back(text("[", quoted(question), ", ", quoted(answer), "]"));
  }
  line.pop_back();
  return line += text(", \"follow_ups\": [", join(turns), "]}");
}

}  // namespace lichen::eval::tasks
