#include "mechanisms/privacy/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "mechanisms/privacy/request_vault.h"
#include "mechanisms/privacy/test_rules.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Says what it was asked last, so that answers hold the placeholders of the question.
Script echo(const Request& request) {
  return {.text = request.prompt ? *request.prompt : request.messages.back().content};
}

/// A plan whose models are replaced as those within mechanisms are.
class PlanOptions : public ScriptedOptions {
 public:
  std::function<AnswererPtr(const EachModel&)> plan;

  Result<AnswererPtr> operand_of(std::string_view key, EachModel each_model) override {
    if (key == "plan" && plan) return plan(each_model);
    return ScriptedOptions::operand_of(key, std::move(each_model));
  }
};

/// Asks one in a child turn for the answer, then another for work that is left for later.
class AskBoth : public Answerer {
 public:
  AskBoth(AnswererPtr first, AnswererPtr second, bool later)
      : first_(std::move(first)), second_(std::move(second)), later_(later) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const auto child = turn.child();
    Result<Answer> draft = co_await first_->answer(request, *child);
    turn.absorb(*child);
    if (!draft) co_return draft;
    if (later_) {
      turn.later.push_back([second = second_, request, text = draft->text](Turn& then) {
        return afterwards(second, request, text, then);
      });
      co_return draft;
    }
    request.messages.push_back({"assistant", draft->text});
    request.messages.push_back({"user", "better"});
    co_return co_await second_->answer(std::move(request), turn);
  }

 private:
  static awaitable<Result<void>> afterwards(AnswererPtr second, Request request, std::string text,
                                            Turn& turn) {
    request.messages.push_back({"assistant", text});
    const auto child = turn.child();
    const auto answer = co_await second->answer(std::move(request), *child);
    turn.absorb(*child);
    if (!answer) co_return std::unexpected(answer.error());
    co_return Result<void>{};
  }

  const AnswererPtr first_, second_;
  const bool later_;
};

class MaskTest : public testing::Test {
 protected:
  void SetUp() override {
    dictionary_ = dictionary_of("PERSON: Zoë Lee\n");
    options_.pool = test_detectors();
    options_.lists["kinds"] = {"EMAIL", "PHONE", "PERSON"};
    options_.choices["dictionary"] = dictionary_;
    options_.answerers["plan"] = far_;
  }
  void TearDown() override {
    for (const std::string& file : dictionaries_) std::filesystem::remove(file);
  }

  /// A file of that text.
  std::string dictionary_of(std::string_view text) {
    dictionaries_.push_back(std::filesystem::path(testing::TempDir()) /
                            ("lichen_mask_" + std::to_string(getpid()) + "_" +
                             std::to_string(dictionaries_.size()) + "_names.txt"));
    std::ofstream(dictionaries_.back()) << text;
    return dictionaries_.back();
  }

  Result<Answer> ask(Request request, Turn& turn) {
    if (!mask_) {
      const auto built = build_mask(options_);
      if (!built) return std::unexpected(built.error());
      mask_ = *built;
    }
    return run(mask_->answer(std::move(request), turn));
  }
  Result<Answer> ask(const std::string& question, Turn& turn) {
    return ask(Request{.messages = {{"user", question}}}, turn);
  }
  /// A second mask within the first, around the far model.
  std::shared_ptr<PlanOptions> inner_mask() {
    auto inner = std::make_shared<PlanOptions>();
    inner->pool = test_detectors();
    options_.plan = [this, inner](const EachModel& outer) {
      inner->plan = [&](const EachModel& each_model) { return *outer(*each_model(far_)); };
      return *build_mask(*inner);
    };
    return inner;
  }
  /// `first` drafts, `second` answers, or looks at the draft afterwards.
  void ask_both(ModelPtr first, ModelPtr second, bool later = false) {
    options_.plan = [=](const EachModel& each_model) {
      return std::make_shared<AskBoth>(*each_model(first), *each_model(second), later);
    };
  }
  std::vector<std::string> choices(const Turn& turn) const {
    std::vector<std::string> choices;
    for (const Decision& decision : turn.receipt.decisions) {
      EXPECT_EQ(decision.mechanism, "mask");
      choices.push_back(decision.choice + ": " + decision.reason);
    }
    return choices;
  }
  static std::shared_ptr<ScriptedModel> model(std::string name,
                                              std::function<Script(const Request&)> respond,
                                              bool local) {
    return std::make_shared<ScriptedModel>(
        std::move(name), std::move(respond),
        ScriptedModel::Traits{.local = local, .embedding_width = 64});
  }

