#include "privacy/unmask.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <memory>
#include <random>
#include <string>

namespace lichen::privacy {
namespace {

std::unique_ptr<Vault> some_vault() {
  auto vault = std::make_unique<Vault>();
  vault->keep(Kind::email, "zoë@example.org");
  vault->keep(Kind::secret, "a\"b\\c\nd\x01");
  for (int i = 0; i < 11; ++i) vault->keep(Kind::phone, "555 010" + std::to_string(i));
  vault->keep(Kind::literal, "[EMAIL_1]");
  return vault;
}

TEST(Unmask, WholeTexts) {
  const auto vault = some_vault();
  EXPECT_EQ(unmask("To [EMAIL_1], [PHONE_1] and [PHONE_11].", *vault),
            "To zoë@example.org, 555 0100 and 555 01010.");
  EXPECT_EQ(unmask("[email_1][Email_1]", *vault), "zoë@example.orgzoë@example.org") << "any case";
  EXPECT_EQ(unmask("[EMAIL_7] [PHONE_12] [EMAIL_1 ] [EMAIL-1] [", *vault),
            "[EMAIL_7] [PHONE_12] [EMAIL_1 ] [EMAIL-1] [")
      << "invented ones stay";
  EXPECT_EQ(unmask("[[EMAIL_1]] [EMA[EMAIL_1]", *vault), "[zoë@example.org] [EMAzoë@example.org");
  EXPECT_EQ(unmask("[LITERAL_1]", *vault), "[EMAIL_1]") << "restored text is not looked into";
}

TEST(Unmask, JsonIsEscapedAndStaysJson) {
  const auto vault = some_vault();
  const std::string out = unmask(R"({"to": "x[SECRET_1]y", "\"q": [EMAIL_1], "n": ["[PHONE_1]"]})",
                                 *vault, Setting::json);
  const auto json = boost::json::parse(out).as_object();
  EXPECT_EQ(json.at("to").as_string(), "xa\"b\\c\nd\x01y");
  EXPECT_EQ(json.at("\"q").as_string(), "zoë@example.org") << "a string outside of strings";
  EXPECT_EQ(json.at("n").as_array().at(0).as_string(), "555 0100");
}

TEST(Unmask, HoldsBackOnlyWhatMayBecomeAPlaceholder) {
  const auto vault = some_vault();
  Unmasker unmasker(*vault);
  EXPECT_EQ(unmasker.push("a [EMA"), "a ");
  EXPECT_EQ(unmasker.held(), 4U);
  EXPECT_EQ(unmasker.push("X"), "[EMAX");
  EXPECT_EQ(unmasker.push(" [see"), " [see") << "no kind of the vault's begins so";
  EXPECT_EQ(unmasker.push(" [PHONE_1"), " ");
  EXPECT_EQ(unmasker.push("]"), "555 0100");
  EXPECT_EQ(unmasker.push("[PHONE_1"), "");
  EXPECT_EQ(unmasker.finish(), "[PHONE_1");
  EXPECT_EQ(unmasker.finish(), "");
}

TEST(Unmask, AnEmptyVaultHoldsNothingBack) {
  const Vault vault;
  Unmasker unmasker(vault);
  EXPECT_EQ(unmasker.push("a [EMAIL_1"), "a [EMAIL_1");
}

std::string in_pieces(std::string_view text, const std::vector<std::size_t>& cuts,
                      const Vault& vault, Setting setting) {
  Unmasker unmasker(vault, setting);
  std::string out;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    out += unmasker.push(text.substr(begin, cut - begin));
    begin = cut;
  }
  out += unmasker.push(text.substr(begin));
  return out + unmasker.finish();
}

TEST(Unmask, EverySplitGivesTheSame) {
  const auto vault = some_vault();
  struct Case {
    std::string text;
    Setting setting;
  };
  const std::vector<Case> cases = {
      {"é[EMAIL_1]ü [[email_1] [PHONE_1][PHONE_11] [EMAIL_9] [LITERAL_1][", Setting::text},
      {R"({"é\"": "[SECRET_1]\\", "b": [EMAIL_1], "c": "[phone_2]\"[PHONE_30]"})", Setting::json}};
  for (const Case& example : cases) {
    const std::string whole = unmask(example.text, *vault, example.setting);
    EXPECT_NE(whole, example.text);
    const std::size_t size = example.text.size();
    // All ways to cut it in up to three, and each byte by itself.
    for (std::size_t a = 0; a <= size; ++a) {
      for (std::size_t b = a; b <= size; ++b) {
        ASSERT_EQ(in_pieces(example.text, {a, b}, *vault, example.setting), whole) << a << " " << b;
      }
    }
    std::vector<std::size_t> all;
    for (std::size_t i = 1; i < size; ++i) all.push_back(i);
    EXPECT_EQ(in_pieces(example.text, all, *vault, example.setting), whole);
    // And many at random.
    std::mt19937 random(1);
    for (int round = 0; round < 2'000; ++round) {
      std::vector<std::size_t> cuts;
      for (std::size_t i = 1; i < size; ++i) {
        if (random() % 4 == 0) cuts.push_back(i);
      }
      ASSERT_EQ(in_pieces(example.text, cuts, *vault, example.setting), whole);
    }
  }
}

}  // namespace
}  // namespace lichen::privacy
