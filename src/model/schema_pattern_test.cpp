#include "model/schema_pattern.h"

#include <gtest/gtest.h>

namespace lichen::model {
namespace {

Errc code_of(const char* pattern) {
  const boost::json::value schema{
      {"type", "object"},
      {"properties", {{"pattern", {{"type", "array"}, {"items", {{"pattern", pattern}}}}}}}};
  const Result<void> checked = check_patterns(schema);
  return checked ? Errc::internal : checked.error().code;
}

TEST(SchemaPattern, WhatAGrammarCanSayPasses) {
  for (const char* pattern :
       {"^$", "^[0-9]{3}-[a-z]+$", "^(?:a|b)?c*$", R"(^\(\+[0-9]{1,3}\) .{2,}$)",
        R"(^[^\]\\\x41]\u00e9\U0001F600$)", "^[$^(?]$"}) {
    EXPECT_EQ(code_of(pattern), Errc::internal) << pattern;
  }
}

TEST(SchemaPattern, TheRestIsRefused) {
  for (const char* pattern : {"", "[0-9]+", R"(^\d+$)", R"(^[\w]+$)", "^a$b$", "^(?=a)b$", "^a{,}$",
                              "^a{x}$", "^a{1$", R"(^\x4$)", R"(^a\$)"}) {
    EXPECT_EQ(code_of(pattern), Errc::unsupported) << pattern;
  }
}

}  // namespace
}  // namespace lichen::model
