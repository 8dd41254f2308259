#include "model/schema_bounds.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace lichen::model {
namespace {

namespace json = boost::json;

std::string error_of(const json::value& schema) {
  const Result<void> checked = check_schema(schema);
  return checked ? "no error" : checked.error().detail;
}

/// a0 leads to a1, and so on.
json::value chain(int length) {
  json::object defs;
  for (int i = 0; i < length; ++i) {
    defs["a" + std::to_string(i)] = {{"$ref", "#/$defs/a" + std::to_string(i + 1)}};
  }
  defs["a" + std::to_string(length)] = {{"type", "string"}};
  return {{"$ref", "#/$defs/a0"}, {"$defs", std::move(defs)}};
}

json::value nested(int levels) {
  json::value value = json::object();
  for (int i = 1; i < levels; ++i) value = json::array{std::move(value)};
  return value;
}

TEST(SchemaBounds, OrdinarySchemasPass) {
  EXPECT_EQ(error_of(true), "no error");
  EXPECT_EQ(error_of(nested(128)), "no error");
  EXPECT_EQ(error_of(chain(900)), "no error");
  EXPECT_EQ(error_of(json::parse(R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object",
      "properties": {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/nowhere/0"}}}}})")),
            "no error");
}

TEST(SchemaBounds, HostileOnesDoNot) {
  for (const int levels : {129, 2'000}) {
    EXPECT_EQ(error_of(nested(levels)),
              "the JSON schema has more levels of values in values than can be followed; at most "
              "128 are allowed");
  }
  EXPECT_EQ(error_of(chain(6'000)),
            "the JSON schema has too many `$ref`s: the levels of all that they lead to, one in the "
            "other, are more than can be followed; at most 2000 are allowed");
  EXPECT_EQ(error_of({{"properties", {{std::string(2'000, '_'), {{"type", "null"}}}}}}),
            "the JSON schema has a name or `$ref` of 2000 bytes; at most 1024 are allowed");
  EXPECT_TRUE(error_of(chain(50'000)).ends_with(" bytes; at most 262144 are allowed"));
}

}  // namespace
}  // namespace lichen::model
