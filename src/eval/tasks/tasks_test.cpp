#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "base/utf8.h"
#include "eval/checks.h"
#include "eval/suite.h"
#include "eval/tasks/documents.h"
#include "eval/tasks/mistakes.h"
#include "eval/tasks/sample.h"
#include "eval/tasks/skills.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr Split kSplits[] = {Split::train, Split::calibration, Split::test};
constexpr std::size_t kMaxCharacters = 6'500;

bool right(std::string_view check, std::string_view reference, std::string_view answer) {
  const auto found = find_check(check);
  EXPECT_TRUE(found) << check;
  const auto result = (*found)->right(reference, answer);
  EXPECT_TRUE(result) << result.error().detail;
  return result.value_or(false);
}

/// Calls `use` with some samples of every family, level and split.
template <class Use>
void for_samples(int each, Use use) {
  for (const Family& family : families()) {
    for (int level = 1; level <= kLevels; ++level) {
      for (const Split split : kSplits) {
        for (int i = 0; i < each; ++i) {
          use(make_sample({.split = split, .seed = 5}, family, level,
                          static_cast<std::uint64_t>(i)));
        }
      }
    }
  }
}

std::uint64_t fnv(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// A suite must be the same on every platform, and stay the same: figures are compared over
// versions. Where a family is changed on purpose, its line in golden_hashes.txt changes with it.
TEST(Tasks, AreTheSameEverywhere) {
  std::map<std::string, std::string> golden;
  std::ifstream file(LICHEN_SOURCE_DIR "/src/eval/tasks/golden_hashes.txt");
  for (std::string name, hash; file >> name >> hash;) golden[name] = hash;
  for (const Family& family : families()) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (int level = 1; level <= kLevels; ++level) {
      for (std::uint64_t i = 0; i < 20; ++i) {
        for (const Split split : kSplits) {
          const auto sample = make_sample({.split = split, .seed = 1}, family, level, i);
          hash = fnv(hash, to_json_line(sample, "id"));
        }
      }
    }
    EXPECT_EQ(golden[std::string(family.name)], std::to_string(hash)) << family.name;
  }
}

