#include "model/remote/reach.h"

#include <gmock/gmock.h>

#include "model/remote/fake_upstream.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(Reach, SaysOfEachEndpointWhetherItIsThere) {
  const FakeUpstream upstream({Reply::chat_whole("x")});
  std::string gone;
  {
    gone = FakeUpstream({Reply::raw()}).url();
  }
  const auto reached = reach({.key_env = "LICHEN_TEST_KEY_THAT_IS_NOT_SET",
                              .urls = {{.url = upstream.url()}, {.url = gone}}});
  ASSERT_TRUE(reached) << reached.error().detail;
  ASSERT_EQ(reached->size(), 2u);
  EXPECT_EQ((*reached)[0].name, "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_EQ((*reached)[0].error, "");
  EXPECT_GT((*reached)[0].connect_ms, 0);
  EXPECT_THAT((*reached)[1].error, HasSubstr("no connection to 127.0.0.1"));
  EXPECT_THAT(upstream.requests(), IsEmpty());
}

TEST(Reach, AUrlThatCannotBeUsedIsAnError) {
  EXPECT_EQ(reach({.url = "nowhere"}).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace lichen::model
