#include "eval/tasks/words.h"

#include <algorithm>

namespace lichen::eval::tasks {

bool is_woman(std::string_view first_name) {
  return (std::ranges::find(kFirstNames, first_name) - std::begin(kFirstNames)) % 2 == 0;
}

std::string invented_word(Random& random, int syllables) {
  constexpr std::string_view kOnsets[] = {"b", "d", "f", "g", "h", "k",  "l",  "m",  "n",  "p",
                                          "r", "s", "t", "v", "z", "br", "dr", "kl", "st", "tr"};
  constexpr std::string_view kVowels[] = {"a", "e", "i", "o", "u"};
  constexpr std::string_view kEnds[] = {"n", "r", "l", "s", "k", "m"};
  std::string word;
  for (int i = 0; i < syllables; ++i)
    word.append(random.pick(kOnsets)).append(random.pick(kVowels));
  if (random.chance(40)) word += random.pick(kEnds);
  return word;
}

}  // namespace lichen::eval::tasks
