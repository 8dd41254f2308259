#include "mechanisms/privacy/restored_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "mechanisms/privacy/test_rules.h"
#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;

class RestoredAnswer : public testing::Test {
 protected:
  RestoredAnswer() {
    Turn turn("p");
    const auto masked = run(vault_->mask(
        {{.text = "Zoë Lee, phone 555 0184, {\"zoë lee\"}"}, {.text = "z@example.org"}}, turn));
    EXPECT_TRUE(masked);
    restoring_.vault = vault_;
  }

  /// What the sink gets of these pieces, of a token each.
  void stream(const std::vector<std::string>& pieces, CollectingSink& sink) {
    Turn turn("p", &sink);
    RestoredStream stream(turn, restoring_);
    for (const std::string& text : pieces) {
      EXPECT_TRUE(run(stream.write({.text = text,
                                    .model = "far",
                                    .tokens = 1,
                                    .logprobs = {{.text = text, .logprob = -1}}})));
    }
    EXPECT_TRUE(run(stream.finish()));
  }
  static std::vector<std::string> texts(const std::vector<AnswerToken>& tokens) {
    std::vector<std::string> texts;
    for (const AnswerToken& token : tokens) texts.push_back(token.text);
    return texts;
  }

  std::shared_ptr<RequestVault> vault_ = std::make_shared<RequestVault>(test_rules(), nullptr);
  Restoring restoring_;
};

TEST_F(RestoredAnswer, WhatTheModelThoughtIsRestoredInFrontOfTheText) {
  CollectingSink sink;
  Turn turn("p", &sink);
  RestoredStream stream(turn, restoring_);
  for (const char* part : {"Is [PERS", "ON_1] here?", " [EM"}) {
    EXPECT_TRUE(run(stream.write({.text = {}, .model = "far", .reasoning = part})));
  }
  EXPECT_TRUE(run(stream.write({.text = "Yes, [PERSON_1]", .model = "far", .tokens = 1})));
  EXPECT_TRUE(run(stream.finish()));
  std::string thought;
  for (const Piece& piece : sink.pieces) thought += piece.reasoning;
  EXPECT_EQ(thought, "Is Zoë Lee here? [EM");
  EXPECT_EQ(sink.text(), "Yes, Zoë Lee");

  const Answer whole = restored(
      {.text = "a", .reasoning = "It is [PERSON_1].", .stop_string = "[EMAIL_1]"}, restoring_);
  EXPECT_EQ(whole.reasoning, "It is Zoë Lee.");
  EXPECT_EQ(whole.stop_string, "z@example.org");
}

TEST_F(RestoredAnswer, StreamsAreTheSameHoweverTheyAreCut) {
  const std::string text = "[PERSON_1]: [phone_1] [[EMAIL_1]] [EMAIL_9], é[";
  const std::string wanted = "Zoë Lee: 555 0184 [z@example.org] [EMAIL_9], é[";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      CollectingSink sink;
      std::vector<std::string> pieces = {text.substr(0, first), text.substr(first, second - first),
                                         text.substr(second)};
      std::erase(pieces, "");
      stream(pieces, sink);
      EXPECT_EQ(sink.text(), wanted);
      std::size_t tokens = 0;
      std::string of_tokens;
      for (const Piece& piece : sink.pieces) {
        EXPECT_FALSE(piece.text.empty());
        tokens += static_cast<std::size_t>(piece.tokens);
        for (const AnswerToken& token : piece.logprobs) of_tokens += token.text;
      }
      EXPECT_EQ(tokens, pieces.size());
      EXPECT_EQ(of_tokens, wanted);
    }
  }
}

TEST_F(RestoredAnswer, OnlyAHalfPlaceholderIsHeldBack) {
  CollectingSink sink;
  stream({"to ", "[PER", "SON", "_1]", " [x", "]"}, sink);
  std::vector<std::string> pieces;
  for (const Piece& piece : sink.pieces) pieces.push_back(piece.text);
  EXPECT_THAT(pieces, ElementsAre("to ", "Zoë Lee", " [x", "]"));
  EXPECT_EQ(sink.pieces[1].tokens, 3);
  EXPECT_THAT(texts(sink.pieces[1].logprobs), ElementsAre("Zoë Lee"));
  EXPECT_FLOAT_EQ(sink.pieces[1].logprobs[0].logprob, -3);
}

