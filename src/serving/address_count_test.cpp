#include "serving/address_count.h"

#include <gtest/gtest.h>

namespace lichen::serving {
namespace {

using boost::asio::ip::make_address;

TEST(AddressCount, PlacesAreGivenBack) {
  AddressCount count;
  auto first = count.take(make_address("10.0.0.1"), 2);
  {
    const auto second = count.take(make_address("10.0.0.1"), 2);
    EXPECT_TRUE(second);
    EXPECT_FALSE(count.take(make_address("10.0.0.1"), 2));
    EXPECT_TRUE(count.take(make_address("10.0.0.2"), 2));
  }
  EXPECT_TRUE(count.take(make_address("10.0.0.1"), 2));
  const auto moved = *std::move(first);
  EXPECT_FALSE(count.take(make_address("10.0.0.1"), 1)) << "moved, not given back";
  EXPECT_TRUE(count.take(make_address("10.0.0.1"), 0)) << "no limit";
}

TEST(AddressCount, ASubscribersIPv6AddressesAreOne) {
  AddressCount count;
  const auto one = count.take(make_address("2001:db8:1:2::1"), 1);
  EXPECT_TRUE(one);
  EXPECT_FALSE(count.take(make_address("2001:db8:1:2:ffff::9"), 1));
  EXPECT_TRUE(count.take(make_address("2001:db8:1:3::1"), 1));
  EXPECT_TRUE(count.take(make_address("0.0.0.1"), 1));
}

TEST(AddressCount, APlaceMayOutliveTheCount) {
  std::optional<AddressCount::Place> place;
  {
    AddressCount count;
    place.emplace(*count.take(make_address("::1"), 1));
  }
  place.reset();
}

}  // namespace
}  // namespace lichen::serving
