#include "base/cache_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace lichen::base {
namespace {

TEST(CacheFolder, FollowsTheEnvironment) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string old_cache = cache ? cache : "", old_home = home ? home : "";
  setenv("HOME", "/home/somebody", 1);
  setenv("XDG_CACHE_HOME", "/cache", 1);
  EXPECT_EQ(cache_folder(), "/cache/lichen");
  setenv("XDG_CACHE_HOME", "relative", 1);  // the specification says to ignore it
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/lichen");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/lichen");
  unsetenv("HOME");
  EXPECT_EQ(cache_folder(), "");
  cache ? setenv("XDG_CACHE_HOME", old_cache.c_str(), 1) : unsetenv("XDG_CACHE_HOME");
  if (home) setenv("HOME", old_home.c_str(), 1);
}

}  // namespace
}  // namespace lichen::base
