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

json::value object_of(int properties, json::value schema, json::array required = {}) {
  json::object object;
  for (int i = 0; i < properties; ++i) object["a" + std::to_string(i)] = schema;
  return {{"type", "object"}, {"properties", object}, {"required", std::move(required)}};
}

TEST(SchemaBounds, LargeOnesPass) {
  EXPECT_EQ(error_of(object_of(200, {{"type", {"string", "null"}}})), "no error");
  json::array all;
  for (int i = 0; i < 2'000; ++i) all.emplace_back("a" + std::to_string(i));
  EXPECT_EQ(error_of(object_of(2'000, {{"type", "string"}}, std::move(all))), "no error");
  EXPECT_EQ(error_of(json::parse(R"({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}],
      "$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/a"}}}}})")),
            "no error");
}

TEST(SchemaBounds, AnAllOfDoesNotHoldItself) {
  for (const char* schema : {R"({"allOf": [{"$ref": "#/allOf/0"}]})",
                             R"({"allOf": [{"anyOf": [{"$ref": "#/$defs/a"}]}],
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}})",
                             R"({"$ref": "#/$defs/a",
            "$defs": {"a": {"properties": {"b": {"allOf": [{"$ref": "#/$defs/a"}]}}}}})"}) {
    EXPECT_EQ(error_of(json::parse(schema)),
              "the JSON schema has an `allOf` that refers to itself");
  }
}

TEST(SchemaBounds, WhatMultipliesIsBounded) {
  constexpr std::string_view kTooMany =
      "the JSON schema has too many schemas, with those that lists of types, `$ref`s and optional "
      "properties make of them; at most 8192 are allowed";
  json::value types = {{"type", "string"}};
  for (int i = 0; i < 40; ++i) {
    types = {{"type", {"array", "array"}}, {"items", std::move(types)}};
  }
  EXPECT_EQ(error_of(types), kTooMany);
  EXPECT_EQ(error_of(object_of(3'000, json::object())), kTooMany);
  json::array same;
  for (int i = 0; i < 3'000; ++i) same.emplace_back("a0");
  EXPECT_EQ(error_of(object_of(3'000, json::object(), std::move(same))), kTooMany);
  json::array numbers;
  for (int i = 0; i < 10'000; ++i) numbers.emplace_back(1);
  json::value copied = {{"type", {"string", "integer"}}, {"enum", std::move(numbers)}};
  EXPECT_EQ(error_of(copied), "no error");
  for (int i = 0; i < 4; ++i) copied = {{"type", {"array", "array"}}, {"items", std::move(copied)}};
  EXPECT_EQ(error_of(copied), kTooMany);
  json::object defs;
  for (int i = 0; i < 40; ++i) {
    const json::value next = {{"$ref", "#/$defs/a" + std::to_string(i + 1)}};
    defs["a" + std::to_string(i)] = {{"properties", {{"p", {{"allOf", {next, next}}}}}}};
  }
  defs["a40"] = {{"type", "string"}};
  EXPECT_EQ(error_of({{"allOf", {{{"$ref", "#/$defs/a0"}}}}, {"$defs", std::move(defs)}}),
            kTooMany);
  json::array patterns;
  for (int i = 0; i < 1'000; ++i) patterns.push_back({{"pattern", "a"}});
  EXPECT_EQ(error_of({{"anyOf", std::move(patterns)}}), kTooMany);
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
