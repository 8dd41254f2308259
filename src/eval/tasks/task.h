// What a family makes: a question and its answer, before they become a line of a suite.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/tasks/random.h"

namespace lichen::eval::tasks {

enum class Split : std::uint8_t { train, calibration, test };

/// Everything that a maker may depend on: so one task never depends on another.
struct Maker {
  Random random;
  Split split = Split::train;
  int level = 1;  // 1 to 4
  /// Where not null, the phrasings that were chosen are written down here.
  std::vector<std::string_view>* chosen = nullptr;
  /// Where not null, `phrase` draws from this and not from `random`: with another one the same
  /// question is asked in other words.
  Random* wording = nullptr;

  /// The value for this level.
  template <class T>
  T by_level(T one, T two, T three, T four) const {
    return level == 1 ? one : level == 2 ? two : level == 3 ? three : four;
  }
};

/// Another question about what the task's question was about, and its answer in full.
struct FollowUp {
  std::string question;
  std::string answer;
};

struct Task {
  std::string question;
  /// The final answer alone.
  std::string answer;
  /// The worked steps, each a sentence without its full stop. Where there are any, the answer to
  /// give is the steps and "The answer is ...".
  std::vector<std::string> steps = {};
  std::string_view check = "final";
  /// Final answers that somebody could give by mistake; none where a slip of a digit is the mistake
  /// to expect.
  std::vector<std::string> rivals = {};
  /// What the check compares with where that is not the answer itself.
  std::string reference = {};
  /// For training text alone, as further turns of one chat: a long text is dear to read, so as much
  /// as possible should be learned from it.
  std::vector<FollowUp> follow_ups = {};
};

/// The answer as a model should write it.
std::string full_answer(const Task& task);
/// Steps and final answer as one text.
std::string full_answer(std::span<const std::string> steps, std::string_view answer);

/// Whoever makes follow-ups draws from a copy of the maker, so that the task is the same with and
/// without them. Empty unless the split is for training.
std::optional<Maker> follow_up_maker(const Maker& maker);

using Slot = std::pair<std::string_view, std::string_view>;

/// Fills a template: `{name}` is a slot, `[a|b|]` a choice of one at random. Values are not
/// scanned.
std::string fill(Random& random, std::string_view pattern, std::initializer_list<Slot> slots);

/// Ways to ask or to say one thing: templates for `fill`.
using Phrasings = std::span<const std::string_view>;

/// The part of a list of phrasings that a split may use. The last quarter (four at most) is for
/// test alone, the eighth before it (two at most) for calibration alone, one of each at least, the
/// rest for training.
Phrasings phrasings_of(Split split, Phrasings phrasings);

/// Asks: one phrasing that the maker's split may use, filled. Its words, though not their order,
/// are those of training: a test is of understanding, not of vocabulary.
std::string phrase(Maker& maker, Phrasings phrasings, std::initializer_list<Slot> slots = {});

/// Tells: any of the phrasings, filled. The sentences of the text that is asked about (what happens
/// in a story, what a message says) are the same language in every split.
std::string say(Random& random, Phrasings phrasings, std::initializer_list<Slot> slots = {});

/// Every text that the choices of a template allow, slots left as they are.
std::vector<std::string> expansions(std::string_view pattern);

}  // namespace lichen::eval::tasks
