#include "eval/report/markup.h"

#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

TEST(Escaped, NothingFromOutsideIsMarkup) {
  EXPECT_EQ(escaped("plain \xC3\xA9 \xF0\x9F\x98\x80"), "plain \xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(escaped("<script>alert('x' & \"y\")</script>"),
            "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;");
}

TEST(Escaped, WhatXmlForbidsIsReplaced) {
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escaped("\x1B[31m"), "\xEF\xBF\xBD[31m");
  EXPECT_EQ(escaped("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(escaped("\xFF"), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace lichen::eval
