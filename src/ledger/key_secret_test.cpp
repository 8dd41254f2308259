#include "ledger/key_secret.h"

#include <gtest/gtest.h>

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;

TEST(KeySecretTest, ItsTextNamesAndOpensIt) {
  const NewKey made = new_key("laptop", {.requests_per_minute = 3}).value();
  EXPECT_EQ(made.key.name, "laptop");
  EXPECT_EQ(made.key.limits.requests_per_minute, 3);
  EXPECT_EQ(key_id(made.text), made.key.id);
  EXPECT_TRUE(opens(made.key, made.text));
  EXPECT_EQ(made.key.hash.find(made.text.substr(30)), std::string::npos);
}

TEST(KeySecretTest, NothingElseDoes) {
  const NewKey made = new_key("a", {}).value();
  const NewKey other = new_key("a", {}).value();
  EXPECT_NE(made.text, other.text);
  EXPECT_FALSE(opens(made.key, other.text));
  EXPECT_FALSE(opens(made.key, made.key.hash));
  EXPECT_FALSE(opens(made.key, ""));
  std::string changed = made.text;
  changed.back() = changed.back() == '0' ? '1' : '0';
  EXPECT_EQ(key_id(changed), made.key.id);
  EXPECT_FALSE(opens(made.key, changed));
}

TEST(KeySecretTest, OtherTextsNameNoKey) {
  const std::string text = new_key("a", {}).value().text;
  for (const std::string& wrong :
       {std::string(), std::string("sk-123"), text + "0", text.substr(1),
        text.substr(0, text.size() - 1), "LK" + text.substr(2), std::string(text.size(), '-')}) {
    EXPECT_EQ(key_id(wrong), std::nullopt) << wrong;
  }
}

TEST(KeySecretTest, ARevokedOrExpiredKeyIsNotValid) {
  const auto now = std::chrono::system_clock::now();
  EXPECT_TRUE(valid({}, now));
  EXPECT_TRUE(valid({.expires = now + 1s}, now));
  EXPECT_FALSE(valid({.expires = now}, now));
  EXPECT_FALSE(valid({.revoked = now - 1s}, now));
}

}  // namespace
}  // namespace lichen::ledger
