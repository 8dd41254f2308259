#include "base/document.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace lichen::base {
namespace {

std::string problem(std::string_view document) {
  const auto good = check_document(document);
  return good ? "" : good.error().detail;
}

TEST(Document, IsText) {
  EXPECT_EQ(problem("a\fb\n"), "");
  EXPECT_EQ(problem(""), "the document is empty; it must be text");
  EXPECT_EQ(problem(" \f\n"), "the document is empty; it must be text");
  EXPECT_EQ(problem(std::string_view("ab\0c", 4)),
            "the document has a NUL at byte 2; it must be text, not a binary file");
  EXPECT_EQ(problem("caf\xE9 au lait"), "the document is not UTF-8 at byte 3; it must be");
  EXPECT_EQ(problem("caf\xC3"), "the document is not UTF-8 at byte 3; it must be");
}

TEST(Document, StandsInFrontOfTheUsersLastMessage) {
  const auto read = with_document_read({.messages = {{"system", "Be short."},
                                                     {"user", "Hello"},
                                                     {"assistant", "Hi"},
                                                     {"user", "How many?"},
                                                     {"assistant", "Six"}},
                                        .document = "Six eggs."});
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_FALSE(read->document);
  EXPECT_EQ(read->messages[1].content, "Hello");
  EXPECT_EQ(read->messages[3].content, "Six eggs.\n\nHow many?");
  EXPECT_EQ(read->messages[4].content, "Six");
}

TEST(Document, WithoutAUserItIsTheLastMessage) {
  const auto read = with_document_read({.messages = {{"system", "Sum up."}}, .document = "Text"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->messages[0].content, "Text\n\nSum up.");
}

TEST(Document, RequestsWithoutOneStayAsTheyAre) {
  EXPECT_EQ(with_document_read({.messages = {{"user", "Hi"}}})->messages[0].content, "Hi");
  EXPECT_EQ(with_document_read({.prompt = "raw"})->prompt, "raw");
}

TEST(Document, NeedsAMessage) {
  EXPECT_EQ(with_document_read({.prompt = "raw", .document = "d"}).error().code, Errc::bad_request);
  EXPECT_EQ(with_document_read({.document = "d"}).error().code, Errc::bad_request);
}

TEST(Document, IsCitedByBytesAndPage) {
  const Citation citations[] = {{"profit: 5", 10, 32, 2}, {"no pages", 1, 2}};
  EXPECT_EQ(to_json(citations),
            boost::json::parse(R"([{"text":"profit: 5","begin":10,"end":32,"page":2},)"
                               R"({"text":"no pages","begin":1,"end":2,"page":null}])"));
}

TEST(PromptBytes, AreOfTextsCallsAndTools) {
  Request request{.messages = {{"user", "Hi"}}, .begun = "Hel"};
  EXPECT_EQ(text_bytes(request), 5);
  EXPECT_EQ(prompt_bytes(request), 5);
  request.messages[0].tool_calls = {1};  // "[1]"
  request.tools = {{{"a", 22}}};         // [{"a":22}]
  EXPECT_EQ(text_bytes(request), 5);
  EXPECT_EQ(prompt_bytes(request), 5 + 3 + 10);
}

}  // namespace
}  // namespace lichen::base
