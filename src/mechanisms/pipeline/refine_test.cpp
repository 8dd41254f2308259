#include "mechanisms/pipeline/refine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kDraft = "2 * 3 = 5. The answer is 5.";

class RefineTest : public testing::Test {
 protected:
  /// Large says `review` of the draft, and answers with `answer` where it is asked for that.
  Result<Answer> ask(Script draft, Script review, Script answer = {.text = "It is 6."},
                     Request request = {.messages = {{"user", "2 * 3?"}}}) {
    small_ = std::make_shared<ScriptedModel>("small", std::vector<Script>{std::move(draft)});
    large_ = std::make_shared<ScriptedModel>("large", std::vector<Script>{review, answer});
    options_.answerers["draft"] = small_;
    options_.answerers["by"] = large_;
    const auto plan = build_refine(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  const Decision& decision() const { return turn_.receipt.decisions.at(0); }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_;
};

TEST_F(RefineTest, AnAcceptedDraftIsTheAnswer) {
  const auto answer = ask({.text = kDraft}, {.text = "OK and more", .logprob = std::log(0.75F)});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, kDraft);
  EXPECT_EQ(sink_.text(), kDraft);
  EXPECT_EQ(large_->requests().at(0).messages.back().content,
            "2 * 3?\n\nDraft: " + kDraft +
                "\n\nIf the draft is right, reply OK. Otherwise reply with edits only, one a line: "
                "wrong piece => right piece");
  EXPECT_THAT(roles(turn_), ElementsAre("small:draft", "large:refine"));
  EXPECT_EQ(turn_.receipt.steps[1].tokens_out, 1) << "more than OK is not waited for";
  EXPECT_EQ(decision().choice, "draft");
  EXPECT_EQ(decision().reason, "P(OK) 0.750 reaches accept 0.5");
}

TEST_F(RefineTest, EditsMendTheDraft) {
  const auto answer = ask({.text = kDraft}, {.text = "= 5. => = 6.\nis 5. => is 6."});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "2 * 3 = 6. The answer is 6.");
  EXPECT_EQ(sink_.text(), answer->text);
  ASSERT_EQ(sink_.pieces.size(), 4u);
  EXPECT_EQ(sink_.pieces[0].model, "small");
  EXPECT_EQ(sink_.pieces[1].model, "large");
  EXPECT_THAT(roles(turn_), ElementsAre("small:draft", "large:refine"));
  EXPECT_EQ(decision().choice, "mended");
  EXPECT_EQ(decision().reason, "2 edits by large");
}

TEST_F(RefineTest, WhereEditsDoNotFitLargeAnswers) {
  const auto answer = ask({.text = kDraft}, {.text = "5 => 6\nand more"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is 6.");
  EXPECT_EQ(sink_.pieces.size(), 3u) << "it streams";
  EXPECT_EQ(large_->requests().at(1).messages.back().content, "2 * 3?");
  EXPECT_EQ(decision().choice, "large");
  EXPECT_EQ(decision().reason, "more than once in the draft: 5");
}

TEST_F(RefineTest, WhereItIsNotSureLargeAnswers) {
  options_.numbers = {{"accept", 0.9}};
  const auto answer = ask({.text = kDraft}, {.text = "OK", .logprob = std::log(0.75F)});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is 6.");
  EXPECT_EQ(decision().reason, "P(OK) 0.750 under accept 0.9");
}

TEST_F(RefineTest, LargeMayAnswerInsteadOfMending) {
  options_.choices = {{"mend", "answer"}};
  ASSERT_TRUE(ask({.text = kDraft}, {.text = "= 5. => = 6.\nis 5. => is 6."}));
  EXPECT_EQ(sink_.text(), "It is 6.");
  EXPECT_EQ(turn_.receipt.steps.at(1).tokens_out, 1) << "no edit is waited for";
}

TEST_F(RefineTest, NoMendedTextWhereAFormOrLogprobsAreWanted) {
  Request with_form{.messages = {{"user", "2 * 3?"}}};
  with_form.format.json_object = true;
  Request with_tools{.messages = {{"user", "2 * 3?"}}};
  with_tools.tools = {boost::json::object{}};
  const Request with_logprobs{.messages = {{"user", "2 * 3?"}}, .logprobs = true};
  for (const Request& request : {with_form, with_tools, with_logprobs}) {
    const auto answer = ask({.text = kDraft}, {.text = "= 5. => = 6."}, {.text = "six"}, request);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "six");
    EXPECT_TRUE(large_->requests()[0].format.free());
    EXPECT_TRUE(large_->requests()[0].tools.empty());
  }
}

TEST_F(RefineTest, WithoutADraftLargeAnswers) {
  ASSERT_TRUE(ask({.text = " "}, {.text = "It is 6."}));
  EXPECT_EQ(large_->requests().size(), 1u);
  EXPECT_EQ(decision().reason, "small said nothing");
  ASSERT_TRUE(ask({.error = Error{Errc::overloaded, "later"}}, {.text = "It is 6."}));
  EXPECT_EQ(turn_.receipt.decisions.at(1).reason, "small failed: overloaded: later");
  ASSERT_TRUE(ask({.text = kDraft, .finish = Finish::length}, {.text = "It is 6."}));
  EXPECT_THAT(turn_.receipt.decisions.at(2).reason, HasSubstr("cut short"));
}

TEST_F(RefineTest, WhereTheReviewFailsThePlanDoes) {
  const auto answer = ask({.text = kDraft}, {.error = Error{Errc::upstream, "it hung up", 3}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_EQ(answer.error().retry_after_s, 3);
  EXPECT_THAT(answer.error().detail, HasSubstr("small had drafted 9 tokens when large failed"));
  EXPECT_THAT(roles(turn_), ElementsAre("small:draft", "large:failed"));
  EXPECT_EQ(decision().choice, "none");
  EXPECT_TRUE(sink_.pieces.empty());
}

TEST_F(RefineTest, AFallbackTakesOver) {
  const auto other = std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "6"}});
  options_.answerers["fallback"] = other;
  const Script fails{.error = Error{Errc::upstream, "it hung up"}};
  EXPECT_EQ(ask({.text = kDraft}, fails)->text, "6");
  EXPECT_EQ(decision().choice, "fallback");
  EXPECT_EQ(ask({.text = kDraft}, {.text = "what?"}, fails)->text, "6")
      << "also where large fails at its own answer";
}

