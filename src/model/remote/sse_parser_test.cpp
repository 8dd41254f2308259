#include "model/remote/sse_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lichen::model {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

/// Feeds each part from memory of its own, gone before the next one.
Events parse(const std::vector<std::string>& parts) {
  SseParser parser;
  Events events;
  for (const auto& part : parts) {
    const auto bytes = std::make_unique<std::string>(part);
    parser.feed(*bytes);
    for (;;) {
      const auto event = parser.next();
      EXPECT_TRUE(event);
      if (!event || !*event) break;
      events.emplace_back((*event)->type, (*event)->data);
    }
  }
  return events;
}

TEST(SseParser, ReadsEventsWithEachKindOfLineEnd) {
  const Events expected = {{"", "a"}, {"", "b"}};
  EXPECT_EQ(parse({"data: a\n\ndata: b\n\n"}), expected);
  EXPECT_EQ(parse({"data: a\r\n\r\ndata: b\r\n\r\n"}), expected);
  EXPECT_EQ(parse({"data: a\r\rdata: b\r\r"}), expected);
}

TEST(SseParser, JoinsDataLinesAndReadsTypes) {
  EXPECT_EQ(parse({"event: error\ndata: one\ndata:two\ndata\n\n"}),
            (Events{{"error", "one\ntwo\n"}}));
}

TEST(SseParser, PassesOverWhatIsNotData) {
  EXPECT_EQ(parse({"\xEF\xBB\xBF: hello\n\nid: 1\nretry: 5\n\n\n\n:\ndata:  x\nunknown: y\n\n"}),
            (Events{{"", " x"}}));
}

TEST(SseParser, DropsAnEventWithoutItsEnd) { EXPECT_TRUE(parse({"data: a\n"}).empty()); }

TEST(SseParser, ByteOrderMarkOnlyAtTheStart) {
  EXPECT_TRUE(parse({"data\n\n",
                     "\xEF\xBB\xBF"
                     "data: a\n\n"})
                  .size() == 1);
}

TEST(SseParser, IsTheSameSplitAnywhere) {
  const std::string stream =
      "\xEF\xBB\xBF: c\r\ndata: {\"a\": \"\xC3\xA9\"}\r\n\r\ndata: x\ndata: y\n\nevent: e\rdata: "
      "z\r\rdata: [DONE]\n\n";
  const auto whole = parse({stream});
  ASSERT_EQ(whole.size(), 4u);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    EXPECT_EQ(parse({stream.substr(0, cut), stream.substr(cut)}), whole) << "cut at " << cut;
    for (std::size_t next = cut; next <= stream.size(); next += 7) {
      EXPECT_EQ(parse({stream.substr(0, cut), stream.substr(cut, next - cut), stream.substr(next)}),
                whole);
    }
  }
  std::vector<std::string> bytes;
  for (const char c : stream) bytes.emplace_back(1, c);
  EXPECT_EQ(parse(bytes), whole);
}

TEST(SseParser, RefusesAnEventOverItsLimit) {
  for (const auto& text : {std::string(200, 'x'), "data: " + std::string(200, 'x') + "\n\n"}) {
    SseParser parser(100);
    parser.feed(text);
    const auto event = parser.next();
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, Errc::upstream);
  }
}

TEST(SseParser, ManyEventsInOneFeedNeedNoLimit) {
  SseParser parser(20);
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += "data: " + std::to_string(i) + "\n\n";
  parser.feed(stream);
  for (int i = 0; i < 100; ++i) {
    const auto event = parser.next();
    ASSERT_TRUE(event && *event);
    EXPECT_EQ((*event)->data, std::to_string(i));
  }
  const auto end = parser.next();
  EXPECT_TRUE(end && !*end);
}

}  // namespace
}  // namespace lichen::model
