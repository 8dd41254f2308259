#include "mechanisms/pipeline/review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;
using Verdict = Review::Verdict;

constexpr std::string_view kDraft = "2 * 3 = 5. 5 + 4 = 9. The answer is 9.";

AnswerToken token(std::string text, double probability,
                  std::vector<std::pair<std::string, double>> others = {}) {
  AnswerToken token{.text = text, .logprob = static_cast<float>(std::log(probability))};
  token.top.push_back({.text = text, .logprob = token.logprob});
  for (auto& [other, p] : others) {
    token.top.push_back({.text = std::move(other), .logprob = static_cast<float>(std::log(p))});
  }
  return token;
}

/// Says `pieces` one after the other; how many were listened to.
int say(Review& review, const std::vector<std::string>& pieces) {
  int heard = 0;
  for (const std::string& text : pieces) {
    ++heard;
    if (!run(review.write({.text = text, .model = "large", .tokens = 1}))) break;
  }
  return heard;
}

TEST(OkProbability, IsReadOffTheFirstToken) {
  OkProbability ok;
  EXPECT_EQ(ok.value(), std::nullopt);
  ok.take(token("2", 0.6, {{"OK", 0.25}, {" OK", 0.05}, {"5", 0.1}}));
  EXPECT_NEAR(*ok.value(), 0.3, 1e-6);
  ok.take(token("OK", 1));
  EXPECT_NEAR(*ok.value(), 0.3, 1e-6) << "later ones tell nothing";
}

TEST(OkProbability, MayTakeSeveralTokens) {
  OkProbability ok;
  ok.take(token(" ", 0.9));
  ok.take(token("O", 0.8, {{"OK", 0.1}}));
  EXPECT_EQ(ok.value(), std::nullopt);
  ok.take(token("ne", 0.7, {{"K", 0.3}}));
  EXPECT_NEAR(*ok.value(), 0.1 + 0.8 * 0.3, 1e-6);
}

TEST(OkProbability, ATokenNeedNotBeAmongItsAlternatives) {
  OkProbability ok;
  ok.take({.text = "OK", .logprob = std::log(0.5F), .top = {{"no", std::log(0.4F)}}});
  EXPECT_NEAR(*ok.value(), 0.5, 1e-6);
}

TEST(Review, StopsListeningAtOk) {
  Review review(kDraft, {});
  EXPECT_EQ(say(review, {" ", "O", "K", ".", " I think"}), 3);
  EXPECT_EQ(review.verdict(), Verdict::accepted);
}

TEST(Review, AnEndpointMayEndByItself) {
  Review review(kDraft, {.hang_up = false});
  EXPECT_EQ(say(review, {"OK", ".", " I", " think"}), 3);
  EXPECT_EQ(review.verdict(), Verdict::accepted);
}

TEST(Review, WeighsOkAgainstItsThreshold) {
  const auto verdict = [](double accept, AnswerToken said, bool edits = true) {
    Review review(kDraft, {.accept = accept, .edits = edits});
    Piece piece{.text = said.text, .model = "large", .tokens = 1, .logprobs = {said}};
    run(review.write(std::move(piece)));
    return review.verdict();
  };
  const AnswerToken ok = token("OK", 0.7, {{"5", 0.3}});
  EXPECT_EQ(verdict(0.65, ok), Verdict::accepted);
  EXPECT_EQ(verdict(0.75, ok), Verdict::unsure) << "and there are no edits to wait for";
  const AnswerToken edit = token("5", 0.7, {{"OK", 0.3}});
  EXPECT_EQ(verdict(0.25, edit), Verdict::accepted);
  EXPECT_EQ(verdict(0.5, edit), Verdict::none);
  EXPECT_EQ(verdict(0.5, edit, false), Verdict::unsure);
}

TEST(Review, CarriesOutEdits) {
  Review review(kDraft, {});
  EXPECT_EQ(say(review, {"3 = 5", " => 3 = 6\n", "5 + 4 = 9 => 6 + 4", " = 10\n\n"}), 4);
  EXPECT_EQ(review.verdict(), Verdict::none);
  review.finish({.text = "3 = 5 => 3 = 6\n5 + 4 = 9 => 6 + 4 = 10\n\nis 9. => is 10."});
  EXPECT_EQ(review.verdict(), Verdict::mended);
  EXPECT_EQ(review.reason(), "3 edits by large");
  const Answer draft{.text = std::string(kDraft),
                     .authors = {{.model = "small", .tokens = 19, .bytes = 38}},
                     .completion_tokens = 19};
  const Answer mended = review.mended(draft, {"answer", ""});
  EXPECT_EQ(mended.text, "2 * 3 = 6. 6 + 4 = 10. The ") << "up to the stop string";
  ASSERT_EQ(mended.authors.size(), 5u);
  EXPECT_EQ(mended.authors[0].model, "small");
  EXPECT_EQ(mended.authors[0].tokens, 2);
  EXPECT_EQ(mended.authors[1].model, "large");
  std::int64_t tokens = 0, bytes = 0;
  for (const Stretch& stretch : mended.authors) {
    tokens += stretch.tokens;
    bytes += stretch.bytes;
  }
  EXPECT_EQ(tokens, mended.completion_tokens);
  EXPECT_EQ(bytes, std::ssize(mended.text));
}

TEST(Review, StopsListeningAtAnEditThatCannotBe) {
  for (const char* edit : {"17 => 14\n", "9 => 10\n", "OO\n"}) {
    Review review(kDraft, {});
    EXPECT_EQ(say(review, {edit, "more"}), 1) << edit;
    EXPECT_EQ(review.verdict(), Verdict::useless) << edit;
  }
  Review review(kDraft, {});
  say(review, {std::string(300, 'x') + "\n"});
  EXPECT_LT(review.reason().size(), 100u);
}

TEST(Review, SilenceAndHalfEditsAreUseless) {
  Review silent(kDraft, {});
  silent.finish({.text = " \n"});
  EXPECT_EQ(silent.verdict(), Verdict::useless);
  Review cut(kDraft, {});
  say(cut, {"3 = 5 =>"});
  cut.finish({.text = "3 = 5 =>", .finish = Finish::length});
  EXPECT_EQ(cut.verdict(), Verdict::useless);
  EXPECT_THAT(cut.reason(), HasSubstr("cut off"));
}

TEST(Review, ADraftMayHaveOkInIt) {
  constexpr std::string_view kOkDraft = "That is OK with me.";
  Review edited(kOkDraft, {});
  EXPECT_EQ(say(edited, {"OK", " => fine"}), 2);
  edited.finish({.text = "OK => fine"});
  EXPECT_EQ(edited.verdict(), Verdict::mended);
  EXPECT_EQ(edited.mended({}, {}).text, "That is fine with me.");
  Review accepted(kOkDraft, {});
  EXPECT_EQ(say(accepted, {"OK", "\n"}), 2);
  accepted.finish({.text = "OK\n"});
  EXPECT_EQ(accepted.verdict(), Verdict::accepted);
  Review answered(kOkDraft, {.edits = false});
  answered.finish({.text = "OK => fine"});
  EXPECT_EQ(answered.verdict(), Verdict::unsure);
}

}  // namespace
}  // namespace lichen::mechanisms
