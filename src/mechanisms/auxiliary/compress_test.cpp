#include "mechanisms/auxiliary/compress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ScriptedBackend;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr model::Backend::Limits kLimits{.cells = 8'192,
                                         .batch = 256,
                                         .outputs = 256,
                                         .sequences = 16,
                                         .train_length = 2'000,
                                         .embedding = 4};

const std::string kFiller =
    "PQR STU VWX. QRS TUV WXY. RST UVW XYZ. STU VWX PQR. TUV WXY QRS. UVW XYZ RST. ";
const std::string kFact = "The code of the lamp is 1234. ";
const std::string kQuestion = "\nWhat is the code of the lamp?";

class CompressTest : public testing::Test {
 protected:
  CompressTest() {
    // Is sure that what has stood before comes again, and after an "e" another.
    auto backend =
        std::make_unique<ScriptedBackend>(kLimits, [](std::span<const Token> before) -> Token {
          if (before.back() == 'e') return 'e';
          for (std::size_t i = before.size() - 1; i-- > 1;) {
            if (before[i] == before.back() && before[i - 1] == before[before.size() - 2]) {
              return before[i + 1];
            }
          }
          return 0;
        });
    backend->sureness = [](auto) { return 20.0F; };
    backend->on_decode = [this](auto) { return !broken_; };
    small_ = model::make_scripted_local_model("small", lane_, std::move(backend));
    options_.answerers = {{"by", small_}, {"of", large_}};
    options_.numbers = {{"ratio", 0.5}, {"from", 0}};
  }

  Result<Answer> ask(std::vector<Message> messages) {
    const Result<AnswererPtr> plan = build_compress(options_);
    EXPECT_TRUE(plan) << plan.error().detail;
    receipt_ = {};
    Turn turn("plan");
    Result<Answer> answer =
        run((*plan)->answer(Request{.messages = std::move(messages), .max_tokens = 9}, turn));
    receipt_ = turn.receipt;
    return answer;
  }
  /// What large was asked for a message of the user.
  std::string shortened(std::string content) {
    const Result<Answer> answer = ask({{"user", std::move(content)}});
    EXPECT_TRUE(answer) << answer.error().detail;
    return large_->requests().back().messages.back().content;
  }
  Decision decision() const {
    return receipt_.decisions.empty() ? Decision{} : receipt_.decisions.front();
  }

  bool broken_ = false;  // lane's thread
  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> small_;
  std::shared_ptr<ScriptedModel> large_ =
      std::make_shared<ScriptedModel>("large", std::vector<Script>{{.text = "1234"}});
  ScriptedOptions options_;
  Receipt receipt_;
};

TEST_F(CompressTest, LeavesOutWhatTheQuestionDoesNotNeed) {
  const std::string prompt = kFiller + kFact + kFiller + kFiller + kQuestion;
  const std::string asked = shortened(prompt);
  EXPECT_THAT(asked, AllOf(HasSubstr(kFact), HasSubstr(kQuestion)));
  EXPECT_LE(asked.size(), prompt.size() * 0.53);
  EXPECT_GE(asked.size(), prompt.size() * 0.4) << "what has room stays";
  EXPECT_EQ(decision().mechanism, "compress");
  EXPECT_EQ(decision().choice, "shortened");
  EXPECT_THAT(decision().reason, HasSubstr("of 20 sentences"));
  ASSERT_EQ(receipt_.steps.size(), 2U);
  EXPECT_EQ(receipt_.steps[0].role, "compress");
  EXPECT_GT(receipt_.steps[0].tokens_in, static_cast<std::int64_t>(prompt.size()));
  EXPECT_EQ(receipt_.steps[1].model, "large");
}

TEST_F(CompressTest, ABudgetInTokens) {
  options_.numbers = {{"tokens", 160}, {"from", 0}};
  const std::string asked = shortened(kFiller + kFact + kFiller + kFiller + kQuestion);
  EXPECT_THAT(asked, HasSubstr(kFact));
  EXPECT_LE(asked.size(), 180U) << "tokens do not count the blanks between sentences";
  options_.numbers = {{"tokens", 10}, {"from", 0}};
  EXPECT_EQ(shortened(kFiller + kFact + kQuestion), "PQR STU VWX. QRS TUV WXY." + kQuestion)
      << "what begins the message may be an instruction";
  EXPECT_THAT(decision().reason, HasSubstr("over the budget of 10: the rest must stay"));
}

TEST_F(CompressTest, LeavesOutWordsThatSurpriseLeast) {
  options_.choices = {{"leave_out", "words"}};
  options_.numbers = {{"ratio", 0.75}, {"from", 0}};
  const std::string context =
      "Intro one is here. Intro two is here. So xqz eeeeeeee wvu eeeeeeeeeee tsr eeeeeee Anna "
      "eeeeee 12e [NAME_2] über eeeeee, not kjh. Last two are here. Last one is here.";
  const std::string asked = shortened(context);
  EXPECT_THAT(asked, AllOf(HasSubstr(" Anna"), HasSubstr(" 12e"), HasSubstr("[NAME_2]"),
                           HasSubstr(" not"), HasSubstr(" xqz"), Not(HasSubstr("eeeee"))));
  EXPECT_THAT(asked, AllOf(StartsWith("Intro one is here. Intro two is here. "),
                           EndsWith(". Last two are here. Last one is here.")));
  EXPECT_TRUE(base::valid_utf8(asked));
  EXPECT_THAT(decision().reason, HasSubstr("left out"));
  options_.choices = {{"leave_out", "both"}};
  options_.numbers = {{"ratio", 0.5}, {"from", 0}};
  shortened(kFiller + kFact + kFiller + context);
  EXPECT_THAT(decision().reason, AllOf(HasSubstr("sentences"), HasSubstr("words")));
}

