#include "eval/faults.h"

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>
#include <set>

#include "mechanisms/scripted_model.h"

namespace lichen::eval {
namespace {

using Kind = FaultCheck::Kind;

TEST(Faults, TheVerdictFollowsFromTheChecks) {
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

TEST(Faults, EndpointsMayGoWrongInAllOfThem) {
  boost::asio::thread_pool io(1);
  const auto local = std::make_shared<mechanisms::ScriptedModel>(
      "local", std::vector<mechanisms::Script>{{.text = " said locally"}});
  const auto outcomes = run_faults({.local = local}, io.get_executor());
  ASSERT_TRUE(outcomes) << outcomes.error().detail;
  EXPECT_EQ(outcomes->size(), 16u);
  std::set<std::string> ids;
  for (const FaultOutcome& outcome : *outcomes) {
    ids.insert(outcome.id);
    for (const FaultCheck& check : outcome.checks) {
      // How long it takes is the machine's affair.
      EXPECT_TRUE(check.ok || check.what.starts_with("it took at most"))
          << outcome.id << ": " << check.what << "; seen: " << outcome.seen;
    }
  }
  EXPECT_EQ(ids.size(), outcomes->size());
}

}  // namespace
}  // namespace lichen::eval
