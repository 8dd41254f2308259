#include "privacy/detector_pool.h"

#include <gtest/gtest.h>

namespace lichen::privacy {
namespace {

TEST(DetectorPool, MakesOneForAllWhoLookForTheSame) {
  DetectorPool pool;
  const KindSet emails = KindSet().set(index_of(Kind::email));
  const auto first = pool.get(emails, {});
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(*pool.get(emails, {}), *first);
  const auto with_names =
      pool.get(KindSet(emails).set(index_of(Kind::person)), {{Kind::person, "Ann Lee"}});
  ASSERT_TRUE(with_names) << with_names.error().detail;
  EXPECT_NE(*with_names, *first);
  EXPECT_EQ((*with_names)->find("Ann Lee: ann@example.org")->size(), 2U);
  EXPECT_EQ((*first)->find("Ann Lee: ann@example.org")->size(), 1U);
}

TEST(DetectorPool, ABadDictionaryIsAnError) {
  DetectorPool pool;
  EXPECT_EQ(pool.get(KindSet().set(), {{Kind::person, "x"}}).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace lichen::privacy
