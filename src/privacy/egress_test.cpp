#include "privacy/egress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace lichen::privacy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Egress : public ::testing::Test {
 protected:
  Egress() {
    vault_.keep(Kind::email, "Zoë.Lee@example.org");
    vault_.keep(Kind::phone, "+1 212 555 0100");
    vault_.keep(Kind::person, "Ann");
    vault_.keep(Kind::address, "12 \"Old\" Road\nLeeds");
    vault_.keep(Kind::literal, "[EMAIL_1]");
  }
  bool passes(std::string_view body) { return check_egress(vault_, body).has_value(); }

  Vault vault_;
};

TEST_F(Egress, LetsMaskedBodiesPass) {
  EXPECT_TRUE(passes(R"({"content": "Mail [EMAIL_1] or call [PHONE_1]"})"));
  EXPECT_TRUE(passes(""));
  EXPECT_TRUE(passes("\\ \\u12 % %4 \\"));
}

TEST_F(Egress, RefusesValuesInClearText) {
  const auto refused = check_egress(vault_, "{\"content\": \"mail zoË.lee@EXAMPLE.org now\"}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_THAT(refused.error().detail,
              AllOf(HasSubstr("EMAIL"), HasSubstr("[EMAIL_1]"), Not(HasSubstr("example"))));
}

TEST_F(Egress, RefusesValuesInJson) {
  EXPECT_FALSE(passes(R"({"content": "zo\u00cb.lee@example.org"})"));
  const std::string inner = boost::json::serialize(boost::json::value("12 \"Old\" Road\nLeeds"));
  EXPECT_FALSE(passes(inner));
  EXPECT_FALSE(passes(boost::json::serialize(boost::json::value(inner)))) << "JSON in JSON";
  EXPECT_FALSE(passes(R"("a\nzo\u00eb.lee@example.org")")) << "an escape is no part of a word";
}

TEST_F(Egress, RefusesUrlEncodedValues) {
  EXPECT_FALSE(passes("https://x.example/?q=Zo%C3%AB.Lee%40example.org"));
  EXPECT_FALSE(passes("q=%2B1+212+555+0100"));
  EXPECT_FALSE(passes("q=%2B1%20212%20555%200100"));
  EXPECT_FALSE(passes(R"({"url": "https:\/\/x\/?q=zo%c3%ab.lee%40example.org"})"));
}

TEST_F(Egress, WordsThatHoldAValueAreOthers) {
  EXPECT_TRUE(passes("azoë.lee@example.organic")) << "a part of a longer word";
  EXPECT_TRUE(passes("Ann")) << "shorter than what is looked for";
}

TEST_F(Egress, WordsOfTheProtocolTellNothing) {
  vault_.keep(Kind::secret, "content");
  vault_.keep(Kind::secret, "assistant");
  vault_.keep(Kind::organization, "Tool");
  EXPECT_TRUE(passes(R"({"messages":[{"role":"assistant","content":"[SECRET_1]"}]})"));
  EXPECT_TRUE(passes(R"({"tool_calls":[{"function":{"arguments":"{\"content\":\"a\\nb\"}"}}]})"));
  EXPECT_FALSE(passes(R"({"content":"it is: content"})"));
  EXPECT_FALSE(passes(R"({"content":"the assistant"})"));
  EXPECT_FALSE(passes(R"({"role":"Assistant"})")) << "not as the protocol writes it";
  EXPECT_FALSE(passes(R"({"name":"tool-x"})")) << "a part of somebody else's word";
  EXPECT_FALSE(passes("content")) << "not in quotes";
}

TEST_F(Egress, ManyValuesAreFoundInOnePass) {
  for (int i = 0; i < 2'000; ++i) vault_.keep(Kind::other, "value number " + std::to_string(i));
  EXPECT_TRUE(passes("value number 2000"));
  EXPECT_FALSE(passes("the Value Number 1999 is it"));
}

}  // namespace
}  // namespace lichen::privacy
