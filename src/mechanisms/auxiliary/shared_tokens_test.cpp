#include "mechanisms/auxiliary/shared_tokens.h"

#include <gtest/gtest.h>

#include <string>

namespace lichen::mechanisms {
namespace {

/// Its tokens are the words given, "" ends an answer; texts are read word by word, longest first.
class Words : public model::Vocabulary {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}
  int size() const override { return static_cast<int>(words_.size()); }
  std::string_view piece(Token token) const override {
    return words_[static_cast<std::size_t>(token)];
  }
  bool ends(Token token) const override { return piece(token).empty(); }
  Result<std::vector<Token>> tokenize(std::string_view text, bool) const override {
    std::vector<Token> tokens;
    while (!text.empty()) {
      Token best = -1;
      for (Token token = 0; token < size(); ++token) {
        if (ends(token) || !text.starts_with(piece(token))) continue;
        if (best < 0 || piece(token).size() > piece(best).size()) best = token;
      }
      if (best < 0) return fail(Errc::bad_request, "not in the vocabulary");
      tokens.push_back(best);
      text.remove_prefix(piece(best).size());
    }
    return tokens;
  }

 private:
  const std::vector<std::string> words_;
};

TEST(SharedTokens, AreThoseWithTheSameBytes) {
  const Words drafter({"a", "b", "", "ab", "c"}), target({"c", "ab", "a", "b", "abc", ""});
  const SharedTokens shared(drafter, target);
  EXPECT_EQ(shared.target(0), 2);
  EXPECT_EQ(shared.target(3), 1);
  EXPECT_EQ(shared.target(2), 5) << "both end an answer";
  EXPECT_DOUBLE_EQ(shared.overlap(), 1);
}

TEST(SharedTokens, CountsWhatTheTargetLacks) {
  const Words drafter({"a", "b", "", "ab", "c"}), target({"a", "b", ""});
  const SharedTokens shared(drafter, target);
  EXPECT_EQ(shared.target(3), -1);
  EXPECT_DOUBLE_EQ(shared.overlap(), 0.5);
}

TEST(SharedTokens, TheDrafterReadsOthersInParts) {
  const Words drafter({"a", "b", "", "c"}), target({"abc", "c", "", "d"});
  const SharedTokens shared(drafter, target);
  std::vector<Token> read;
  ASSERT_TRUE(shared.read(1, read));
  ASSERT_TRUE(shared.read(0, read));
  EXPECT_EQ(read, (std::vector<Token>{3, 0, 1, 3}));
  EXPECT_FALSE(shared.read(3, read)) << "it has no way to read a `d`";
}

}  // namespace
}  // namespace lichen::mechanisms