  std::string dictionary_;
  std::vector<std::string> dictionaries_;
  PlanOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> far_ = model("far", echo, false);
  std::shared_ptr<ScriptedModel> near_ = model("near", echo, true);
  AnswererPtr mask_;
};

TEST_F(MaskTest, PlaceholdersLeaveAndValuesComeBack) {
  const auto answer = ask("Write to zoë lee, z@example.org or Z@Example.org", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(far_->requests().at(0).messages[0].content,
            "Write to [PERSON_1], [EMAIL_1] or [EMAIL_1]");
  EXPECT_EQ(answer->text, "Write to zoë lee, z@example.org or z@example.org");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(answer->authors.at(0).bytes, static_cast<std::int64_t>(answer->text.size()));
  EXPECT_THAT(choices(turn_), ElementsAre("mask: far: 2 EMAIL, 1 PERSON"));
  EXPECT_TRUE(turn_.receipt.first_token_ms);
  EXPECT_EQ(options_.metric("lichen_masked_total", "EMAIL"), 2);
  EXPECT_EQ(options_.metric("lichen_masked_total", "PERSON"), 1);
  EXPECT_EQ(options_.metric("lichen_masked_total", "PHONE"), 0);
}

TEST_F(MaskTest, PlaceholdersHaveTheNamesThatAModelKnows) {
  const auto names = std::make_shared<ScriptedOptions>();
  names->choices["PERSON"] = "NAME";
  options_.nested["placeholders"] = names;
  const auto answer = ask("[NAME_1] is zoë lee, [PERSON_1] is not; z@example.org", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(far_->requests().at(0).messages[0].content,
            "[LITERAL_1] is [NAME_2], [PERSON_1] is not; [EMAIL_1]");
  EXPECT_EQ(answer->text, "[NAME_1] is zoë lee, [PERSON_1] is not; z@example.org");
  EXPECT_THAT(choices(turn_), ElementsAre("mask: far: 1 EMAIL, 1 PERSON"));
}

TEST_F(MaskTest, NoTwoKindsHaveTheSamePlaceholders) {
  const auto names = std::make_shared<ScriptedOptions>();
  names->choices["PERSON"] = "EMAIL";
  options_.nested["placeholders"] = names;
  const auto built = build_mask(options_);
  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().detail, HasSubstr("since those of EMAIL are"));
}

TEST_F(MaskTest, AnAnswerThatIsNotStreamed) {
  Turn turn("plan");
  const auto answer = ask("z@example.org", turn);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "z@example.org");
  EXPECT_TRUE(turn.receipt.first_token_ms);
}

TEST_F(MaskTest, WithoutPrivateValuesNothingChanges) {
  const auto answer = ask("What is 12 + 30? [EMAIL_1]", turn_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "What is 12 + 30? [EMAIL_1]");
  EXPECT_EQ(far_->requests().at(0).messages[0].content, "What is 12 + 30? [LITERAL_1]");
  EXPECT_THAT(choices(turn_), ElementsAre("pass: far: nothing private found"));
}

TEST_F(MaskTest, LocalModelsReadAllAsItIs) {
  options_.answerers["plan"] = near_;
  ASSERT_TRUE(ask("z@example.org", turn_));
  EXPECT_EQ(near_->requests().at(0).messages[0].content, "z@example.org");
  EXPECT_TRUE(turn_.receipt.decisions.empty());
}

