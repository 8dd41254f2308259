#include "model/answer_writer.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/utf8.h"
#include "model/scripted_backend.h"

namespace lichen::model {
namespace {

namespace asio = boost::asio;

class Collector : public Sink {
 public:
  awaitable<bool> write(Piece piece) override {
    EXPECT_TRUE(base::valid_utf8(piece.text));
    text += piece.text;
    tokens += piece.tokens;
    pieces.push_back(std::move(piece));
    co_return true;
  }
  std::string text;
  int tokens = 0;
  std::vector<Piece> pieces;
};

class NoTools : public ChatFormat {
 public:
  Result<RenderedChat> render(const Request&) const override { return RenderedChat{}; }
  Result<ParsedReply> parse(const RenderedChat&, const std::string& reply) const override {
    const std::size_t call = reply.find("<call>");
    ParsedReply parsed{.content = reply.substr(0, call)};
    if (call != reply.npos) parsed.tool_calls.emplace_back(reply.substr(call));
    while (parsed.content.ends_with(' ')) parsed.content.pop_back();
    return parsed;
  }
  Result<std::string> grammar(const Format&) const override { return std::string(); }
};

struct Part {
  std::string author;
  std::string bytes;
};

template <class T>
T run(awaitable<T> work) {
  asio::io_context io;
  auto result = asio::co_spawn(io, std::move(work), asio::use_future);
  io.run();
  return result.get();
}

class AnswerWriterTest : public ::testing::Test {
 protected:
  awaitable<Result<Answer>> written(std::vector<Part> parts) {
    Turn turn("plan", &sink_);
    AnswerWriter writer(form_, chat_, turn);
    for (const Part& part : parts) {
      for (const char byte : part.bytes) {
        const Row row{.token = static_cast<unsigned char>(byte), .logprob = -1};
        const Result<bool> more = co_await writer.write(row, vocabulary_, part.author);
        if (!more) co_return std::unexpected(more.error());
        if (!*more) co_return co_await writer.finish();
      }
    }
    co_return co_await writer.finish();
  }
  /// Writes byte by byte, and checks what holds for every answer.
  Answer write(std::vector<Part> parts) {
    sink_ = {};
    Result<Answer> answer = run(written(std::move(parts)));
    EXPECT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(sink_.text, answer->text);
    std::int64_t bytes = 0, tokens = 0;
    for (const Stretch& stretch : answer->authors) {
      bytes += stretch.bytes;
      tokens += stretch.tokens;
    }
    EXPECT_EQ(bytes, static_cast<std::int64_t>(answer->text.size()));
    EXPECT_EQ(tokens, answer->completion_tokens);
    EXPECT_EQ(tokens, static_cast<std::int64_t>(answer->tokens.size()));
    return *std::move(answer);
  }
  /// "small 2/1 large 1/2": tokens and bytes.
  static std::string authors(const Answer& answer) {
    std::string text;
    for (const Stretch& stretch : answer.authors) {
      if (!text.empty()) text += ' ';
      text += stretch.model + ' ' + std::to_string(stretch.tokens) + '/' +
              std::to_string(stretch.bytes);
    }
    return text;
  }
  /// "small:ab large:c", pieces of one author together.
  std::string pieces() const {
    std::string text;
    std::string author;
    for (const Piece& piece : sink_.pieces) {
      if (piece.model != author) text += (text.empty() ? "" : " ") + piece.model + ":";
      author = piece.model;
      text += piece.text;
    }
    return text;
  }

