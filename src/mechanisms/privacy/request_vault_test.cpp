#include "mechanisms/privacy/request_vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "mechanisms/privacy/test_rules.h"
#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class RequestVaultTest : public testing::Test {
 protected:
  std::vector<std::string> masked(std::vector<PrivateText> texts) {
    const auto result = run(vault_->mask(std::move(texts), turn_));
    EXPECT_TRUE(result) << result.error().detail;
    return result ? result->texts : std::vector<std::string>{};
  }

  const std::shared_ptr<MaskRules> rules_ = test_rules();
  std::shared_ptr<RequestVault> vault_ = std::make_shared<RequestVault>(rules_, nullptr);
  Turn turn_{"p"};
};

TEST_F(RequestVaultTest, PlaceholdersAreTheSameInAllCalls) {
  EXPECT_THAT(masked({{.text = "a@example.org, b@example.org"}}),
              ElementsAre("[EMAIL_1], [EMAIL_2]"));
  EXPECT_THAT(masked({{.text = "B@example.org"}, {.text = "a@example.org"}}),
              ElementsAre("[EMAIL_2]", "[EMAIL_1]"));
}

TEST_F(RequestVaultTest, WhatStandsBeforeATextTellsWhatItIs) {
  EXPECT_THAT(masked({{.text = "5550184", .before = "phone: "}, {.text = "5550185"}}),
              ElementsAre("[PHONE_1]", "5550185"));
}

/// Counts what it is asked.
class Finder : public NameFinder {
 public:
  awaitable<Result<std::vector<std::vector<privacy::Span>>>> find(std::vector<std::string> texts,
                                                                  Turn&) override {
    std::vector<std::vector<privacy::Span>> spans(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      asked.push_back(texts[i]);
      const std::size_t at = texts[i].find("Bob");
      if (at == std::string::npos) continue;
      spans[i].push_back({.begin = at, .end = at + 3, .kind = privacy::Kind::person});
    }
    if (fails) co_return fail(Errc::context_overflow, "too long");
    co_return spans;
  }
  std::vector<std::string> asked;
  bool fails = false;
};

TEST_F(RequestVaultTest, NamesAreAskedForOncePerText) {
  const auto finder = std::make_shared<Finder>();
  rules_->names = finder;
  EXPECT_THAT(masked({{.text = "Bob"}, {.text = "x"}}), ElementsAre("[PERSON_1]", "x"));
  EXPECT_THAT(masked({{.text = "x"}, {.text = "Bob"}, {.text = "Bob's"}}),
              ElementsAre("x", "[PERSON_1]", "[PERSON_1]'s"));
  EXPECT_THAT(finder->asked, ElementsAre("Bob", "x", "Bob's"));
  masked({{.text = "Bob Poe", .is_field = true}});
  EXPECT_EQ(finder->asked.size(), 3u) << "a field is nobody's name";
  finder->fails = true;
  EXPECT_EQ(run(vault_->mask({{.text = "new"}}, turn_)).error().code, Errc::context_overflow);
}

TEST_F(RequestVaultTest, AValueThatATextBreaksOffInIsCompleted) {
  masked({{.text = "Ann.Lee@example.org, phones: +1 212 555 0100, +1 212 555 0199, Zoë Lee"}});
  const auto open = vault_->open_value("Mail ann.lee@exam");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->begin, 5u);
  EXPECT_EQ(open->placeholder, "[EMAIL_1]");
  EXPECT_EQ(open->rest, "ple.org");
  EXPECT_EQ(vault_->open_value("Call +1 212 555 010")->rest, "0");
  const auto either = vault_->open_value("Call +1 212 555 01");
  ASSERT_TRUE(either);
  EXPECT_EQ(either->rest, "") << "either number could be meant";
  EXPECT_EQ(either->placeholder, "[PHONE_3]");
  EXPECT_EQ(vault_->open_value("Zoë L")->rest, "ee");
  for (const char* closed :
       {"Mail ann.lee@example.org", "Mail ann", "Zoë", "xann.lee@exam", "", "It is"}) {
    EXPECT_FALSE(vault_->open_value(closed)) << closed;
  }
}