TEST_F(MaskTest, ToolsCallsAndTheirArguments) {
  far_ = model(
      "far",
      [](const Request&) {
        return Script{.finish = Finish::tool_calls,
                      .tool_calls = boost::json::parse(
                                        R"([{"id": "c", "type": "function", "function":
                                                     {"name": "send", "arguments":
                                                      "{\"to\":\"[EMAIL_1]\"}"}}])")
                                        .as_array()};
      },
      false);
  options_.answerers["plan"] = far_;
  const auto answer = ask(
      Request{
          .messages = {{"user", "Send it to z@example.org"},
                       {.role = "assistant",
                        .content = "",
                        .tool_calls = boost::json::parse(
                                          R"([{"id": "c", "function": {"name": "send",
                                                  "arguments": "{\"to\": \"z@example.org\"}"}}])")
                                          .as_array()},
                       {.role = "tool", .content = "z@example.org bounced", .tool_call_id = "c"}},
          .tools = boost::json::parse(R"([{"type": "function", "function": {"name": "send",
                       "description": "Mails; by z@example.org"}}])")
                       .as_array()},
      turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  const Request sent = far_->requests().at(0);
  EXPECT_EQ(boost::json::serialize(sent.messages[1].tool_calls).find("example"), std::string::npos);
  EXPECT_EQ(sent.messages[2].content, "[EMAIL_1] bounced");
  EXPECT_THAT(boost::json::serialize(sent.tools),
              AllOf(HasSubstr("by [EMAIL_1]"), HasSubstr("\"send\"")));
  EXPECT_EQ(answer->tool_calls.at(0).at("function").at("arguments"), "{\"to\":\"z@example.org\"}");
}