  AnswerForm form_{.max_tokens = 1'000};
  NoTools chat_;
  ByteVocabulary vocabulary_;
  Collector sink_;
};

TEST_F(AnswerWriterTest, EachStretchHasItsAuthor) {
  const Answer answer = write({{"small", "ab"}, {"large", "c"}, {"small", "def"}});
  EXPECT_EQ(answer.text, "abcdef");
  EXPECT_EQ(authors(answer), "small 2/2 large 1/1 small 3/3");
  EXPECT_EQ(pieces(), "small:ab large:c small:def");
  EXPECT_EQ(sink_.tokens, 6);
}

TEST_F(AnswerWriterTest, ACharacterOfTwoAuthorsIsTheSecondOnes) {
  const Answer answer = write({{"small", "h\xF0\x9F"}, {"large", "\x8C"}, {"small", "\xBF!"}});
  EXPECT_EQ(answer.text, "h\xF0\x9F\x8C\xBF!");
  EXPECT_EQ(authors(answer), "small 3/1 large 1/0 small 2/5");
  EXPECT_EQ(pieces(), "small:h\xF0\x9F\x8C\xBF!");
  EXPECT_EQ(sink_.tokens, 6);
}

TEST_F(AnswerWriterTest, WhatWasHeldBackForAStopStringKeepsItsAuthor) {
  form_.stops = {"stop"};
  EXPECT_EQ(authors(write({{"small", "a st"}, {"large", "o"}, {"small", "p b"}})),
            "small 4/2 large 1/0 small 1/0");
  EXPECT_EQ(sink_.text, "a ");
  const Answer open =
      write({{"small", "a st"}, {"large", "o"}, {"small", "\xC3"}, {"large", "\xA9"}});
  EXPECT_EQ(open.text, "a sto\xC3\xA9");
  EXPECT_EQ(authors(open), "small 4/4 large 1/1 small 1/0 large 1/2");
  EXPECT_EQ(pieces(), "small:a st large:o\xC3\xA9");
}

TEST_F(AnswerWriterTest, BytesThatAreNoTextAddUpToo) {
  write({{"small", "a\xC3"}, {"large", "b"}});
  EXPECT_EQ(sink_.text,
            "a\xEF\xBF\xBD"
            "b");
  write({{"small", "a\xFF\xC3"}, {"large", "\xC3"}});
  form_.stops = {"sb"};
  write({{"small", "\xC3s"}, {"large", "\xFF\x80"}, {"small", "s"}, {"large", "\xE2\x82"}});
}

TEST_F(AnswerWriterTest, MaxTokensCountsAllAuthors) {
  form_.max_tokens = 3;
  const Answer answer = write({{"small", "ab"}, {"large", "cde"}});
  EXPECT_EQ(answer.text, "abc");
  EXPECT_EQ(answer.finish, Finish::length);
}

TEST_F(AnswerWriterTest, LogprobsGoWithTheirPieces) {
  form_.logprobs = true;
  form_.stops = {"cdx"};
  write({{"small", "abc"}, {"large", "de"}});
  for (const Piece& piece : sink_.pieces) {
    ASSERT_EQ(piece.logprobs.size(), static_cast<std::size_t>(piece.tokens));
    std::string text;
    for (const AnswerToken& token : piece.logprobs) text += token.text;
    EXPECT_EQ(text, piece.text);
  }
}

TEST_F(AnswerWriterTest, AToolCallThatALimitCutIsNotWhole) {
  form_.tools = true;
  form_.chat.call_starts = {"<call>"};
  form_.max_tokens = 7;
  const Answer answer = write({{"small", "<call>xy"}});
  EXPECT_EQ(answer.tool_calls, boost::json::array{"<call>x"});
  EXPECT_EQ(answer.finish, Finish::length);
}

TEST_F(AnswerWriterTest, AToolCallOfTwoAuthorsIsRead) {
  form_.tools = true;
  form_.chat.call_starts = {"<call>"};
  const Answer answer = write({{"small", "so: <ca"}, {"large", "ll>x"}, {"small", "y"}});
  EXPECT_EQ(answer.text, "so: ");
  EXPECT_EQ(answer.finish, Finish::tool_calls);
  EXPECT_EQ(answer.tool_calls, boost::json::array{"<call>xy"});
  EXPECT_EQ(authors(answer), "small 7/4 large 4/0 small 1/0");
  EXPECT_EQ(sink_.tokens, 12);
  EXPECT_EQ(authors(write({{"small", "a <c"}, {"large", "d "}})), "small 4/4 large 2/2")
      << "what was shown stands";
  EXPECT_EQ(sink_.tokens, 6);
}

TEST_F(AnswerWriterTest, TextWithoutTokensOfItsOwnCountsAsItSays) {
  const auto work = [](const AnswerForm& form, const ChatFormat& chat,
                       Sink* sink) -> awaitable<Result<Answer>> {
    Turn turn("plan", sink);
    AnswerWriter writer(form, chat, turn);
    (void)co_await writer.write_text("one two", 2, {}, "large");
    (void)co_await writer.write_text(" three", 1, {}, "large");
    EXPECT_EQ(writer.tokens_of("large"), 3);
    co_return co_await writer.finish();
  };
  const Result<Answer> answer = run(work(form_, chat_, &sink_));
  ASSERT_TRUE(answer);
  EXPECT_EQ(authors(*answer), "large 3/13");
  EXPECT_EQ(sink_.tokens, 3);
}

}  // namespace
}  // namespace lichen::model