TEST_F(CompressTest, WhatIsFencedAndCodeStay) {
  const std::string asked = shortened(kFiller + "<keep>PQR and QRS.</keep> " + kFiller +
                                      "\n```\nPQR\n```\n" + kFiller + kQuestion);
  EXPECT_THAT(asked, AllOf(HasSubstr("PQR and QRS."), HasSubstr("\n```\nPQR\n```\n"),
                           Not(HasSubstr("keep>"))));
  EXPECT_EQ(decision().choice, "shortened");
}

TEST_F(CompressTest, ShortPromptsAndWideBudgetsChangeNothing) {
  const std::string prompt = "<keep>" + kFact + "</keep>" + kFiller + kQuestion;
  const std::string plain = kFact + kFiller + kQuestion;
  options_.numbers = {{"ratio", 0.5}, {"from", 1'000}};
  EXPECT_EQ(shortened(prompt), plain);
  EXPECT_THAT(decision().reason, HasSubstr("fewer than `from`, 1000"));
  options_.numbers = {{"ratio", 1}, {"from", 0}};
  EXPECT_EQ(shortened(prompt), plain);
  options_.numbers = {{"tokens", 5'000}, {"from", 0}};
  EXPECT_EQ(shortened(prompt), plain);
  EXPECT_EQ(decision().choice, "unchanged");
  EXPECT_THAT(decision().reason, HasSubstr("within the budget of 5000"));
  EXPECT_EQ(receipt_.steps.size(), 1U) << "small was not asked";
  EXPECT_TRUE(ask({{"system", "Say something."}}));
}

TEST_F(CompressTest, OfAChatOnlyUsersAndToolsAreShortened) {
  const std::vector<Message> chat{{"system", kFiller},
                                  {"user", kFiller + kFact + kFiller},
                                  {"assistant", kFiller},
                                  {"tool", kFiller + kFiller},
                                  {"user", "Please help. What is the code of the lamp? Thanks."}};
  ASSERT_TRUE(ask(chat));
  const std::vector<Message> asked = large_->requests().back().messages;
  ASSERT_EQ(asked.size(), chat.size());
  for (const std::size_t same : {0U, 2U, 4U}) EXPECT_EQ(asked[same].content, chat[same].content);
  EXPECT_LT(asked[1].content.size() + asked[3].content.size(),
            (chat[1].content.size() + chat[3].content.size()) * 0.53);
  EXPECT_THAT(asked[1].content, HasSubstr(kFact.substr(0, kFact.size() - 1)));
  EXPECT_EQ(large_->requests().back().max_tokens, 9);
}

TEST_F(CompressTest, LongerThanSmallsContext) {
  std::string prompt;
  for (int i = 0; i < 60; ++i) prompt += kFiller;
  const std::string asked = shortened(prompt + kFact + prompt + kQuestion);
  EXPECT_THAT(asked, HasSubstr(kFact));
  EXPECT_LE(asked.size(), prompt.size() * 1.06);
}

TEST_F(CompressTest, WhereSmallFailsThePromptGoesWhole) {
  broken_ = true;
  const std::string prompt = kFiller + kFact + kFiller + kQuestion;
  EXPECT_EQ(shortened("<keep></keep>" + prompt), prompt);
  EXPECT_EQ(decision().choice, "unchanged");
  EXPECT_THAT(decision().reason, HasSubstr("small failed: internal"));
  options_.choices = {{"on_failure", "error"}};
  EXPECT_EQ(ask({{"user", prompt}}).error().code, Errc::internal);
}

TEST_F(CompressTest, KeepsToTheTurn) {
  Turn turn("plan");
  turn.cancel();
  const Request request{.messages = {{"user", kFiller + kFact + kQuestion}}};
  EXPECT_EQ(run((*build_compress(options_))->answer(request, turn)).error().code, Errc::cancelled);
  EXPECT_THAT(large_->requests(), IsEmpty());
  Turn raw("plan");
  EXPECT_EQ(run((*build_compress(options_))->answer(Request{.prompt = "so"}, raw)).error().code,
            Errc::unsupported);
}

TEST_F(CompressTest, WhatCannotWorkIsAnErrorOfThePlan) {
  const auto refusal = [this] { return build_compress(options_).error().detail; };
  options_.numbers = {};
  EXPECT_THAT(refusal(), HasSubstr("either `ratio`"));
  options_.numbers = {{"ratio", 0.5}, {"tokens", 5}};
  EXPECT_THAT(refusal(), HasSubstr("either `ratio`"));
  options_.numbers = {{"ratio", 1.5}};
  EXPECT_THAT(refusal(), HasSubstr("ratio"));
  options_.numbers = {{"tokens", 1.5}};
  EXPECT_THAT(refusal(), HasSubstr("whole number"));
  options_.numbers = {{"ratio", 0.5}};
  options_.answerers["by"] = std::make_shared<ScriptedModel>("cloud", std::vector<Script>{},
                                                             ScriptedModel::Traits{.local = false});
  EXPECT_THAT(refusal(), HasSubstr("must be a local model"));
  options_.answerers["by"] = *build_compress([this]() -> ScriptedOptions& {
    options_.answerers["by"] = small_;
    return options_;
  }());
  EXPECT_THAT(refusal(), HasSubstr("not a plan"));
  options_.answerers["by"] = std::make_shared<ScriptedModel>("bare");
  EXPECT_EQ(ask({{"user", kQuestion}}).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace lichen::mechanisms