TEST_F(MaskTest, AJsonAnswerStaysJson) {
  far_ =
      model("far", [](const Request&) { return Script{.text = R"({"who": [PERSON_1]})"}; }, false);
  options_.answerers["plan"] = far_;
  Request request{.messages = {{"user", "Zoë Lee"}}};
  request.format.json_object = true;
  const auto answer = ask(std::move(request), turn_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(boost::json::parse(answer->text).at("who"), "Zoë Lee");
  EXPECT_EQ(sink_.text(), answer->text);
}

TEST_F(MaskTest, AnAnswerThatAnotherBeganWithinAValueGoesOnBehindIt) {
  far_ = model("far", [](const Request&) { return Script{.text = " is it"}; }, false);
  options_.answerers["plan"] = far_;
  const auto answer = ask(
      Request{.messages = {{"user", "Mine is ann.lee@example.org"}}, .begun = "Yes, ann.lee@exa"},
      turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(far_->requests().at(0).begun, "Yes, [EMAIL_1]");
  EXPECT_EQ(answer->text, "mple.org is it");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_THAT(choices(turn_), ElementsAre("mask: far: 2 EMAIL"));
}

TEST_F(MaskTest, AFailureMidwayShowsNoHalfPlaceholder) {
  far_ = model(
      "far",
      [](const Request&) {
        return Script{
            .text = "Hi [EMAIL_ 1]", .error = Error{Errc::upstream, "gone"}, .error_after = 2};
      },
      false);
  options_.answerers["plan"] = far_;
  const auto answer = ask("z@example.org", turn_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_THAT(sink_.text(), testing::StartsWith("Hi"));
  EXPECT_EQ(turn_.receipt.steps.size(), 1u) << "cost is cost";
}

TEST_F(MaskTest, WhatALocalModelFindsIsMaskedInTheNextCall) {
  near_ = model("near", [](const Request&) { return Script{.text = "ask y@example.org"}; }, true);
  ask_both(near_, far_);
  const auto answer = ask("z@example.org", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  const Request sent = far_->requests().at(0);
  EXPECT_EQ(sent.messages[0].content, "[EMAIL_1]");
  EXPECT_EQ(sent.messages[1].content, "ask [EMAIL_2]");
  EXPECT_EQ(near_->requests().at(0).messages[0].content, "z@example.org");
}

TEST_F(MaskTest, OneVaultForAllCallsOfARequest) {
  const auto other = model("other", echo, false);
  ask_both(far_, other);
  ASSERT_TRUE(ask("z@example.org and y@example.org", turn_));
  const Request sent = other->requests().at(0);
  EXPECT_EQ(sent.messages[0].content, "[EMAIL_1] and [EMAIL_2]");
  EXPECT_EQ(sent.messages[1].content, "[EMAIL_1] and [EMAIL_2]");
  EXPECT_THAT(choices(turn_), ElementsAre("mask: far: 2 EMAIL", "mask: other: 4 EMAIL"));
  Turn next("plan");
  ASSERT_TRUE(ask("y@example.org", next));
  EXPECT_EQ(far_->requests().at(1).messages[0].content, "[EMAIL_1]") << "another has its own";
}

TEST_F(MaskTest, WorkForLaterIsMaskedWithTheSameVault) {
  ask_both(near_, far_, true);
  ASSERT_TRUE(ask("z@example.org", turn_));
  ASSERT_EQ(turn_.later.size(), 1u);
  EXPECT_TRUE(far_->requests().empty());
  mask_.reset();
  Turn background("plan");
  ASSERT_TRUE(run(turn_.later[0](background)));
  EXPECT_EQ(far_->requests().at(0).messages.at(1).content, "[EMAIL_1]");
  EXPECT_THAT(choices(background), ElementsAre("mask: far: 2 EMAIL"));
  ASSERT_TRUE(background.egress);
  EXPECT_FALSE(background.egress->check("z@example.org", background));
}

TEST_F(MaskTest, AllModelsUnderItHaveTheLastCheck) {
  class Unmasked : public Answerer {
   public:
    awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
      const auto child = turn.child();
      const auto may = child->egress->check(request.messages[0].content, *child);
      turn.absorb(*child);
      if (!may) co_return std::unexpected(may.error());
      co_return Answer{};
    }
  };
  options_.plan = [](const EachModel&) { return std::make_shared<Unmasked>(); };
  EXPECT_EQ(ask("z@example.org", turn_).error().code, Errc::refused);
  EXPECT_EQ(options_.metric("lichen_egress_refused_total"), 1);
  EXPECT_FALSE(turn_.egress) << "beyond the mask everything may leave";
}

TEST_F(MaskTest, WhatIsFoundMeanwhileIsMaskedOnceMore) {
  // Between masking and sending another call of the same request finds a value in this one's text.
  class Racing : public Model {
   public:
    const std::string& name() const override { return name_; }
    bool local() const override { return false; }
    std::int64_t context_length() const override { return 0; }
    awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
      if (++calls == 1) {
        const auto vault = std::dynamic_pointer_cast<RequestVault>(turn.egress);
        (void)co_await vault->mask({{.text = "phone: 555 0184"}}, turn);
      }
      const std::string sent = request.messages[0].content;
      if (const auto may = turn.egress->check(sent, turn); !may) {
        co_return std::unexpected(may.error());
      }
      co_return Answer{.text = sent};
    }
    awaitable<Result<Embeddings>> embed(std::vector<std::string>, Turn&) override {
      co_return Embeddings{};
    }
    int calls = 0;

   private:
    const std::string name_ = "racing";
  };
  const auto racing = std::make_shared<Racing>();
  options_.answerers["plan"] = racing;
  const auto answer = ask("It was 555 0184.", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(racing->calls, 2);
  EXPECT_EQ(answer->text, "It was 555 0184.");
}

TEST_F(MaskTest, APlaceholderThatSeveralWriteTogetherIsRestored) {
  class InPieces : public Answerer {
   public:
    awaitable<Result<Answer>> answer(Request, Turn& turn) override {
      for (const char* piece : {"to [EMA", "IL_1]"}) {
        (void)co_await turn.emit({.text = piece, .model = "m", .tokens = 1});
      }
      co_return Answer{.text = "to [EMAIL_1]"};
    }
  };
  options_.plan = [](const EachModel&) { return std::make_shared<InPieces>(); };
  const auto answer = ask("z@example.org", turn_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "to z@example.org");
  EXPECT_EQ(sink_.text(), answer->text);
}

TEST_F(MaskTest, WhatMechanismsAndErrorsQuoteIsMasked) {
  class Quoting : public Answerer {
   public:
    awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
      const std::string said = request.messages[0].content;
      turn.receipt.decisions.push_back(
          {.mechanism = "quoting", .choice = "none", .reason = "no edit: " + said});
      turn.later.push_back([said](Turn& then) { return fails(said, then); });
      if (said.starts_with("fail")) co_return fail(Errc::upstream, "it said " + said);
      co_return Answer{.text = said};
    }

   private:
    static awaitable<Result<void>> fails(std::string said, Turn& then) {
      then.receipt.decisions.push_back(
          {.mechanism = "shadow", .choice = "lost", .reason = "large: " + said});
      co_return fail(Errc::upstream, said);
    }
  };
  options_.plan = [](const EachModel&) { return std::make_shared<Quoting>(); };
  EXPECT_EQ(ask("z@example.org", turn_)->text, "z@example.org");
  EXPECT_EQ(turn_.receipt.decisions.at(0).reason, "no edit: [EMAIL_1]");
  Turn background("plan");
  EXPECT_EQ(run(turn_.later.at(0)(background)).error().detail, "[EMAIL_1]");
  EXPECT_EQ(background.receipt.decisions.at(0).reason, "large: [EMAIL_1]");
  Turn next("plan");
  EXPECT_EQ(ask("fail z@example.org", next).error().detail, "it said fail [EMAIL_1]");
}

TEST_F(MaskTest, EmbeddingsAreOfMaskedTexts) {
  ModelPtr masked;
  options_.plan = [&](const EachModel& each_model) {
    masked = *each_model(far_);
    return masked;
  };
  ASSERT_TRUE(build_mask(options_));
  EXPECT_EQ(masked->name(), "far");
  EXPECT_FALSE(masked->local());
  Turn turn("plan");
  const auto vectors = run(masked->embed({"z@example.org"}, turn));
  ASSERT_TRUE(vectors) << vectors.error().detail;
  EXPECT_EQ(*vectors, *run(far_->embed({"[EMAIL_1]"}, turn)));
  EXPECT_NE(*vectors, *run(far_->embed({"z@example.org"}, turn)));
  EXPECT_THAT(choices(turn), ElementsAre("mask: far: 1 EMAIL"));
}

TEST_F(MaskTest, OneMaskWithinAnother) {
  const auto inner = inner_mask();
  inner->lists["kinds"] = {"EMAIL", "PHONE", "PERSON"};
  options_.lists["kinds"] = {"EMAIL"};
  options_.choices.erase("dictionary");
  inner->choices["dictionary"] = dictionary_;
  const auto answer = ask("Zoë Lee, z@example.org", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "Zoë Lee, z@example.org");
  const std::string sent = far_->requests().at(0).messages[0].content;
  EXPECT_THAT(sent, AllOf(Not(HasSubstr("Zoë")), Not(HasSubstr("example"))));
}

TEST_F(MaskTest, NoPlaceholderMeansValuesOfTwoMasks) {
  const auto inner = inner_mask();
  inner->choices["dictionary"] = dictionary_of("PERSON: Ann Poe\n");
  const auto answer = ask("Ann Poe wrote to Zoë Lee and Ann Poe", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "Ann Poe wrote to Zoë Lee and Ann Poe");
  EXPECT_EQ(far_->requests().at(0).messages[0].content,
            "[PERSON_2] wrote to [PERSON_1] and [PERSON_2]");
}

TEST_F(MaskTest, WhatALocalModelBringsUpIsRefusedWhereNothingPrivateMayLeave) {
  near_ = model("near", [](const Request&) { return Script{.text = "ask y@example.org"}; }, true);
  ask_both(near_, far_);
  options_.choices["policy"] = "local_only";
  options_.answerers["local"] = near_;
  const auto answer = ask("Whom may I ask?", turn_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::refused);
  EXPECT_TRUE(far_->requests().empty());
  EXPECT_THAT(choices(turn_), ElementsAre("refuse: far: 1 EMAIL"));
}

TEST_F(MaskTest, BlockRefusesBeforeAnybodyIsAsked) {
  options_.choices["policy"] = "block";
  const auto answer = ask("Write to z@example.org", turn_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::refused);
  EXPECT_THAT(answer.error().detail,
              AllOf(HasSubstr("EMAIL"), HasSubstr("block"), Not(HasSubstr("example.org"))));
  EXPECT_TRUE(far_->requests().empty());
  EXPECT_THAT(choices(turn_), ElementsAre("block: request: 1 EMAIL"));
  Turn next("plan");
  EXPECT_TRUE(ask("Write to nobody", next));
  EXPECT_THAT(choices(next), ElementsAre("pass: far: nothing private found"));
}

TEST_F(MaskTest, BlockSeesWhatIsPrivateInTheNameOfAField) {
  options_.choices["policy"] = "block";
  Request request{.messages = {{"user", "who is it?"}}};
  request.messages.push_back({.role = "assistant",
                              .content = "",
                              .tool_calls = boost::json::parse(
                                                R"([{"function": {"name": "f", "arguments":
                             "{\"ann@example.org\": {\"is\": \"admin\"}}"}}])")
                                                .as_array()});
  const auto answer = ask(std::move(request), turn_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::refused);
  EXPECT_THAT(choices(turn_), ElementsAre("block: request: 1 EMAIL"));
}

