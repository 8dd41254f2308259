#include "mechanisms/privacy/request_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lichen::mechanisms {
namespace {

using testing::ElementsAre;

std::vector<std::string> seen(Request& request) {
  std::vector<std::string> seen;
  for (const PrivateText& text : RequestTexts(request).texts()) {
    if (!text.is_field) seen.push_back(text.before + "|" + text.text);
  }
  return seen;
}

std::vector<std::string> fields(Request& request) {
  std::vector<std::string> fields;
  for (const PrivateText& text : RequestTexts(request).texts()) {
    if (text.is_field) fields.push_back(text.text);
  }
  return fields;
}

/// With every text in angles.
void mark_all(Request& request) {
  RequestTexts texts(request);
  std::vector<std::string> others;
  for (const PrivateText& text : texts.texts()) others.push_back("<" + text.text + ">");
  texts.replace(std::move(others));
}

boost::json::array json(const char* text) { return boost::json::parse(text).as_array(); }

TEST(RequestTexts, WhatAnAssistantThoughtIsSaidToo) {
  Request request{.messages = {{.role = "assistant", .content = "hi", .reasoning = "it is Ann"}}};
  EXPECT_THAT(seen(request), ElementsAre("|hi", "|it is Ann"));
  mark_all(request);
  EXPECT_EQ(request.messages[0].reasoning, "<it is Ann>");
}

TEST(RequestTexts, AllThatIsSaid) {
  Request request{
      .messages = {{"system", "be brief"}, {.role = "user", .content = "hi", .name = "Ann"}},
      .document = "a report",
      .begun = "Well",
      .stop = {"END"}};
  EXPECT_THAT(seen(request), ElementsAre("|be brief", "|hi", "|Ann", "|a report", "|Well", "|END"));
  mark_all(request);
  EXPECT_EQ(request.messages[0].content, "<be brief>");
  EXPECT_EQ(request.messages[1].name, "<Ann>");
  EXPECT_EQ(*request.document, "<a report>");
  EXPECT_EQ(request.begun, "<Well>");
  EXPECT_EQ(request.stop[0], "<END>");
  EXPECT_EQ(request.messages[1].role, "user");
}

TEST(RequestTexts, ARawPrompt) {
  Request request{.prompt = "Once"};
  mark_all(request);
  EXPECT_EQ(*request.prompt, "<Once>");
}

TEST(RequestTexts, ANameLosesAPlaceholdersBrackets) {
  Request request{.messages = {{.role = "user", .content = "hi", .name = "Ann"}}};
  RequestTexts(request).replace({"hi", "[PERSON_1]"});
  EXPECT_EQ(request.messages[0].name, "PERSON_1");
}

TEST(RequestTexts, ArgumentsOfToolCallsStayJson) {
  Request request{.messages = {{.role = "assistant", .content = "", .tool_calls = json(R"([
      {"id": "call_1", "type": "function", "function": {"name": "send", "arguments":
       "{\"to\": [\"a\\n\\\"b\\\"\"], \"phone\": 5550184, \"urgent\": true, \"share\": 0.5}"}}])")}}};
  EXPECT_THAT(seen(request), ElementsAre("|", "to: |a\n\"b\"", "phone: |5550184"));
  EXPECT_THAT(fields(request), ElementsAre("to", "phone", "urgent", "share"));
  mark_all(request);
  const auto& call = request.messages[0].tool_calls[0].as_object();
  EXPECT_EQ(call.at("id"), "call_1");
  EXPECT_EQ(call.at("function").at("name"), "send");
  EXPECT_EQ(boost::json::parse(call.at("function").at("arguments").as_string()),
            boost::json::parse(
                R"({"to": ["<a\n\"b\">"], "phone": "<5550184>", "urgent": true, "share": 0.5})"));
}

TEST(RequestTexts, ArgumentsThatAreNoJsonAreText) {
  Request request{.messages = {{.role = "assistant", .content = "", .tool_calls = json(R"([
      {"function": {"name": "f", "arguments": "{broken"}}, {"function": 3}, 4])")}}};
  EXPECT_THAT(seen(request), ElementsAre("|", "|{broken"));
}

TEST(RequestTexts, OfToolsWhatDescribesAndWhatIsAValue) {
  Request request{.tools = json(R"([{"type": "function", "function": {
      "name": "send", "description": "for Ann", "parameters": {
        "$schema": "https://json-schema.org/x", "type": "object", "required": ["to"],
        "properties": {"default": {"type": "string"}, "to": {"type": "string", "enum": ["ann", "bob"], "pattern": "a+"},
                       "title": {"type": "string", "description": "of Ann",
                                 "default": "x"}}}}}])")};
  EXPECT_THAT(seen(request), ElementsAre("|for Ann", "|ann", "|bob", "|of Ann", "|x"));
  EXPECT_THAT(fields(request), ElementsAre("default", "to", "title"));
  mark_all(request);
  const auto& function = request.tools[0].at("function").as_object();
  EXPECT_EQ(function.at("name"), "send");
  const auto& parameters = function.at("parameters");
  EXPECT_EQ(parameters.at("$schema"), "https://json-schema.org/x");
  EXPECT_EQ(
      parameters.at("properties").at("to"),
      boost::json::parse(R"({"type": "string", "enum": ["<ann>", "<bob>"], "pattern": "a+"})"));
}

TEST(RequestTexts, OfToolsAllThatSomebodyMayHaveWritten) {
  Request request{
      .tools = json(
          R"([{"type": "function", "x-owner": "Ann", "format": {"type": "x", "note": "Eve"}, "function": {
      "name": "f", "strict": true, "parameters": {"type": ["object", "null"], "properties": {
        "to": {"markdownDescription": "mail Ann", "maxLength": 9, "enumDescriptions": ["Bob", 3]}},
        "dependentRequired": {"a": ["to"]}}}}])")};
  EXPECT_THAT(seen(request), ElementsAre("|Ann", "|Eve", "|mail Ann", "|Bob"));
}

TEST(RequestTexts, WholeNumbersHoweverTheyAreWritten) {
  Request request{.messages = {{.role = "assistant", .content = "", .tool_calls = json(R"([
      {"function": {"name": "f", "arguments": "{\"a\": 5550184.0, \"b\": 1e300, \"c\": 0.5}"}}])")}}};
  EXPECT_THAT(seen(request), ElementsAre("|", "a: |5550184"));
}

TEST(RequestTexts, OfASchemaTheSame) {
  Request request;
  request.format.json_schema = boost::json::parse(R"({"const": {"who": "Ann"}, "title": "Ann"})");
  EXPECT_THAT(seen(request), ElementsAre("who: |Ann", "|Ann"));
}

}  // namespace
}  // namespace lichen::mechanisms
