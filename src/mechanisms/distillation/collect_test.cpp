#include "mechanisms/distillation/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class CollectTest : public testing::Test {
 protected:
  CollectTest()
      : folder_(fs::temp_directory_path() / ("lichen-collect-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
  }
  ~CollectTest() override { fs::remove_all(folder_); }

  CaptureWriter capture() {
    auto writer = CaptureWriter::open(folder_ / "a.safetensors", {"teacher", 4});
    if (!writer) throw std::runtime_error(writer.error().detail);
    return *std::move(writer);
  }
  /// Asks a teacher who says `respond`.
  Result<Collected> ask(std::function<Script(const Request&)> respond,
                        const std::vector<TeacherQuestion>& questions,
                        CollectOptions options = {}) {
    model_ =
        std::make_shared<ScriptedModel>("teacher", std::move(respond), ScriptedModel::Traits{});
    CaptureWriter writer = capture();
    const Teacher teacher{.answerer = model_};
    auto collected = run(collect(teacher, questions, writer, std::move(options)));
    if (collected && writer.examples() > 0) {
      const auto finished = writer.finish();
      EXPECT_TRUE(finished) << finished.error().detail;
    }
    return collected;
  }
  std::vector<CapturedExample> captured() const {
    const auto file = CaptureFile::open(folder_ / "a.safetensors");
    if (!file) throw std::runtime_error(file.error().detail);
    std::vector<CapturedExample> examples;
    for (std::size_t i = 0; i < file->examples(); ++i) examples.push_back(*file->read(i));
    return examples;
  }

  const fs::path folder_;
  std::shared_ptr<ScriptedModel> model_;
};

std::vector<TeacherQuestion> questions(int count) {
  std::vector<TeacherQuestion> questions;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    questions.push_back({.id = number, .messages = {{"user", "Say " + number}}});
  }
  return questions;
}

Script repeating(const Request& request) {
  return {.text = "It is " + request.messages.back().content.substr(4)};
}

TEST_F(CollectTest, KeepsWhatTheTeacherSays) {
  const auto collected = ask(repeating, questions(40), {.concurrency = 7});
  ASSERT_TRUE(collected) << collected.error().detail;
  EXPECT_EQ(collected->asked, 40u);
  EXPECT_EQ(collected->kept, 40u);
  const auto examples = captured();
  ASSERT_EQ(examples.size(), 40u);
  for (const CapturedExample& example : examples) EXPECT_EQ(example.answer, "It is " + example.id);
}

TEST_F(CollectTest, LeavesWrongAnswersOutAndCountsThem) {
  auto asked = questions(10);
  for (TeacherQuestion& question : asked) {
    question.right = [](const std::string& answer) { return !answer.ends_with('7'); };
  }
  const auto collected = ask(repeating, asked);
  ASSERT_TRUE(collected);
  EXPECT_EQ(collected->kept, 9u);
  EXPECT_EQ(collected->wrong, 1u);
  EXPECT_EQ(captured().size(), 9u);
}

TEST_F(CollectTest, KeepsAStudentsErrors) {
  auto asked = questions(3);
  for (TeacherQuestion& question : asked) {
    question.right = [](const std::string&) { return false; };
  }
  const auto collected =
      ask(repeating, asked, {.sampling = {.temperature = 1}, .keep_wrong = true});
  ASSERT_TRUE(collected);
  EXPECT_EQ(collected->kept, 3u);
  EXPECT_EQ(model_->requests()[0].sampling.temperature, 1.0F);
}

TEST_F(CollectTest, AsksAgainOnlyWhatIsNotThere) {
  bool broken = true;
  const auto at_times = [&broken](const Request& request) {
    Script script = repeating(request);
    if (broken && script.text.ends_with('3')) script.error = Error{Errc::upstream, "gone"};
    return script;
  };
  const auto first = ask(at_times, questions(10));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kept, 9u);
  EXPECT_THAT(first->failed, ElementsAre(Pair("upstream", 1u)));
  EXPECT_EQ(first->last_error, "gone");
  broken = false;
  const auto second = ask(at_times, questions(12));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->known, 9u);
  EXPECT_EQ(second->kept, 3u);
  EXPECT_EQ(model_->requests().size(), 3u);
  EXPECT_EQ(captured().size(), 12u);
}

TEST_F(CollectTest, TheWayToTheAnswerIfAsked) {
  const auto respond = [](const Request& request) {
    const bool why = request.messages.back().content.contains("step by step");
    return Script{.text = why ? "Because of that." : "It is so."};
  };
  ASSERT_TRUE(ask(respond, questions(1), {.rationale = true}));
  const auto examples = captured();
  EXPECT_EQ(examples[0].answer, "It is so.");
  EXPECT_EQ(examples[0].rationale, "Because of that.");
  EXPECT_THAT(model_->requests()[1].messages.back().content, HasSubstr("Say 0"));
}

TEST_F(CollectTest, AnswersThatAreThereAreNotAskedFor) {
  auto asked = questions(1);
  asked[0].answer = "It is written.";
  ASSERT_TRUE(ask(repeating, asked));
  EXPECT_EQ(captured()[0].answer, "It is written.");
  EXPECT_TRUE(model_->requests().empty());
}

TEST_F(CollectTest, StopsWhenItIsToldTo) {
  std::stop_source stop;
  CollectOptions options{.concurrency = 2, .stop = stop.get_token()};
  options.progress = [&stop](const Collected& so_far) {
    if (so_far.kept == 3) stop.request_stop();
  };
  const auto collected = ask(repeating, questions(50), std::move(options));
  ASSERT_TRUE(collected);
  EXPECT_LE(collected->kept, 5u);
  EXPECT_EQ(captured().size(), collected->kept);
}

}  // namespace
}  // namespace lichen::mechanisms
