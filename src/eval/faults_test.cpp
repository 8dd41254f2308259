#include "eval/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <set>

#include "mechanisms/scripted_model.h"

namespace lichen::eval {
namespace {

using Kind = FaultCheck::Kind;

TEST(FaultVerdicts, TheVerdictFollowsFromTheChecks) {
  const auto verdict = [](bool honest, bool served, bool accounted) {
    return verdict_of({{Kind::honest, "a", true},
                       {Kind::honest, "b", honest},
                       {Kind::served, "c", served},
                       {Kind::accounted, "d", accounted}});
  };
  EXPECT_EQ(verdict(true, true, true), FaultVerdict::pass);
  EXPECT_EQ(verdict(true, true, false), FaultVerdict::partial);
  EXPECT_EQ(verdict(true, false, true), FaultVerdict::safe);
  EXPECT_EQ(verdict(false, true, true), FaultVerdict::fail);
}

class Faults : public testing::Test {
 protected:
  std::vector<FaultOutcome> run(int retries) {
    const auto local = std::make_shared<mechanisms::ScriptedModel>(
        "local", std::vector<mechanisms::Script>{{.text = " said locally"}});
    auto outcomes = run_faults({.local = local, .retries = retries}, io_.get_executor());
    EXPECT_TRUE(outcomes) << outcomes.error().detail;
    return outcomes ? *std::move(outcomes) : std::vector<FaultOutcome>{};
  }

 private:
  boost::asio::thread_pool io_{1};
};

TEST_F(Faults, EndpointsMayGoWrongInAllOfThem) {
  const auto outcomes = run(2);
  EXPECT_EQ(outcomes.size(), 16u);
  std::set<std::string> ids;
  for (const FaultOutcome& outcome : outcomes) {
    ids.insert(outcome.id);
    for (const FaultCheck& check : outcome.checks) {
      // How long it takes is the machine's affair.
      EXPECT_TRUE(check.ok || check.what.starts_with("it took at most"))
          << outcome.id << ": " << check.what << "; seen: " << outcome.seen;
    }
  }
  EXPECT_EQ(ids.size(), outcomes.size());
}

TEST_F(Faults, WithoutRetriesTheVerdictsSayWhatIsMissing) {
  std::set<std::string> missed;
  for (const FaultOutcome& outcome : run(0)) {
    if (std::ranges::any_of(outcome.checks, [](const FaultCheck& check) {
          return check.kind == Kind::served && !check.ok;
        })) {
      missed.insert(outcome.id);
    }
  }
  for (const char* id : {"rate-limit-once", "error-once", "reset-before-header", "no-response",
                         "first-token-late", "cut", "stall", "malformed-event", "flapping"}) {
    EXPECT_TRUE(missed.contains(id)) << id;
  }
  for (const char* id : {"no-done", "context-length", "content-filter"}) {
    EXPECT_FALSE(missed.contains(id)) << id << " needs no second attempt";
  }
}

}  // namespace
}  // namespace lichen::eval