TEST_F(RestoredAnswer, WhatComesBeforeGoesWithTheFirstPiece) {
  restoring_.before = "ple.org";
  CollectingSink sink;
  stream({" is", " it"}, sink);
  EXPECT_EQ(sink.text(), "ple.org is it");
  EXPECT_EQ(sink.pieces.size(), 2u);
  CollectingSink silent;
  stream({}, silent);
  EXPECT_EQ(silent.text(), "ple.org");
}

TEST_F(RestoredAnswer, WhoDoesNotListenIsNotWrittenTo) {
  CollectingSink sink(1);
  Turn turn("p", &sink);
  RestoredStream stream(turn, restoring_);
  EXPECT_TRUE(run(stream.write({.text = "a", .model = "m"})));
  EXPECT_FALSE(run(stream.write({.text = "b", .model = "m"})));
  EXPECT_EQ(run(stream.finish()).error().code, Errc::cancelled);
}

TEST_F(RestoredAnswer, TokensOutsideOfPlaceholdersStay) {
  const Answer answer = restored({.text = "[a] [PERSON_1]!",
                                  .tokens = {{.text = "[", .logprob = -1, .top = {{"(", -2}}},
                                             {"a]", -1},
                                             {" [PERSON", -0.5f},
                                             {"_1]!", -0.25f}}},
                                 restoring_);
  EXPECT_EQ(answer.text, "[a] Zoë Lee!");
  EXPECT_THAT(texts(answer.tokens), ElementsAre("[", "a]", " Zoë Lee!"));
  EXPECT_EQ(answer.tokens[0].top.size(), 1u);
  EXPECT_FLOAT_EQ(answer.tokens[2].logprob, -0.75f);
}

TEST_F(RestoredAnswer, AuthorsAreCountedInTheBytesOfTheRestoredText) {
  restoring_.before = "Oh ";
  const Answer answer = restored({.text = "Hi [PERSON_1]. [EMAIL_1]",
                                  .authors = {{.model = "a", .tokens = 2, .bytes = 6},
                                              {.model = "b", .tokens = 9, .bytes = 18}}},
                                 restoring_);
  EXPECT_EQ(answer.text, "Oh Hi Zoë Lee. z@example.org");
  EXPECT_EQ(answer.authors[0].bytes, 6) << "\"Oh Hi \": a placeholder is its last author's";
  EXPECT_EQ(answer.authors[1].bytes, static_cast<std::int64_t>(answer.text.size()) - 6);
}

TEST_F(RestoredAnswer, ArgumentsOfToolsAreEscapedAsJson) {
  Turn turn("p");
  // A value with a quotation mark and a line's end.
  class Quoted : public NameFinder {
   public:
    awaitable<Result<std::vector<std::vector<privacy::Span>>>> find(std::vector<std::string> texts,
                                                                    Turn&) override {
      std::vector<std::vector<privacy::Span>> spans;
      for (const std::string& text : texts) {
        spans.push_back({{.begin = 0, .end = text.size(), .kind = privacy::Kind::organization}});
      }
      co_return spans;
    }
  };
  auto rules = test_rules();
  rules->names = std::make_shared<Quoted>();
  const auto vault = std::make_shared<RequestVault>(rules, nullptr);
  ASSERT_TRUE(run(vault->mask({{.text = "The \"Old\"\nInn"}}, turn)));
  const Answer answer = restored({.text = "",
                                  .tool_calls = boost::json::parse(
                                                    R"([{"id": "c", "function": {"name": "f",
                             "arguments": "{\"at\": \"[ORGANIZATION_1]\", \"n\": [organization_1]}"}},
                            {"function": 1}])")
                                                    .as_array(),
                                  .citations = {Citation{.text = "[ORGANIZATION_1]"}}},
                                 {.vault = vault});
  const auto& arguments = answer.tool_calls[0].at("function").at("arguments").as_string();
  const auto read = boost::json::parse(arguments);
  EXPECT_EQ(read.at("at"), "The \"Old\"\nInn");
  EXPECT_EQ(read.at("n"), "The \"Old\"\nInn");
  EXPECT_EQ(answer.citations[0].text, "The \"Old\"\nInn");
  const Answer document = restored({.text = "{\"at\": \"[ORGANIZATION_1]\"}"},
                                   {.vault = vault, .setting = privacy::Setting::json});
  EXPECT_EQ(boost::json::parse(document.text).at("at"), "The \"Old\"\nInn");
}

}  // namespace
}  // namespace lichen::mechanisms
