#include <gmock/gmock.h>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(OfflineModel, FailsAtOnceAndSendsNothing) {
  FakeUpstream upstream({Reply::chat_whole("42")});
  Remotely at(upstream.url(), [](auto& options) {
    options.offline = true;
    options.continues = Continuation::prefix;
    options.context = 100;
  });
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::offline);
  EXPECT_THAT(answer.error().detail, HasSubstr("`cloud` is a remote model"));
  EXPECT_EQ(at.run(at.model->embed({"a"}, turn)).error().code, Errc::offline);
  EXPECT_THAT(turn.receipt.steps, IsEmpty()) << "no model was used";
  ASSERT_EQ(turn.receipt.decisions.size(), 2u);
  EXPECT_EQ(turn.receipt.decisions[0].choice, "offline");
  EXPECT_EQ(upstream.connections(), 0);
  EXPECT_FALSE(at.model->local());
  EXPECT_TRUE(at.model->continues()) << "plans are checked as if it answered";
  EXPECT_EQ(at.model->context_length(), 100);
}

TEST(OfflineModel, NeedsNoKey) {
  Remotely at("https://api.example.com/v1", [](auto& options) {
    options.offline = true;
    options.key_env = "LICHEN_TEST_KEY_THAT_IS_NOT_SET";
  });
  Turn turn("cloud");
  EXPECT_EQ(at.ask(turn).error().code, Errc::offline);
}

}  // namespace
}  // namespace lichen::model
