#include "eval/privacy_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lichen::eval {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSpans = R"([
  {"full_text": "Zoë: zoe@example.org, 725-23-5818", "spans": [
    {"entity_type": "PERSON", "start_position": 0, "end_position": 3},
    {"entity_type": "EMAIL_ADDRESS", "start_position": 5, "end_position": 20},
    {"entity_type": "US_SSN", "start_position": 22, "end_position": 33}]},
  {"full_text": "Nothing but 192.0.2.1 and tel 555 0100", "spans": [
    {"entity_type": "PHONE_NUMBER", "start_position": 26, "end_position": 38},
    {"entity_type": "SHOE_SIZE", "start_position": 0, "end_position": 7}]}])";

constexpr std::string_view kUnits =
    "id,user_query,pii_units\r\n"
    "1,\"Ask \"\"Zoë\"\",\nzoe@example.org\",ZOË|| zoe@example.org ||\r\n"
    "2,nothing,\n";

const privacy::Detector& detector() {
  static const auto made = privacy::Detector::make({});
  EXPECT_TRUE(made) << made.error().detail;
  return *made;
}

TEST(PrivacyData, SpansArePlacesInCharacters) {
  const auto data = read_privacy_data(kSpans, "d.json");
  ASSERT_TRUE(data) << data.error().detail;
  EXPECT_EQ(data->shape, PrivacyData::Shape::spans);
  ASSERT_EQ(data->texts.size(), 2U);
  const PrivacyText& text = data->texts[0];
  EXPECT_EQ(text.text.substr(text.spans[1].begin, text.spans[1].end - text.spans[1].begin),
            "zoe@example.org");
}

TEST(PrivacyData, UnitsAreReadFromCsv) {
  const auto data = read_privacy_data(kUnits, "d.csv");
  ASSERT_TRUE(data) << data.error().detail;
  EXPECT_EQ(data->shape, PrivacyData::Shape::units);
  ASSERT_EQ(data->texts.size(), 2U);
  EXPECT_EQ(data->texts[0].text, "Ask \"Zoë\",\nzoe@example.org");
  EXPECT_THAT(data->texts[0].units, ::testing::ElementsAre("ZOË", "zoe@example.org"));
  EXPECT_TRUE(data->texts[1].units.empty());
}

TEST(PrivacyData, ErrorsSayWhatIsWrongAndWhere) {
  const auto detail = [](std::string_view bytes) {
    const auto data = read_privacy_data(bytes, "d");
    return data ? std::string() : data.error().detail;
  };
  EXPECT_THAT(detail(" \n"), HasSubstr("nothing"));
  EXPECT_THAT(detail("[]"), HasSubstr("no texts"));
  EXPECT_THAT(detail("[{]"), HasSubstr("not JSON"));
  EXPECT_THAT(detail("[{\"full_text\": 1}]"), HasSubstr("text 0"));
  EXPECT_THAT(detail(R"([{"full_text": "ab", "spans": [
                {"entity_type": "X", "start_position": 1, "end_position": 3}]}])"),
              HasSubstr("within the text"));
  EXPECT_THAT(detail("a,b\n1,2\n"), HasSubstr("pii_units"));
  EXPECT_THAT(detail("user_query,pii_units\n1\n"), HasSubstr("record 1"));
  EXPECT_THAT(detail("user_query,pii_units\n\"1,2\n"), HasSubstr("line 2"));
}

TEST(PrivacyEvaluation, RecallAndPrecision) {
  const auto data = read_privacy_data(kSpans, "d.json");
  const auto figures = evaluate_privacy(detector(), *data, {}, {});
  ASSERT_TRUE(figures) << figures.error().detail;
  const auto type = [&](std::string_view name) {
    return *std::ranges::find(figures->types, name, &TypeFigures::type);
  };
  EXPECT_EQ(type("EMAIL_ADDRESS").found, 1);
  EXPECT_EQ(type("PERSON").found, 0);
  EXPECT_EQ(type("PERSON").covered, 0);
  EXPECT_EQ(type("PHONE_NUMBER").found, 0) << "the word in front is not found";
  EXPECT_FALSE(type("SHOE_SIZE").by_pattern);
  EXPECT_DOUBLE_EQ(figures->pattern_recall(), 2.0 / 3);
  const auto kind = [&](privacy::Kind wanted) {
    return *std::ranges::find(figures->kinds, wanted, &KindFigures::kind);
  };
  EXPECT_EQ(kind(privacy::Kind::ip_address).found, 1);
  EXPECT_EQ(kind(privacy::Kind::ip_address).right, 0);
  EXPECT_EQ(kind(privacy::Kind::phone).right, 1);
}

TEST(PrivacyEvaluation, NamesCountBesideTheDetectors) {
  const auto data = read_privacy_data(kSpans, "d.json");
  // The person, and a word that is none.
  const privacy::Spans names = {{{.begin = 0, .end = 4, .kind = privacy::Kind::person}},
                                {{.begin = 8, .end = 11, .kind = privacy::Kind::person}}};
  const auto figures = evaluate_privacy(detector(), *data, names, {});
  ASSERT_TRUE(figures) << figures.error().detail;
  const auto person = *std::ranges::find(figures->types, "PERSON", &TypeFigures::type);
  EXPECT_EQ(person.found, 1);
  EXPECT_DOUBLE_EQ(figures->recall(), 3.0 / 5);
  // Of two persons, an e-mail, a social security number, an IP address and a phone.
  EXPECT_DOUBLE_EQ(figures->precision(), 4.0 / 6);

  const auto units = read_privacy_data(kUnits, "d.csv");
  const auto none_left = evaluate_privacy(
      detector(), *units,
      privacy::Spans{{{.begin = 5, .end = 9, .kind = privacy::Kind::person}}, {}}, {});
  ASSERT_TRUE(none_left) << none_left.error().detail;
  EXPECT_EQ(none_left->leaked, 0);
}

TEST(PrivacyEvaluation, LeakedShareOfUnits) {
  const auto data = read_privacy_data(kUnits, "d.csv");
  double done = 0;
  const auto figures = evaluate_privacy(detector(), *data, {}, [&](double share) { done = share; });
  ASSERT_TRUE(figures) << figures.error().detail;
  EXPECT_EQ(figures->units, 2);
  EXPECT_EQ(figures->leaked, 1) << "the name, in whatever case";
  EXPECT_DOUBLE_EQ(figures->leaked_share(), 0.5);
  EXPECT_EQ(figures->masked[privacy::index_of(privacy::Kind::email)], 1U);
  EXPECT_DOUBLE_EQ(done, 1);
}

TEST(PrivacyEvaluation, TextThatIsNotUtf8IsAnError) {
  const PrivacyData data{.shape = PrivacyData::Shape::units, .texts = {{.text = "\xFF"}}};
  EXPECT_FALSE(evaluate_privacy(detector(), data, {}, {}));
  EXPECT_FALSE(detector_speed(detector(), data.texts));
}

}  // namespace
}  // namespace lichen::eval