TEST(Tasks, IndexAloneDecides) {
  const auto cells = cells_of({}, {});
  const SampleOptions options{.split = Split::test, .seed = 3};
  const auto late = make_sample(options, cells, 1'000);
  make_sample(options, cells, 7);
  EXPECT_EQ(make_sample(options, cells, 1'000).prompt, late.prompt);
  EXPECT_NE(make_sample({.split = Split::test, .seed = 4}, cells, 1'000).prompt, late.prompt);
  EXPECT_NE(make_sample({.split = Split::train, .seed = 3}, cells, 1'000).prompt, late.prompt);
}

TEST(Tasks, EveryRoundHasEveryCell) {
  const auto cells = cells_of({}, {});
  EXPECT_EQ(cells.size(), families().size() * kLevels);
  for (const std::uint64_t round : {0, 1}) {
    std::set<std::pair<std::string_view, int>> seen;
    for (std::uint64_t i = 0; i < cells.size(); ++i) {
      const auto sample = make_sample({}, cells, round * cells.size() + i);
      seen.emplace(sample.family, sample.level);
    }
    EXPECT_EQ(seen.size(), cells.size());
  }
}

TEST(Tasks, AnswersPassTheirCheckAndOthersFail) {
  const std::map<std::string_view, std::string> kWrong = {{"numeric", "The answer is 0.5."},
                                                          {"choice", "maybe"},
                                                          {"date", "1066-10-14"},
                                                          {"plan", "up 99"},
                                                          {"json", "{}"},
                                                          {"final", "The answer is zzz."}};
  for_samples(15, [&](const Sample& sample) {
    const auto where =
        text(sample.family, " ", sample.level, ": ", sample.prompt, "\n", sample.answer);
    EXPECT_TRUE((*find_check(sample.check))->accepts(sample.reference)) << where;
    EXPECT_TRUE(right(sample.check, sample.reference, sample.answer)) << where;
    const auto wrong = kWrong.contains(sample.check)
                           ? kWrong.at(sample.check)
                           : sample.answer + (sample.check == "lines"   ? "\nzzz"
                                              : sample.check == "edits" ? "\nzzz => y"
                                                                        : ", zzz");
    EXPECT_FALSE(right(sample.check, sample.reference, wrong)) << where;
  });
}

TEST(Tasks, MistakesAreWrong) {
  for (const Family& family : families()) {
    if (!family.prompt.empty()) continue;
    for (int level = 1; level <= kLevels; ++level) {
      for (std::uint64_t i = 0; i < 60; ++i) {
        Maker maker{.random = Random(i), .level = level};
        const Task task = family.make(maker);
        if (task.check == "plan") continue;
        const auto wrong = wrong_answer(maker.random, task);
        EXPECT_FALSE(right(task.check, full_answer(task), wrong))
            << family.name << ": " << task.question << "\n"
            << wrong;
        for (const auto& rival : task.rivals) {
          EXPECT_FALSE(right(task.check, full_answer(task), full_answer(task.steps, rival)))
              << family.name << ": " << task.question << "\n"
              << rival;
        }
      }
    }
  }
}

TEST(Tasks, TextIsUtf8OfBoundedLength) {
  for_samples(15, [](const Sample& sample) {
    EXPECT_TRUE(base::valid_utf8(sample.prompt + sample.answer)) << sample.prompt;
    EXPECT_LE(sample.prompt.size() + sample.answer.size(), kMaxCharacters) << sample.family;
    EXPECT_EQ(sample.prompt, std::string(sample.prompt).c_str());  // no NUL
    EXPECT_FALSE(sample.answer.empty()) << sample.prompt;
    EXPECT_FALSE(sample.prompt.starts_with(' ') || sample.prompt.ends_with(' ')) << sample.prompt;
  });
}

TEST(Tasks, LinesOfASuiteAreRead) {
  std::string lines;
  int id = 0;
  for_samples(1, [&](const Sample& sample) { lines += to_json_line(sample, text(++id)) + "\n"; });
  const auto suite = parse_suite(lines, "made.jsonl");
  ASSERT_TRUE(suite) << suite.error().detail;
  EXPECT_EQ(suite->tasks.size(), families().size() * kLevels * 3);
}

/// Small letters and single spaces, slots as #: what a phrasing is whatever its punctuation.
std::string skeleton(std::string_view phrasing) {
  std::string out;
  bool in_slot = false;
  for (const char c : lowercase(phrasing)) {
    if (c == '{') in_slot = true;
    if (c == '}') out += '#';
    const bool letter = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    if (letter && !in_slot) out += c;
    if (c == ' ' && !out.empty() && out.back() != ' ') out += ' ';
    if (c == '}') in_slot = false;
  }
  return out;
}

// No way of asking that the test split uses is seen in training, and calibration has its own, too.
// Families ask alike at times, so this holds for the suite as a whole.
TEST(Tasks, SplitsShareNoPhrasing) {
  std::map<std::string, Split> owner;
  for (const Family& family : families()) {
    std::map<Split, std::set<std::string_view>> phrasings;
    for (const Split split : kSplits) {
      for (int level = 1; level <= kLevels; ++level) {
        for (std::uint64_t i = 0; i < 250; ++i) {
          std::vector<std::string_view> chosen;
          make_sample({.split = split, .seed = 9}, family, level, i, &chosen);
          phrasings[split].insert(chosen.begin(), chosen.end());
        }
      }
      for (const auto phrasing : phrasings[split]) {
        for (const auto& text : expansions(phrasing)) {
          const auto [at, fresh] = owner.emplace(skeleton(text), split);
          EXPECT_TRUE(fresh || at->second == split) << family.name << ": " << text;
        }
      }
    }
    if (!family.prompt.empty()) continue;  // asked by that prompt, perhaps alone
    EXPECT_GE(phrasings[Split::train].size() + phrasings[Split::calibration].size() +
                  phrasings[Split::test].size(),
              20u)
        << family.name;
  }
}

// Further questions are for training alone, and change nothing of the task itself.
TEST(Tasks, FollowUpsAreForTraining) {
  for (const std::string_view name :
       {"needle", "aggregate", "table", "count", "order", "transfer"}) {
    const Family& family = *find_family(name);
    bool some = false;
    for (std::uint64_t i = 0; i < 20; ++i) {
      const auto train = make_sample({.split = Split::train, .seed = 2}, family, 3, i);
      for (const auto& [question, answer] : train.follow_ups) {
        EXPECT_FALSE(question.empty() || answer.empty()) << name;
        EXPECT_FALSE(question.contains('{')) << question;
      }
      some |= !train.follow_ups.empty();
      EXPECT_EQ(to_training_line(train, "a").contains("follow_ups"), !train.follow_ups.empty());
      EXPECT_FALSE(to_json_line(train, "a").contains("follow_ups"));
      EXPECT_TRUE(make_sample({.split = Split::test}, family, 3, i).follow_ups.empty());
    }
    EXPECT_TRUE(some) << name;
  }
}

TEST(Tasks, HigherLevelsAreLonger) {
  for (const Family& family : families()) {
    double length[kLevels] = {};
    for (int level = 1; level <= kLevels; ++level) {
      for (std::uint64_t i = 0; i < 200; ++i) {
        const auto sample = make_sample({.split = Split::train}, family, level, i);
        length[level - 1] += static_cast<double>(sample.prompt.size() + sample.answer.size());
      }
    }
    // Facts are harder by being rare, which no length shows.
    if (family.name.starts_with("fact")) continue;
    EXPECT_LT(length[0], length[2]) << family.name;
    EXPECT_LT(length[1], length[3]) << family.name;
    EXPECT_LT(length[0] * 1.1, length[3]) << family.name;
  }
}

TEST(Tasks, EveryPromptIsASkill) {
  std::set<std::string_view> used;
  for (const Family& family : families()) {
    if (family.prompt.empty()) continue;
    used.insert(family.prompt);
    const auto prompt =
        std::ranges::find(mechanisms::prompts(), family.prompt, &mechanisms::Prompt::name);
    ASSERT_NE(prompt, mechanisms::prompts().end()) << family.prompt;
    // What follows the last slot stands in every question. (Slots are complete, or render failed.)
    const auto end = prompt->text.substr(prompt->text.rfind('}') + 1);
    const auto sample = make_sample({}, family, 1, 0);
    EXPECT_TRUE(sample.prompt.ends_with(end)) << family.name;
  }
  EXPECT_EQ(used.size(), mechanisms::prompts().size());
}

TEST(Documents, AreTheSameEverywhere) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (int level = 1; level <= kLevels; ++level) {
    for (const Split split : kSplits) {
      const auto sample = make_document_sample({.split = split}, 5'000, level, 7);
      hash = fnv(hash, to_json_line(sample, "id"));
    }
  }
  EXPECT_EQ(hash, 8823954062662254877u);
}

TEST(Documents, HaveSizePagesAndACheckableAnswer) {
  for (const std::size_t bytes : {kLeastDocument, std::size_t{20'000}}) {
    for (int level = 1; level <= kLevels; ++level) {
      const auto sample = make_document_sample({}, bytes, level, 1);
      EXPECT_GE(sample.document.size(), bytes);
      EXPECT_LE(sample.document.size(), bytes + 200);
      EXPECT_TRUE(base::valid_utf8(sample.document));
      EXPECT_EQ(sample.document.contains('\f'), bytes > 3'000);
      EXPECT_TRUE(right(sample.check, sample.reference, sample.answer)) << sample.prompt;
      const auto suite = parse_suite(to_json_line(sample, "a"), "made.jsonl");
      ASSERT_TRUE(suite) << suite.error().detail;
      EXPECT_EQ(suite->tasks[0].document, sample.document);
    }
  }
}

// What the question takes is stated once, each figure among others of its company.
TEST(Documents, StateWhatIsAskedFor) {
  for (std::uint64_t index = 0; index < 20; ++index) {
    const auto sample = make_document_sample({}, 5'000, 1, index);
    EXPECT_TRUE(sample.document.contains(" " + sample.answer + ".") ||
                sample.document.contains(" " + sample.answer + " "))
        << sample.prompt;
    const auto train = make_document_sample({.split = Split::train}, 5'000, 1, index);
    EXPECT_NE(train.prompt, sample.prompt);
  }
}

TEST(Tasks, FillTakesChoicesAndLeavesValuesAlone) {
  Random random(1);
  EXPECT_EQ(fill(random, "a {x} b{y}", {{"x", "[1|2] {y}"}, {"y", ""}}), "a [1|2] {y} b");
  EXPECT_EQ(expansions("[a|b] c[ d|]"), (std::vector<std::string>{"a c d", "b c d", "a c", "b c"}));
}

}  // namespace
}  // namespace lichen::eval::tasks
