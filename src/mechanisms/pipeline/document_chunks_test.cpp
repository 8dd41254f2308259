#include "mechanisms/pipeline/document_chunks.h"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace lichen::mechanisms {
namespace {

std::vector<std::string> texts(std::string_view document, std::size_t most, std::size_t overlap) {
  std::vector<std::string> texts;
  for (const Span& chunk : chunks_of(document, most, overlap)) {
    texts.emplace_back(chunk.of(document));
  }
  return texts;
}

TEST(DocumentChunks, AreCutBehindSentencesAndLines) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts("", 8, 0), Texts());
  EXPECT_EQ(texts("One. Two.", 100, 10), Texts{"One. Two."});
  EXPECT_EQ(texts("One is. Two are. Three.", 12, 0), (Texts{"One is. ", "Two are. ", "Three."}));
  EXPECT_EQ(texts("a b c d\ne f g h\n", 10, 0), (Texts{"a b c d\n", "e f g h\n"}));
  EXPECT_EQ(texts("no end in sight", 8, 0), (Texts{"no end ", "in sight"}));
  EXPECT_EQ(texts("abcdefghijkl", 8, 0), (Texts{"abcdefgh", "ijkl"}));
}

TEST(DocumentChunks, OverlapByWholeSentences) {
  const std::vector<std::string> chunks = texts("One is. Two are. Three. Four.", 18, 9);
  EXPECT_EQ(chunks,
            (std::vector<std::string>{"One is. Two are. ", "Two are. Three. ", "Three. Four."}));
}

// Whatever the text: each byte is in a chunk, none is too long, and no character is cut.
TEST(DocumentChunks, HoldTheWholeDocument) {
  std::string text;
  for (int i = 0; i < 400; ++i) {
    text += i % 7 == 0 ? "caf\u00e9\u20ac" : i % 11 == 0 ? "\n" : i % 5 == 0 ? ". " : "ab ";
  }
  text += std::string(300, 'x') + "\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac";
  for (const std::size_t most : {8, 9, 31, 64, 5'000}) {
    for (const std::size_t overlap : {std::size_t{0}, most / 4, most / 2}) {
      std::size_t end = 0;
      std::size_t begin = 0;
      for (const Span& chunk : chunks_of(text, most, overlap)) {
        EXPECT_LE(chunk.begin, end);
        EXPECT_GE(chunk.begin + overlap, end);
        EXPECT_TRUE(chunk.begin > begin || chunk.begin == 0);
        EXPECT_GT(chunk.end, end);
        EXPECT_LE(chunk.end - chunk.begin, most);
        EXPECT_TRUE(base::valid_utf8(chunk.of(text))) << chunk.of(text);
        begin = chunk.begin;
        end = chunk.end;
      }
      EXPECT_EQ(end, text.size());
    }
  }
}

TEST(DocumentChunks, SentencesHaveNoWhiteSpaceAround) {
  const std::string text = "One is 3.5 high. Two?\n\n Three\f";
  std::vector<std::string> sentences;
  for (const Span& sentence : sentences_of(text, {.begin = 0, .end = text.size()})) {
    sentences.emplace_back(sentence.of(text));
  }
  EXPECT_EQ(sentences, (std::vector<std::string>{"One is 3.5 high.", "Two?", "Three"}));
  EXPECT_TRUE(sentences_of(" \n ", {.begin = 0, .end = 3}).empty());
}

TEST(DocumentChunks, PagesBeginBehindFormFeeds) {
  EXPECT_EQ(page_of("one", 1), 0);
  const std::string text = "one\ftwo\fthree";
  EXPECT_EQ(page_of(text, 0), 1);
  EXPECT_EQ(page_of(text, 3), 1);
  EXPECT_EQ(page_of(text, 4), 2);
  EXPECT_EQ(page_of(text, text.size() - 1), 3);
}

}  // namespace
}  // namespace lichen::mechanisms
