#include "mechanisms/pipeline/word_index.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::mechanisms {
namespace {

TEST(WordIndex, WordsAreLettersAndDigits) {
  EXPECT_EQ(words_of("Gupa's 12, GUPA-12"), words_of("gupa s 12"));
  EXPECT_EQ(words_of("").size(), 0u);
  EXPECT_EQ(words_of("Zürich zürich").size(), 1u);
  EXPECT_NE(words_of("ab c"), words_of("a bc"));
  EXPECT_EQ(words_of("It was Gupa in 12", 4), words_of("gupa 12"));
}

class RareWordsTest : public testing::Test {
 protected:
  RareWordsTest() {
    for (const char* const part : {"The profit of Gupa. ", "The profit of Kuhir. ", "The rain. ",
                                   "The profit of Mola. ", "The debt of Gupa. "}) {
      chunks_.push_back({.begin = text_.size(), .end = text_.size() + std::string(part).size()});
      text_ += part;
    }
  }
  std::vector<bool> read(std::string_view job, double share) const {
    return WordIndex(text_, chunks_).chunks_with_rare_words(job, share);
  }
  std::string text_;
  std::vector<Span> chunks_;
};

TEST_F(RareWordsTest, ChunksWithoutThemAreNotRead) {
  EXPECT_EQ(read("Find the profit of Gupa.", 0.4), (std::vector{true, false, false, false, true}));
  EXPECT_EQ(read("Gupa or Kuhir?", 0.4), (std::vector{true, true, false, false, true}))
      << "any of them";
}

TEST_F(RareWordsTest, WithoutAnyAllChunksAreRead) {
  const std::vector<bool> all(5, true);
  EXPECT_EQ(read("Find the profit of Gupa.", 0.2), all) << "Gupa is in two of five";
  EXPECT_EQ(read("Who won?", 0.4), all) << "words that the document does not have";
  EXPECT_EQ(read("", 1), all);
}

}  // namespace
}  // namespace lichen::mechanisms
