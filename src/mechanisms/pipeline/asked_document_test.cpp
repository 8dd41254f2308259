#include "mechanisms/pipeline/asked_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using testing::HasSubstr;

const std::string kText(kLeastDocumentMessage, 'x');

Error error_of(Request request, std::size_t most = 1'000'000) {
  const auto asked = asked_document(std::move(request), most);
  return asked ? Error{.detail = "none"} : asked.error();
}

TEST(AskedDocument, IsTheRequestsOwn) {
  const auto asked =
      asked_document({.messages = {{"user", kText}, {"assistant", "Yes?"}, {"user", "Why?"}},
                      .document = "Short."},
                     6);
  ASSERT_TRUE(asked) << asked.error().detail;
  ASSERT_TRUE(*asked);
  EXPECT_EQ((*asked)->document, "Short.");
  EXPECT_FALSE((*asked)->question.document);
  EXPECT_EQ((*asked)->question.messages.size(), 3u);
}

TEST(AskedDocument, ElseTheLongestMessage) {
  const auto asked = asked_document(
      {.messages = {{"system", "Be short."}, {"user", kText}, {"user", "Why?"}}}, 1'000'000);
  ASSERT_TRUE(asked) << asked.error().detail;
  ASSERT_TRUE(*asked);
  EXPECT_EQ((*asked)->document, kText);
  const auto& others = (*asked)->question.messages;
  ASSERT_EQ(others.size(), 2u);
  EXPECT_EQ(others[0].content, "Be short.");
  EXPECT_EQ(others[1].content, "Why?");
  const auto last = asked_document({.messages = {{"user", "Why?"}, {"user", kText}}}, 1'000'000);
  EXPECT_EQ(last->value().question.messages[0].content, "Why?");
}

TEST(AskedDocument, ShortTextsAreNone) {
  const std::string shorter = kText.substr(1);
  for (const Request& request :
       {Request{.messages = {{"user", shorter}, {"user", "Why?"}}}, Request{.prompt = shorter},
        Request{.messages = {{"user", shorter}}}, Request{}}) {
    const auto asked = asked_document(request, 1'000'000);
    ASSERT_TRUE(asked) << asked.error().detail;
    EXPECT_FALSE(*asked);
  }
}

TEST(AskedDocument, StandsApartFromItsQuestion) {
  for (const Request& request :
       {Request{.messages = {{"user", kText}}}, Request{.prompt = kText}}) {
    EXPECT_EQ(error_of(request).code, Errc::bad_request);
    EXPECT_THAT(error_of(request).detail, HasSubstr("send the document in `document`"));
    const auto allowed = asked_document(request, 1'000'000, true);
    ASSERT_TRUE(allowed) << allowed.error().detail;
    EXPECT_FALSE(*allowed);
  }
  EXPECT_EQ(error_of({.prompt = "p", .document = "d"}).code, Errc::unsupported);
  EXPECT_THAT(error_of({.document = "d"}).detail, HasSubstr("no question"));
}

TEST(AskedDocument, MustBeTextOfBoundedSize) {
  const auto with = [](std::string document) {
    return Request{.messages = {{"user", "Why?"}}, .document = std::move(document)};
  };
  EXPECT_THAT(error_of(with("")).detail, HasSubstr("empty"));
  EXPECT_THAT(error_of(with(std::string("a\0b", 3))).detail, HasSubstr("NUL at byte 1"));
  EXPECT_THAT(error_of(with("ab\xff")).detail, HasSubstr("not UTF-8 at byte 2"));
  const Error large = error_of(with("abcdef"), 5);
  EXPECT_EQ(large.code, Errc::too_large);
  EXPECT_THAT(large.detail, HasSubstr("6 bytes"));
}

}  // namespace
}  // namespace lichen::mechanisms