TEST_F(MaskTest, LocalOnlyAnswersHere) {
  options_.choices["policy"] = "local_only";
  options_.answerers["local"] = near_;
  const auto answer = ask("Write to z@example.org", turn_);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(far_->requests().empty());
  EXPECT_EQ(near_->requests().at(0).messages[0].content, "Write to z@example.org");
  EXPECT_THAT(choices(turn_), ElementsAre("local: request: 1 EMAIL"));
  Turn next("plan");
  ASSERT_TRUE(ask("Write to nobody", next));
  EXPECT_EQ(far_->requests().size(), 1u);
}

TEST_F(MaskTest, LocalOnlyNeedsLocalModels) {
  options_.choices["policy"] = "local_only";
  EXPECT_THAT(ask("x", turn_).error().detail, HasSubstr("local"));
  options_.answerers["local"] = model("other", echo, false);
  const auto wrong = ask("x", turn_);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("`other` is remote"));
  options_.choices["policy"] = "block";
  EXPECT_THAT(ask("x", turn_).error().detail, HasSubstr("`policy: local_only`"));
}

TEST_F(MaskTest, ADictionaryThatCannotBeIsAnError) {
  std::ofstream(dictionary_) << "PERSN: Zoë Lee\n";
  const auto wrong = ask("x", turn_);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, AllOf(HasSubstr("names.txt:1"), HasSubstr("PERSON")));
  std::filesystem::remove(dictionary_);
  EXPECT_THAT(ask("x", turn_).error().detail, HasSubstr("cannot be read"));
}

TEST_F(MaskTest, WhatIsStoredOfAPromptIsMasked) {
  ASSERT_TRUE(build_mask(options_));
  ASSERT_EQ(options_.redactors.size(), 1u);
  Turn turn("plan");
  const auto redacted = [&](Request request) -> std::optional<std::string> {
    const auto done = run(options_.redactors[0]->redact(std::move(request), turn));
    if (!done) return std::nullopt;
    return done->messages.back().content;
  };
  EXPECT_EQ(redacted({.messages = {{"user", "[EMAIL_1] is z@example.org"}}}),
            "[EMAIL_1] is [EMAIL_2]");
  EXPECT_EQ(redacted({.messages = {{"system", "The phone of the customer is 5550184."},
                                   {"user", "Who has 5550184?"}}}),
            "Who has [PHONE_1]?")
      << "what one text tells is masked in all";
  EXPECT_FALSE(redacted({.messages = {{"user", "\xFF"}}}));
}

}  // namespace
}  // namespace lichen::mechanisms
