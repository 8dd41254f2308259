#include "mechanisms/distillation/training/chat_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lichen::training {
namespace {

using testing::HasSubstr;

class ChatExamplesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    tokenizer_ = *model::open_tokenizer(LICHEN_SOURCE_DIR "/models/lichen-small.gguf");
  }
  static Result<ChatExamples> parse(std::string_view jsonl, const ChatOptions& options = {}) {
    return parse_chats(jsonl, "data.jsonl", tokenizer_, options);
  }
  static std::string refusal(std::string_view jsonl) {
    const auto examples = parse(jsonl);
    EXPECT_FALSE(examples);
    return examples ? "" : examples.error().detail;
  }
  static std::vector<Token> tokens(std::string_view text) {
    return *tokenizer_.vocabulary->tokenize(text, true);
  }

  static inline model::Tokenizer tokenizer_;
};

TEST_F(ChatExamplesTest, AreWhatTheStudentReadsAndIsToSay) {
  const auto chat = parse(
      R"({"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]})");
  ASSERT_TRUE(chat) << chat.error().detail;
  ASSERT_EQ(chat->examples.size(), 1u);
  EXPECT_EQ(chat->examples[0].prompt,
            tokens("<|im_start|>user\n2 + 2?<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_EQ(chat->examples[0].answer, tokens("4<|im_end|>"));
  const auto task = parse(R"({"id": "a", "prompt": "2 + 2?", "reference": "4", "check": "exact"})"
                          "\n\n");
  ASSERT_TRUE(task) << task.error().detail;
  EXPECT_EQ(task->examples[0].prompt, chat->examples[0].prompt);
  EXPECT_EQ(task->examples[0].answer, chat->examples[0].answer);
}

TEST_F(ChatExamplesTest, EachAnswerOfAnAssistantIsOne) {
  const auto chat = parse(
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, )"
      R"({"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}], "weight": 2})");
  ASSERT_TRUE(chat) << chat.error().detail;
  ASSERT_EQ(chat->examples.size(), 2u);
  EXPECT_EQ(chat->examples[1].prompt,
            tokens("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
                   "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_EQ(chat->examples[1].answer, tokens("d<|im_end|>"));
  EXPECT_EQ(chat->examples[1].weight, 2);
}

TEST_F(ChatExamplesTest, ARationaleIsASecondTask) {
  constexpr std::string_view kLine =
      R"({"prompt": "2 + 2?", "answer": "4", "rationale": "2 and 2 is 4.\n4"})";
  const auto both = parse(kLine);
  ASSERT_TRUE(both) << both.error().detail;
  ASSERT_EQ(both->examples.size(), 2u);
  EXPECT_EQ(both->examples[1].answer, tokens("2 and 2 is 4.\n4<|im_end|>"));
  EXPECT_EQ(both->examples[1].weight, 0.5F);
  EXPECT_NE(both->examples[1].prompt, both->examples[0].prompt);
  EXPECT_EQ(parse(kLine, {.rationale_weight = 0})->examples.size(), 1u);
}

TEST_F(ChatExamplesTest, LongOnesAreLeftOutAndCounted) {
  const std::string lines = R"({"prompt": "short", "answer": "a"})"
                            "\n"
                            R"({"prompt": ")" +
                            std::string(400, '7') + R"(", "answer": "b"})";
  const auto read = parse(lines, {.longest = 100});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->examples.size(), 1u);
  EXPECT_EQ(read->left_out, 1);
  EXPECT_FALSE(parse(lines, {.longest = 3}));
}

TEST_F(ChatExamplesTest, BadLinesAreNamed) {
  EXPECT_THAT(refusal("\n{\"prompt\": \"a\""), HasSubstr("data.jsonl:2: not JSON"));
  EXPECT_THAT(refusal("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}"),
              HasSubstr("no message is of an \"assistant\""));
  EXPECT_THAT(refusal("{\"prompt\": \"a\", \"answer\": 4}"),
              HasSubstr("\"answer\" must be a string"));
  EXPECT_THAT(refusal("{\"prompt\": \"a\"}"), HasSubstr("the answer is empty"));
  EXPECT_THAT(refusal("{\"text\": \"a\"}"), HasSubstr("neither"));
  EXPECT_THAT(refusal("{\"prompt\": \"a\", \"answer\": \"b\", \"weight\": 0}"),
              HasSubstr("\"weight\""));
  EXPECT_THAT(refusal("\n"), HasSubstr("holds no example"));
  EXPECT_EQ(load_chats("no.jsonl", tokenizer_, {}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace lichen::training