TEST_F(RequestVaultTest, AValueInTwoWritingsIsStillOneOfSeveral) {
  masked({{.text = "phones: +1 415 555 0199, +1 415 555 0100, +1 415 555-0100"}});
  const auto either = vault_->open_value("Call +1 415 555 01");
  ASSERT_TRUE(either);
  EXPECT_EQ(either->rest, "");
}

TEST_F(RequestVaultTest, RemarksHoldNoValues) {
  masked({{.text = "Ann.Lee@example.org, phone +1 212 555 0100 [EMAIL_7]"}});
  EXPECT_EQ(vault_->without_values("mean log-prob -0.81 under threshold -0.25"),
            "mean log-prob -0.81 under threshold -0.25");
  EXPECT_EQ(vault_->without_values("the verdict `ask ann.lee@example.org` is neither; [EMAIL_7]"),
            "the verdict `ask [EMAIL_1]` is neither; [EMAIL_7]");
  EXPECT_EQ(vault_->without_values("no edit: call +1 212 555 0..."), "no edit: call [PHONE_1]...");
  EXPECT_EQ(vault_->without_values("`ann.lee@exa` and \"ann.lee@exampl\""),
            "`[EMAIL_1]` and \"[EMAIL_1]\"");
  EXPECT_EQ(vault_->without_values("new: y@example.org"), "new: [EMAIL_2]");
  EXPECT_THAT(vault_->without_values("\xFF z@example.org"), Not(HasSubstr("example")));

  turn_.receipt.decisions = {{.mechanism = "vote", .choice = "a", .reason = "2 for y@example.org"},
                             {.mechanism = "mask", .choice = "mask", .reason = "far: 1 EMAIL"}};
  hide_values(*vault_, turn_.receipt, 0);
  EXPECT_EQ(turn_.receipt.decisions[0].reason, "2 for [EMAIL_2]");
  EXPECT_EQ(turn_.receipt.decisions[1].reason, "far: 1 EMAIL");
}

TEST_F(RequestVaultTest, TheLastCheckRefusesWhatIsKept) {
  masked({{.text = "z@example.org"}});
  EXPECT_TRUE(vault_->check("{\"content\": \"[EMAIL_1]\"}", turn_));
  EXPECT_TRUE(turn_.receipt.decisions.empty());
  const auto refused = vault_->check("{\"content\": \"Z@EXAMPLE.org\"}", turn_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  ASSERT_EQ(turn_.receipt.decisions.size(), 1u);
  EXPECT_EQ(turn_.receipt.decisions[0].mechanism, "mask");
  EXPECT_EQ(turn_.receipt.decisions[0].choice, "refuse");
  EXPECT_THAT(turn_.receipt.decisions[0].reason,
              AllOf(HasSubstr("EMAIL"), HasSubstr("[EMAIL_1]"), Not(HasSubstr("xample"))));
  EXPECT_EQ(rules_->refused, 1u);
}

TEST_F(RequestVaultTest, AnOuterVaultIsAskedToo) {
  masked({{.text = "z@example.org"}});
  const auto inner = std::make_shared<RequestVault>(test_rules(), vault_);
  EXPECT_FALSE(inner->check("z@example.org", turn_));
  turn_.egress = inner;
  EXPECT_EQ(RequestVault::of(turn_, rules_), vault_);
  EXPECT_NE(RequestVault::of(turn_, test_rules()), vault_);
}

TEST_F(RequestVaultTest, ManyThreadsAtOnce) {
  masked({{.text = "z@example.org"}});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      Turn turn("p");
      Restorer restorer(vault_, privacy::Setting::text);
      for (int round = 0; round < 20; ++round) {
        const auto text = std::to_string(i) + "x" + std::to_string(round) + "@example.org";
        const auto result = run(vault_->mask({{.text = text}, {.text = "z@example.org"}}, turn));
        ASSERT_TRUE(result);
        EXPECT_EQ(result->texts[1], "[EMAIL_1]");
        EXPECT_EQ(restorer.push(result->texts[0]), text);
        EXPECT_FALSE(vault_->check(text, turn));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(vault_->size(), 161u);
}

}  // namespace
}  // namespace lichen::mechanisms