TEST_F(RefineTest, TheFallbackMayBeTheDrafter) {
  const auto small = std::make_shared<ScriptedModel>("small", std::vector<Script>{{.text = "5"}});
  const auto large = std::make_shared<ScriptedModel>(
      "large", std::vector<Script>{{.error = Error{Errc::upstream, "it hung up"}}});
  options_.answerers = {{"draft", small}, {"by", large}, {"fallback", small}};
  const auto plan = build_refine(options_);
  const auto answer = run((*plan)->answer({.messages = {{"user", "2 * 3?"}}}, turn_));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(sink_.text(), "5");
  EXPECT_EQ(small->requests().size(), 1u) << "its draft is there already";
}

TEST_F(RefineTest, AReviewThatIsTooLongIsNotTheEnd) {
  const auto answer = ask({.text = kDraft}, {.error = Error{Errc::context_overflow, "too long"}});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is 6.");
}

TEST_F(RefineTest, RefusalsAreFinal) {
  const Script refuses{.error = Error{Errc::refused, "no"}};
  EXPECT_EQ(ask(refuses, {.text = "OK"}).error().code, Errc::refused);
  EXPECT_TRUE(large_->requests().empty());
  EXPECT_EQ(ask({.text = kDraft}, refuses).error().code, Errc::refused);
  EXPECT_EQ(large_->requests().size(), 1u);
}

TEST_F(RefineTest, AnEndedTurnEnds) {
  const auto small = std::make_shared<ScriptedModel>("small", std::vector<Script>{{.text = "5"}});
  const auto cancels = std::make_shared<ScriptedModel>(
      "large",
      [this](const Request&) {
        turn_.cancel();
        return Script{.text = "OK"};
      },
      ScriptedModel::Traits{});
  options_.answerers = {{"draft", small}, {"by", cancels}};
  const auto plan = build_refine(options_);
  const auto answer = run((*plan)->answer({.messages = {{"user", "2 * 3?"}}}, turn_));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::cancelled);
  EXPECT_EQ(turn_.receipt.steps.size(), 2u) << "cost is cost";
}

TEST_F(RefineTest, RefusesWhatCannotBe) {
  EXPECT_EQ(ask({.text = "a"}, {.text = "OK"}, {}, {.prompt = "raw"}).error().code,
            Errc::unsupported);
  EXPECT_TRUE(small_->requests().empty());
  options_.numbers = {{"max_tokens", 1.5}};
  EXPECT_EQ(ask({.text = "a"}, {.text = "OK"}).error().code, Errc::bad_config);
  options_.numbers = {{"accept", 1.5}};
  EXPECT_EQ(ask({.text = "a"}, {.text = "OK"}).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace lichen::mechanisms
