#include "mechanisms/auxiliary/speculate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ByteVocabulary;
using model::LocalModel;
using model::ScriptedBackend;
using testing::HasSubstr;
using namespace boost::asio::experimental::awaitable_operators;

constexpr model::Backend::Limits kLimits{.cells = 1'024,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 16,
                                         .train_length = 400,
                                         .embedding = 4};

/// Says the byte of `reply` whose turn it is, behind "user: ?\n".
std::unique_ptr<ScriptedBackend> saying(std::string reply,
                                        model::Backend::Limits limits = kLimits) {
  auto backend =
      std::make_unique<ScriptedBackend>(limits, [reply](std::span<const Token> before) -> Token {
        std::size_t at = 0;
        while (before[before.size() - 1 - at] != '\n') ++at;
        return at < reply.size() ? static_cast<unsigned char>(reply[at]) : ByteVocabulary::kEnd;
      });
  backend->sureness = [](std::span<const Token>) { return 12.0F; };
  return backend;
}

class SpeculateTest : public testing::Test {
 protected:
  void pair(std::unique_ptr<ScriptedBackend> drafter, std::unique_ptr<ScriptedBackend> target) {
    drafter->on_decode = [this](std::span<const model::BatchToken>) {
      ++drafter_passes_;
      return !drafter_fails_;
    };
    target->on_decode = [this](std::span<const model::BatchToken> batch) {
      ++target_passes_;
      widest_ = std::max(widest_, batch.size());
      std::map<model::Seq, std::size_t> tokens;
      for (const model::BatchToken& token : batch) ++tokens[token.seq];
      // A request that comes later has its prompt read beside what others write.
      if (std::ranges::any_of(batch, [](const auto& token) { return token.position == 0; })) {
        return true;
      }
      for (const auto& [seq, count] : tokens) uneven_ += count != tokens.begin()->second;
      return true;
    };
    answerers_ = {
        {"small", make_scripted_local_model("small", lane_, std::move(drafter), {}, times_)},
        {"large", make_scripted_local_model("large", lane_, std::move(target), {}, times_)}};
    choices_ = {{"draft", "small"}, {"target", "large"}};
  }
  void pair(const std::string& drafter, const std::string& target) {
    pair(saying(drafter), saying(target));
  }
  Result<AnswererPtr> plan() {
    ScriptedOptions options;
    for (const auto& [key, name] : choices_) options.answerers[key] = answerers_.at(name);
    options.numbers = numbers_;
    options.flags = flags_;
    return build_speculate(options);
  }
  std::string why_not() {
    const Result<AnswererPtr> built = plan();
    return built ? "" : built.error().detail;
  }
  /// The answer's text; that nothing was lost or shown twice, and that the books are right.
  std::string answered() {
    CollectingSink sink;
    Turn turn("plan", &sink);
    target_passes_ = drafter_passes_ = 0;
    Result<Answer> answer = run((*plan())->answer(request_, turn));
    receipt_ = turn.receipt;
    if (!answer) return std::string(to_string(answer.error().code));
    EXPECT_EQ(sink.text(), answer->text);
    EXPECT_LE(answer->accepted_tokens, answer->drafted_tokens);
    EXPECT_LE(answer->accepted_tokens, answer->completion_tokens);
    EXPECT_EQ(answer->authors.size(), 1U);
    EXPECT_EQ(answer->authors.front().model, "large");
    const Step& step = turn.receipt.steps.back();
    EXPECT_EQ(step.model, "large");
    EXPECT_EQ(step.tokens_out, answer->completion_tokens);
    answer_ = *std::move(answer);
    return answer_.text;
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::map<std::string, ModelPtr> answerers_;
  std::map<std::string, std::string> choices_;
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, bool, std::less<>> flags_ = {{"copy", false}};
  Request request_{.messages = {{"user", "?"}}};
  Answer answer_;
  Receipt receipt_;
  int target_passes_ = 0;
  int drafter_passes_ = 0;
  std::size_t widest_ = 0;
  std::size_t uneven_ = 0;  // parts of a target's pass with another number of tokens than the first
  bool drafter_fails_ = false;
  model::StepTimes times_ = {};  // none: guesses cost nothing
};

const std::string kLong = "the quick brown fox jumps over the lazy dog, and away it runs";

TEST_F(SpeculateTest, ARightDrafterSavesPasses) {
  pair(kLong, kLong);
  EXPECT_EQ(answered(), kLong);
  EXPECT_LT(target_passes_, static_cast<int>(kLong.size()) / 3);
  EXPECT_GE(answer_.accepted_tokens + 1, answer_.drafted_tokens) << "the end is not written";
  ASSERT_EQ(receipt_.drafts.size(), 1U);
  EXPECT_EQ(receipt_.drafts[0].author, "small");
  EXPECT_EQ(receipt_.drafts[0].accepted, answer_.accepted_tokens);
  ASSERT_EQ(receipt_.steps.size(), 2U);
  EXPECT_EQ(receipt_.steps[0].role, "draft");
  EXPECT_GE(receipt_.steps[0].tokens_out, answer_.drafted_tokens);
  ASSERT_EQ(receipt_.decisions.size(), 1U);
  EXPECT_THAT(receipt_.decisions[0].reason, HasSubstr("tokens by small accepted"));
}

TEST_F(SpeculateTest, AWrongDrafterChangesNothing) {
  pair(std::string(2 * kLong.size(), '#'), kLong);
  EXPECT_EQ(answered(), kLong);
  EXPECT_EQ(answer_.accepted_tokens, 0);
}

TEST_F(SpeculateTest, APartlyRightDrafterHelpsInPart) {
  std::string half = kLong;
  for (std::size_t i = 0; i < half.size(); i += 7) half[i] = '#';
  pair(half, kLong);
  EXPECT_EQ(answered(), kLong);
  EXPECT_GT(answer_.accepted_tokens, 10);
  EXPECT_LT(answer_.accepted_tokens, answer_.drafted_tokens);
}

TEST_F(SpeculateTest, ADrafterThatIsSeldomRightIsSoonAskedNoMore) {
  times_ = {.passes = {{1, 1, 1}, {32, 1, 1}}};
  pair(std::string(2 * kLong.size(), '#'), kLong);
  const AnswererPtr answerer = *plan();
  int passes = 0;
  for (int i = 0; i < 8; ++i) {
    Turn turn("plan");
    drafter_passes_ = 0;
    ASSERT_TRUE(run(answerer->answer(request_, turn)));
    passes = drafter_passes_;
  }
  EXPECT_LE(passes, 4) << "of " << kLong.size() << " rounds";
}

TEST_F(SpeculateTest, CopiesFromThePrompt) {
  flags_ = {{"copy", true}};
  const std::string said = "abcdefghijklmnopqrstuvwxyz";
  pair("-", "abc" + said.substr(3) + "!");
  choices_.erase("draft");
  request_.messages = {{"user", said}, {"user", "?"}};
  EXPECT_EQ(answered(), said + "!");
  EXPECT_LT(target_passes_, 15);
  ASSERT_EQ(receipt_.drafts.size(), 1U);
  EXPECT_EQ(receipt_.drafts[0].author, "copy");
  EXPECT_EQ(receipt_.steps.size(), 1U);
}

TEST_F(SpeculateTest, KeepsToMaxTokensAndStopStrings) {
  pair(kLong, kLong);
  for (const int most : {1, 2, 5, 17}) {
    request_.max_tokens = most;
    EXPECT_EQ(answered(), kLong.substr(0, static_cast<std::size_t>(most)));
    EXPECT_EQ(answer_.finish, Finish::length);
    EXPECT_LE(answer_.accepted_tokens, most);
  }
  request_.max_tokens.reset();
  request_.stop = {"fox"};
  EXPECT_EQ(answered(), kLong.substr(0, kLong.find("fox")));
}

TEST_F(SpeculateTest, LongestBoundsARound) {
  pair(kLong, kLong);
  numbers_ = {{"longest", 2}};
  EXPECT_EQ(answered(), kLong);
  EXPECT_LE(widest_, 8U) << "the prompt";
  EXPECT_GE(target_passes_, static_cast<int>(kLong.size()) / 3);
}

TEST_F(SpeculateTest, TheNumberOfGuessesCanBeSaid) {
  times_ = {.passes = {{1, 1, 1}, {2, 2, 1}, {32, 32, 1}}};  // a guess costs as much as it saves
  pair(kLong, kLong);
  EXPECT_EQ(answered(), kLong);
  EXPECT_EQ(target_passes_, static_cast<int>(kLong.size()) + 1);
  numbers_ = {{"guesses", 3}};
  EXPECT_EQ(answered(), kLong);
  EXPECT_EQ(target_passes_, 1 + (static_cast<int>(kLong.size()) + 3) / 4);
  EXPECT_EQ(answer_.drafted_tokens, answer_.accepted_tokens + 1) << "the end is not written";
  numbers_ = {{"guesses", 3}, {"longest", 4}};
  EXPECT_THAT(why_not(), HasSubstr("use one"));
  numbers_ = {{"guesses", 1.5}};
  EXPECT_THAT(why_not(), HasSubstr("whole number"));
}

TEST_F(SpeculateTest, WritesToTheLastCellOfTheContext) {
  model::Backend::Limits limits = kLimits;
  limits.cells = 40;
  limits.train_length = 40;
  limits.sequences = 1;
  pair(saying(kLong), saying(kLong, limits));
  EXPECT_EQ(answered(), kLong.substr(0, 32));
  EXPECT_EQ(answer_.finish, Finish::length);
}

TEST_F(SpeculateTest, ADraftersContextMayBeShorter) {
  model::Backend::Limits limits = kLimits;
  limits.cells = 64;
  limits.train_length = 64;
  pair(saying(kLong, limits), saying(kLong));
  EXPECT_EQ(answered(), kLong);
  EXPECT_GT(answer_.accepted_tokens, 0);
}

TEST_F(SpeculateTest, ADrafterThatFailsIsLeftOut) {
  pair(kLong, kLong);
  drafter_fails_ = true;
  EXPECT_EQ(answered(), kLong);
  EXPECT_EQ(answer_.drafted_tokens, 0);
  EXPECT_EQ(drafter_passes_, 1);
  EXPECT_THAT(receipt_.decisions[0].reason, HasSubstr("small gave up"));
}

TEST_F(SpeculateTest, StopsWithTheTurn) {
  pair(kLong, kLong);
  Turn turn("plan");
  turn.cancel();
  const Result<Answer> answer = run((*plan())->answer(request_, turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
}

TEST_F(SpeculateTest, StopsWhenNobodyListensAnyMore) {
  pair(kLong, kLong);
  CollectingSink sink(7);
  Turn turn("plan", &sink);
  const Result<Answer> answer = run((*plan())->answer(request_, turn));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  EXPECT_EQ(sink.text(), kLong.substr(0, 7));
}

TEST_F(SpeculateTest, ManyRequestsShareTheTargetsPasses) {
  pair(kLong, kLong);
  const AnswererPtr answerer = *plan();
  Turn a("plan"), b("plan"), c("plan"), d("plan");
  target_passes_ = 0;
  auto all = [](AnswererPtr by, Request request, Turn& a, Turn& b, Turn& c,
                Turn& d) -> awaitable<std::vector<std::string>> {
    auto [w, x, y, z] = co_await (by->answer(request, a) && by->answer(request, b) &&
                                  by->answer(request, c) && by->answer(request, d));
    std::vector<std::string> texts = {w->text, x->text, y->text, z->text};
    co_return texts;
  };
  const auto texts = run(all(answerer, request_, a, b, c, d));
  for (const std::string& text : texts) EXPECT_EQ(text, kLong);
  EXPECT_LT(target_passes_, static_cast<int>(kLong.size())) << "of four answers";
}

TEST_F(SpeculateTest, RequestsThatSharePassesHaveEquallyManyTokensInThem) {
  // The drafter knows no more than the beginning, and the answers end at different times.
  pair(kLong.substr(0, 20), kLong);
  const AnswererPtr answerer = *plan();
  Turn a("plan"), b("plan"), c("plan");
  auto both = [](AnswererPtr by, Request request, Turn& a, Turn& b,
                 Turn& c) -> awaitable<std::vector<std::string>> {
    Request shorter = request, shortest = request;
    shorter.max_tokens = 33;
    shortest.max_tokens = 7;
    auto [x, y, z] =
        co_await (by->answer(request, a) && by->answer(shorter, b) && by->answer(shortest, c));
    std::vector<std::string> texts = {x->text, y->text, z->text};
    co_return texts;
  };
  for (int i = 0; i < 4; ++i) {  // the first rounds are plain
    const auto texts = run(both(answerer, request_, a, b, c));
    EXPECT_EQ(texts[0], kLong);
    EXPECT_EQ(texts[1], kLong.substr(0, 33));
    EXPECT_EQ(texts[2], kLong.substr(0, 7));
  }
  EXPECT_GT(widest_, 8U) << "they did share passes with guesses";
  EXPECT_EQ(uneven_, 0U);
}

TEST_F(SpeculateTest, WhatCannotWorkIsAnErrorOfThePlan) {
  pair(kLong, kLong);
  choices_ = {{"draft", "large"}, {"target", "large"}};
  EXPECT_THAT(why_not(), HasSubstr("the same model `large`"));
  choices_ = {{"target", "large"}};
  EXPECT_THAT(why_not(), HasSubstr("needs `draft: MODEL`, or `copy: true`"));
  choices_ = {{"draft", "small"}, {"target", "large"}};
  numbers_ = {{"longest", 2.5}};
  EXPECT_THAT(why_not(), HasSubstr("whole number"));
  numbers_ = {};
  answerers_["large"] = std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                                        ScriptedModel::Traits{.local = false});
  EXPECT_THAT(why_not(), HasSubstr("needs the logits of `target`, and `cloud` is remote"));
  answerers_["large"] = std::make_shared<ScriptedModel>("bare");
  Turn turn("plan");
  EXPECT_EQ(run((*plan())->answer(request_, turn)).error().code, Errc::unsupported);
}

TEST_F(SpeculateTest, APairOnTwoDevicesIsRefused) {
  pair(kLong, kLong);
  auto elsewhere = std::make_shared<model::Lane>("gpu");
  answerers_["large"] = make_scripted_local_model("large", elsewhere, saying(kLong));
  EXPECT_THAT(why_not(), HasSubstr("different devices"));
}

}  // namespace
}  // namespace lichen::mechanisms
