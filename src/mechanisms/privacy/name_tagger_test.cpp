#include "mechanisms/privacy/name_tagger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "mechanisms/scripted_model.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {
namespace {

using privacy::Kind;
using privacy::Span;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kNames = LICHEN_SOURCE_DIR "/models/lichen-names.gguf";

class NameTaggerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lane_ = *model::open_lane({.name = "cpu", .threads = 1});
    tagger_ = *NameTagger::open({.gguf = kNames}, lane_);
  }
  static void TearDownTestSuite() {
    tagger_.reset();
    lane_.reset();
  }

  static Result<std::vector<std::vector<Span>>> find(std::vector<std::string> texts, Turn& turn) {
    return run(tagger_->find(std::move(texts), turn));
  }
  static Result<std::vector<std::vector<Span>>> find(std::vector<std::string> texts) {
    Turn turn("names");
    return find(std::move(texts), turn);
  }
  /// "KIND: value" of each name.
  static std::vector<std::string> names_in(const std::string& text) {
    const auto found = find({text});
    EXPECT_TRUE(found) << found.error().detail;
    std::vector<std::string> names;
    for (const Span& span : found->front()) {
      names.push_back(std::string(name_of(span.kind)) + ": " + std::string(span.in(text)));
    }
    return names;
  }

  static Error error_of(const NameTaggerOptions& options) {
    const auto opened = NameTagger::open(options, lane_);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  /// The bundled file with its bytes changed.
  static std::filesystem::path changed_copy(const std::function<void(std::string&)>& change) {
    std::ifstream in(kNames, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    change(bytes);
    const auto path = std::filesystem::path(::testing::TempDir()) /
                      (std::to_string(getpid()) + "-changed-names.gguf");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  /// What stands behind a key of the file: its type, then its value.
  static std::size_t behind_key(const std::string& bytes, const std::string& key) {
    const std::size_t at = bytes.find(key);
    EXPECT_NE(at, std::string::npos);
    return at + key.size() + 4;
  }

  static inline std::shared_ptr<model::Lane> lane_;
  static inline std::shared_ptr<NameTagger> tagger_;
};

TEST_F(NameTaggerTest, FindsPersonsOrganizationsAndPlaces) {
  EXPECT_THAT(names_in("My name is Zelda Vorschtein and I work for Quorbix in Lisbon."),
              ElementsAre("PERSON: Zelda Vorschtein", "ORGANIZATION: Quorbix", "LOCATION: Lisbon"));
  EXPECT_THAT(names_in("Ich heiße Jürgen Großmann und wohne in Düsseldorf."),
              ElementsAre("PERSON: Jürgen Großmann", "LOCATION: Düsseldorf"));
}

TEST_F(NameTaggerTest, FindsNamesInSmallLetters) {
  EXPECT_THAT(
      names_in("improve: hi tarek, please ask miriam from nordwind gmbh to call back on friday"),
      ElementsAre("PERSON: tarek", "PERSON: miriam", "ORGANIZATION: nordwind gmbh",
                  "DATE: friday"));
}

TEST_F(NameTaggerTest, FindsNothingWhereNothingIs) {
  EXPECT_THAT(names_in("The quick brown fox jumps over the lazy dog."), IsEmpty());
}

TEST_F(NameTaggerTest, TextsOfACallDoNotSeeEachOther) {
  const std::string text = "My name is Zelda Vorschtein and I work for Quorbix in Lisbon.";
  const auto together = find({"", text, "The lazy dog.", text});
  ASSERT_TRUE(together) << together.error().detail;
  ASSERT_THAT(*together, SizeIs(4));
  EXPECT_THAT((*together)[0], IsEmpty());
  EXPECT_THAT((*together)[1], SizeIs(3));
  EXPECT_THAT((*together)[2], IsEmpty());
  EXPECT_EQ((*together)[3], (*together)[1]);
}

TEST_F(NameTaggerTest, FindsNamesAtWindowsEdgesOfALongText) {
  // Sentences of one length, so that names stand at every place of a window.
  std::string text;
  std::size_t count = 0;
  for (; text.size() < 8'000; ++count) {
    text += std::string(count % 7, ' ') + "My colleague Miriam Vorschtein will send the invoice. ";
  }
  Turn turn("names");
  const auto found = find({text}, turn);
  ASSERT_TRUE(found) << found.error().detail;
  std::size_t whole = 0;
  for (const Span& span : found->front()) whole += span.in(text) == "Miriam Vorschtein" ? 1 : 0;
  EXPECT_EQ(whole, count);
  ASSERT_THAT(turn.receipt.steps, SizeIs(1));
  EXPECT_EQ(turn.receipt.steps.front().role, "names");
  EXPECT_EQ(turn.receipt.steps.front().model, "lichen-names");
  EXPECT_GT(turn.receipt.steps.front().tokens_in, 1'000);
}

TEST_F(NameTaggerTest, SpansLieAtCharacters) {
  const std::string text = "我叫王伟，住在北京。Ürün: Çağla Öztürk, Αθήνα 🙂 Zoë";
  const auto found = find({text});
  ASSERT_TRUE(found) << found.error().detail;
  const auto inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  for (const Span& span : found->front()) {
    EXPECT_LT(span.begin, span.end);
    EXPECT_FALSE(inside(span.begin) || inside(span.end)) << span.begin << " " << span.end;
  }
}

TEST_F(NameTaggerTest, ALowerThresholdFindsMore) {
  const std::string text =
      "Momi told Bec that Vanguard and the Tropicana smoothie are at Arlington, says Honey. "
      "Blessing may go to Centric via Telus; Innocent and Envision did.";
  const auto found_at = [&](float threshold) {
    const auto tagger = NameTagger::open({.gguf = kNames, .threshold = threshold}, lane_);
    EXPECT_TRUE(tagger) << tagger.error().detail;
    Turn turn("names");
    std::size_t bytes = 0;
    for (const Span& span : run((*tagger)->find({text}, turn))->front()) {
      bytes += span.end - span.begin;
    }
    return bytes;
  };
  EXPECT_GT(found_at(0.01F), found_at(0.5F));
  EXPECT_GT(found_at(0.5F), found_at(0.9999F));
}

TEST_F(NameTaggerTest, ATextThatIsNotUtf8IsAnError) {
  const auto found = find({"fine", "ab\xFF"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::bad_request);
  EXPECT_THAT(found.error().detail, HasSubstr("text 1 is not UTF-8 at byte 2"));
}

TEST_F(NameTaggerTest, StopsWithTheTurn) {
  Turn turn("names");
  turn.cancel();
  const auto found = find({"Zelda"}, turn);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::cancelled);
}

TEST_F(NameTaggerTest, AModelThatAnswersIsNone) {
  const Error error = error_of({.gguf = LICHEN_SOURCE_DIR "/models/lichen-small.gguf"});
  EXPECT_EQ(error.code, Errc::bad_model);
  EXPECT_THAT(error.detail, AllOf(HasSubstr("lichen-small.gguf"), HasSubstr("lichen.names.labels"),
                                  HasSubstr("lichen-names.gguf")));
}

TEST_F(NameTaggerTest, DamagedFilesAreErrors) {
  const Error missing = error_of({.gguf = "no-such.gguf"});
  EXPECT_EQ(missing.code, Errc::bad_model);
  EXPECT_THAT(missing.detail, HasSubstr("no-such.gguf"));

  const auto cut = changed_copy([](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  EXPECT_EQ(error_of({.gguf = cut}).code, Errc::bad_model);

  const auto window = changed_copy([](std::string& bytes) {
    const std::size_t at = behind_key(bytes, "lichen.names.window");
    bytes.replace(at, 4, std::string(4, '\0'));
  });
  const Error no_window = error_of({.gguf = window});
  EXPECT_EQ(no_window.code, Errc::bad_model);
  EXPECT_THAT(no_window.detail, HasSubstr("lichen.names.window is 0; it must be 16 to"));

  const auto label = changed_copy(
      [](std::string& bytes) { bytes.replace(bytes.find("B-PERSON"), 8, "B-PARSON"); });
  const Error unknown = error_of({.gguf = label});
  EXPECT_EQ(unknown.code, Errc::bad_model);
  EXPECT_THAT(unknown.detail, HasSubstr("\"B-PARSON\""));

  const auto head = changed_copy([](std::string& bytes) {
    // An array's elements stand behind their type and their number.
    const std::size_t at = behind_key(bytes, "lichen.names.bias") + 12;
    bytes.replace(at, 4, "\x00\x00\xC0\x7F", 4);  // NaN
  });
  EXPECT_THAT(error_of({.gguf = head}).detail, HasSubstr("not finite"));
}

TEST_F(NameTaggerTest, AThresholdIsAProbability) {
  for (const float threshold : {-0.1F, 1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    const Error error = error_of({.gguf = kNames, .threshold = threshold});
    EXPECT_EQ(error.code, Errc::bad_config);
    EXPECT_THAT(error.detail, HasSubstr("between 0 and 1"));
  }
}

}  // namespace
}  // namespace lichen::mechanisms
