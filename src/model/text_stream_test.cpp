#include "model/text_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"

namespace lichen::model {
namespace {

using testing::ElementsAre;

/// What each push returned, and finish at the end.
std::vector<std::string> pieces(const std::vector<std::string>& stops,
                                const std::vector<std::string>& tokens) {
  TextStream stream(stops);
  std::vector<std::string> out;
  for (const std::string& token : tokens) out.push_back(stream.push(token));
  out.push_back(stream.finish());
  return out;
}

/// The specification, on the whole text at once.
std::string expected(const std::vector<std::string>& stops, const std::string& bytes) {
  std::size_t end = std::string::npos, start = bytes.size();
  for (const std::string& stop : stops) {
    const std::size_t at = stop.empty() ? std::string::npos : bytes.find(stop);
    if (at == std::string::npos) continue;
    if (at + stop.size() < end || (at + stop.size() == end && at < start)) {
      end = at + stop.size();
      start = at;
    }
  }
  return base::replace_invalid_utf8(bytes.substr(0, start));
}

TEST(TextStream, PassesPlainTextOnAtOnce) {
  EXPECT_THAT(pieces({}, {"Hello", "", " world"}), ElementsAre("Hello", "", " world", ""));
}

TEST(TextStream, HoldsAnUnfinishedCharacterBack) {
  EXPECT_THAT(pieces({}, {"a\xE2", "\x82", "\xAC.", "\xF0\x9F\x8D", "\x84"}),
              ElementsAre("a", "", "€.", "", "🍄", ""));
}

TEST(TextStream, ReplacesWhatNeverBecomesACharacter) {
  EXPECT_THAT(pieces({}, {"a\xFF", "\xE2\x82", "b", "\xE2\x82"}),
              ElementsAre("a\uFFFD", "", "\uFFFDb", "", "\uFFFD"));
}

TEST(TextStream, FindsAStopInsideOneToken) {
  TextStream stream({"END"});
  EXPECT_EQ(stream.push("one ENDless"), "one ");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("more"), "");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, FindsAStopAcrossTokens) {
  EXPECT_THAT(pieces({"\n\nUser:"}, {"yes.", "\n", "\nUs", "er", ": and"}),
              ElementsAre("yes.", "", "", "", "", ""));
}

TEST(TextStream, ReleasesWhatWasNotAStopAfterAll) {
  EXPECT_THAT(pieces({"<end>"}, {"a <e", "m>", " b <", "en"}),
              ElementsAre("a ", "<em>", " b ", "", "<en"));
}

TEST(TextStream, FallsBackToAShorterBeginning) {
  // After "aab" the last two bytes still may begin "aabaac".
  EXPECT_THAT(pieces({"aabaac"}, {"aabaa", "b", "aac", "x"}), ElementsAre("", "aab", "", "", ""));
}

TEST(TextStream, OfSeveralStopsTheFirstCompleteOneWins) {
  TextStream stream({"abcd", "bc"});
  EXPECT_EQ(stream.push("xab"), "x");
  EXPECT_EQ(stream.push("cd"), "a");
  EXPECT_TRUE(stream.stopped());
}

TEST(TextStream, OfStopsThatEndTogetherTheLongestWins) {
  TextStream stream({"c", "bc", "abc"});
  EXPECT_EQ(stream.push("xabcy"), "x");
}

TEST(TextStream, IgnoresEmptyStops) {
  TextStream stream({"", ""});
  EXPECT_EQ(stream.push("text"), "text");
  EXPECT_FALSE(stream.stopped());
}

TEST(TextStream, HoldsNoMoreThanTheLongestStop) {
  TextStream stream({std::string(8, 'a') + "b"});
  std::size_t returned = 0;
  for (int i = 0; i < 10'000; ++i) returned += stream.push("a").size();
  EXPECT_EQ(returned, 10'000u - 8u);
}

TEST(TextStream, EverySplitGivesTheSameText) {
  const std::vector<std::vector<std::string>> stops = {
      {},       {"€"},          {"\n\n"},       {"ab", "ba"}, {"aab", "abb", "b"},
      {"\x82"}, {"é", "", "ü"}, {"abab", "ba"}, {"\xE2\x82"}, {"\uFFFD"},
  };
  const std::vector<std::string> texts = {
      "",         "abab",        "aaabb\n\na",    "a€\n\nb",     "🍄é\xFFü",
      "\xE2\x82", "x\xE2\x82y€", "\xF0\x9F\x8D€", "caé\x82\xAC", "\xED\xA0\x80z",
  };
  for (const auto& stop : stops) {
    for (const std::string& text : texts) {
      const std::string want = expected(stop, text);
      ASSERT_TRUE(base::valid_utf8(want));
      const std::size_t gaps = text.empty() ? 0 : text.size() - 1;
      for (unsigned cuts = 0; cuts < (1u << gaps); ++cuts) {
        TextStream stream(stop);
        std::string got;
        std::size_t begin = 0;
        for (std::size_t i = 1; i <= text.size(); ++i) {
          if (i < text.size() && !(cuts >> (i - 1) & 1)) continue;
          const std::string piece = stream.push(std::string_view(text).substr(begin, i - begin));
          ASSERT_TRUE(base::valid_utf8(piece));
          got += piece;
          begin = i;
        }
        got += stream.finish();
        ASSERT_EQ(got, want) << "cuts " << cuts << " of '" << text << "'";
      }
    }
  }
}

}  // namespace
}  // namespace lichen::model
