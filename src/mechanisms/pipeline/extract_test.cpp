#include "mechanisms/pipeline/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kQuestion = "Did the profit of Gupa grow?";

std::string asked(const Request& request) { return request.messages.back().content; }

/// Ten pages of talk, with a fact on the third and one on the eighth.
std::string report() {
  std::string text;
  for (int page = 1; page <= 10; ++page) {
    if (page > 1) text += '\f';
    for (int i = 0; i < 6; ++i)
      text += "The hall of Mola on page " + std::to_string(page) + " is cold. ";
    if (page == 3) text += "The profit of Gupa was 12 in 2019. ";
    if (page == 8) text += "In 2020 the profit of Gupa was 30. ";
    text += "\n";
  }
  return text;
}

/// Small as it should be: it finds what the job's year says.
Script reading(const Request& request) {
  const std::string prompt = asked(request);
  for (const auto& [year, fact, finding] :
       {std::tuple("in 2019.\nReply", "was 12 in 2019", "profit of Gupa in 2019: 12"),
        std::tuple("in 2020.\nReply", "In 2020 the profit", "profit of Gupa in 2020: 30")}) {
    if (prompt.contains(year) && prompt.contains(fact)) return {.text = finding};
  }
  return {.text = "none"};
}

class ExtractTest : public testing::Test {
 protected:
  ExtractTest() {
    small(reading);
    large({{.text = "Find the profit of Gupa in 2019.\nFind the profit of Gupa in 2020."},
           {.text = "30 - 12 = 18. The answer is 18."}});
  }
  void small(std::function<Script(const Request&)> respond, bool local = true) {
    small_ = std::make_shared<ScriptedModel>("small", std::move(respond),
                                             ScriptedModel::Traits{.local = local});
    options_.answerers["by"] = small_;
  }
  void large(std::vector<Script> script, ScriptedModel::Traits traits = {.local = false}) {
    large_ = std::make_shared<ScriptedModel>("large", std::move(script), traits);
    options_.answerers["plan"] = large_;
  }
  Request request() const {
    return {.messages = {{"user", std::string(kQuestion)}}, .document = report()};
  }
  Result<Answer> ask(Request request) {
    const auto plan = build_extract(options_);
    if (!plan) return std::unexpected(plan.error());
    return run((*plan)->answer(std::move(request), turn_));
  }
  Result<Answer> ask() { return ask(request()); }
  std::string reason(std::string_view choice) const {
    for (const Decision& decision : turn_.receipt.decisions) {
      if (decision.choice == choice) return decision.reason;
    }
    return "no such decision";
  }

  ScriptedOptions options_;
  CollectingSink sink_;
  Turn turn_{"plan", &sink_};
  std::shared_ptr<ScriptedModel> small_;
  std::shared_ptr<ScriptedModel> large_;
};

TEST_F(ExtractTest, LargeAnswersFromWhatSmallFindsForItsJobs) {
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "30 - 12 = 18. The answer is 18.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_GT(sink_.pieces.size(), 3u) << "the answer streams";
  ASSERT_EQ(large_->requests().size(), 2u);
  EXPECT_EQ(asked(large_->requests()[1]),
            "Question about a document: Did the profit of Gupa grow?\n\nFindings:\n"
            "profit of Gupa in 2019: 12\nprofit of Gupa in 2020: 30\n\nAnswer from these findings. "
            "If one is missing, reply only with more: and the job that would find it.");
  EXPECT_THAT(roles(turn_), ElementsAre("large:jobs", "small:extract", "large:answer"))
      << "all prompts of small are one step";
  EXPECT_EQ(turn_.receipt.authors.at(0).model, "large");
}

TEST_F(ExtractTest, AnAnswerCitesWhereItsFindingsStand) {
  const auto answer = ask();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->citations.size(), 2u);
  const std::string text = report();
  const auto place = [&](const Citation& citation) {
    return text.substr(static_cast<std::size_t>(citation.begin),
                       static_cast<std::size_t>(citation.end - citation.begin));
  };
  EXPECT_EQ(answer->citations[0].text, "profit of Gupa in 2019: 12");
  EXPECT_EQ(place(answer->citations[0]), "The profit of Gupa was 12 in 2019.");
  EXPECT_EQ(answer->citations[0].page, 3);
  EXPECT_EQ(place(answer->citations[1]), "In 2020 the profit of Gupa was 30.");
  EXPECT_EQ(answer->citations[1].page, 8);
}

// The promise: large sees the question and the findings, and the receipt says how much that is.
TEST_F(ExtractTest, TheDocumentStaysHere) {
  ASSERT_TRUE(ask());
  for (const Request& request : large_->requests()) {
    EXPECT_FALSE(request.document);
    for (const Message& message : request.messages) {
      EXPECT_THAT(message.content, Not(HasSubstr("hall of Mola")));
    }
  }
  EXPECT_EQ(reason("findings"),
            "large read 2 findings of 53 bytes, 2.4 % of the document's 2,255; it is remote, and "
            "nothing else of the document left this device");
}

TEST_F(ExtractTest, NothingLeavesToALocalLarge) {
  large({{.text = "Find the profit of Gupa in 2019."}, {.text = "12"}}, {});
  ASSERT_TRUE(ask());
  EXPECT_THAT(reason("findings"), HasSubstr("nothing of it left this device"));
}

TEST_F(ExtractTest, ARemoteReaderMustBeAllowed) {
  small(reading, false);
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_config);
  EXPECT_THAT(refused.error().detail, HasSubstr("by: `by` reads the document"));
  options_.flags["allow_remote"] = true;
  ASSERT_TRUE(ask());
  EXPECT_THAT(reason("findings"), HasSubstr("the document itself left this device"));
}

/// A plan that hides what it asks.
class Behind : public Answerer {
 public:
  explicit Behind(AnswererPtr of) : of_(std::move(of)) {}
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    return of_->answer(std::move(request), turn);
  }

 private:
  const AnswererPtr of_;
};

TEST_F(ExtractTest, ARemoteReaderBehindAPlanIsStopped) {
  small(reading, false);
  options_.answerers["by"] = std::make_shared<Behind>(small_);
  options_.numbers["at_once"] = 1;
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_EQ(small_->requests().size(), 1u) << "no further chunk leaves";
  EXPECT_EQ(large_->requests().size(), 1u);
}

// In the second round all jobs are there when it begins.
TEST_F(ExtractTest, JobsOfAChunkShareItsBeginning) {
  large({{.text = "a"},
         {.text = "more: Find the profit of Gupa in 2019.\nFind the profit of Gupa in 2020."},
         {.text = "18"}});
  options_.numbers = {{"at_once", 1}, {"rare", 0}};
  ASSERT_TRUE(ask());
  const std::vector<Request> requests = small_->requests();
  ASSERT_EQ(requests.size() % 3, 0u);
  const auto chunk = [](const Request& request) {
    return asked(request).substr(0, asked(request).find("\n\nJob: "));
  };
  for (std::size_t i = requests.size() / 3; i < requests.size(); i += 2) {
    EXPECT_EQ(chunk(requests[i]), chunk(requests[i + 1])) << "one after the other";
    EXPECT_EQ(requests[i].sampling.temperature, 0.0F);
    EXPECT_EQ(requests[i].max_tokens, 64);
  }
}

TEST_F(ExtractTest, ChunksWithoutAJobsRareWordsAreNotRead) {
  options_.numbers["rare"] = 0.5;
  ASSERT_TRUE(ask());
  for (const Request& request : small_->requests())
    EXPECT_THAT(asked(request), HasSubstr("Gupa was"));
  EXPECT_THAT(reason("read"), HasSubstr("skipped"));
}

// Large ends when small has begun, and small begins when there is a job.
TEST_F(ExtractTest, ChunksAreReadWhileLargeStillWrites) {
  small([this](const Request&) {
    turn_.cancel();
    return Script{.text = "none"};
  });
  large({{.text = "Find the profit of Gupa in 2019.\nFind", .never_ends = true}});
  EXPECT_EQ(ask().error().code, Errc::cancelled);
  EXPECT_EQ(large_->requests().size(), 1u);
  EXPECT_THAT(asked(small_->requests().at(0)), HasSubstr("Job: Find the profit of Gupa in 2019."));
}

TEST_F(ExtractTest, NoMoreThanSoManyPromptsAreInProgress) {
  int now = 0, most = 0;
  class Counted : public Answerer {
   public:
    Counted(AnswererPtr of, int& now, int& most) : of_(std::move(of)), now_(now), most_(most) {}
    awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
      most_ = std::max(most_, ++now_);
      Result<Answer> answer = co_await of_->answer(std::move(request), turn);
      --now_;
      co_return answer;
    }

   private:
    const AnswererPtr of_;
    int& now_;
    int& most_;
  };
  small([](const Request&) {
    return Script{.text = "none", .first_token_after = std::chrono::milliseconds(1)};
  });
  options_.answerers["by"] = std::make_shared<Counted>(small_, now, most);
  options_.numbers = {{"at_once", 3}, {"rare", 0}, {"chunk", 16}, {"overlap", 0}};
  ask();
  EXPECT_EQ(most, 3);
  EXPECT_GT(small_->requests().size(), 60u);
}

TEST_F(ExtractTest, LargeMayAskForMore) {
  large({{.text = "Find the profit of Gupa in 2019."},
         {.text = "more: Find the profit of Gupa in 2020."},
         {.text = "18"}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "18");
  EXPECT_EQ(sink_.text(), "18") << "the wish is not shown";
  EXPECT_THAT(asked(large_->requests()[2]), HasSubstr("2019: 12\nprofit of Gupa in 2020: 30"));
  EXPECT_THAT(roles(turn_), ElementsAre("large:jobs", "small:extract", "large:more",
                                        "small:extract", "large:answer"));
  EXPECT_EQ(reason("more"), "large asks for Find the profit of Gupa in 2020.");
}

TEST_F(ExtractTest, WhatIsNotThereIsSaid) {
  large({{.text = "Find the profit of Gupa in 2019."},
         {.text = "more: Find the profit of Gupa in 2021."},
         {.text = "more: Find the profit of Gupa in 2021."}});
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "Not found in the document: Find the profit of Gupa in 2021.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_THAT(asked(large_->requests()[2]), HasSubstr("Find the profit of Gupa in 2021. none"));
  EXPECT_EQ(turn_.receipt.authors.at(0).model, "extract");
}

TEST_F(ExtractTest, TheSameWishIsNotFollowedAgain) {
  options_.numbers["rounds"] = 5;
  large({{.text = "Find the profit of Gupa in 2019."},
         {.text = "more: find the profit of Gupa in 2019"}});
  const auto answer = ask();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "Not found in the document: find the profit of Gupa in 2019");
  EXPECT_EQ(large_->requests().size(), 2u);
}

TEST_F(ExtractTest, WithoutAJobTheQuestionIsOne) {
  large({{.text = "\n \n"}, {.text = "No."}});
  ASSERT_TRUE(ask());
  EXPECT_THAT(asked(small_->requests().at(0)), HasSubstr("Job: Did the profit of Gupa grow?\n"));
  EXPECT_EQ(reason("question"), "large wrote no job, so the question is the job");
}

TEST_F(ExtractTest, TooManyJobsAreCutOff) {
  options_.numbers["jobs"] = 2;
  large({{.text = "a 1\nb 2\nc 3\nd 4", .never_ends = true}, {.text = "Yes."}});
  ASSERT_TRUE(ask());
  EXPECT_THAT(reason("read"), HasSubstr("2 jobs on"));
}

TEST_F(ExtractTest, GarbageIsNoFinding) {
  small([](const Request& request) {
    if (asked(request).contains("page 1 ")) return Script{.text = "profit in 1984: 7"};
    if (asked(request).contains("page 2 ")) return Script{.text = "a b c d e f g"};
    return reading(request);
  });
  options_.numbers = {{"max_tokens", 6}, {"rare", 0}, {"chunk", 60}, {"overlap", 0}};
  ASSERT_TRUE(ask());
  EXPECT_THAT(asked(large_->requests()[1]), Not(HasSubstr("1984")));
  EXPECT_THAT(asked(large_->requests()[1]), Not(HasSubstr("a b c")));
  EXPECT_THAT(reason("read"), HasSubstr("cut off at max_tokens"));
  EXPECT_THAT(reason("read"), HasSubstr("that the chunk does not say"));
}

TEST_F(ExtractTest, FindingsMayNeedSupport) {
  small([](const Request& request) {
    return Script{.text = asked(request).contains("Gupa was 12") ? "profit of Mola in 2019: 12"
                                                                 : "none"};
  });
  ASSERT_TRUE(ask());
  EXPECT_THAT(asked(large_->requests()[1]), HasSubstr("profit of Mola"));
  options_.numbers["support"] = 1;
  large({{.text = "Find the profit of Gupa in 2019."}, {.text = "12"}});
  ASSERT_TRUE(ask());
  EXPECT_THAT(asked(large_->requests()[1]), HasSubstr("Findings:\nnone\n"));
}

TEST_F(ExtractTest, SmallIsAskedAgainWhileItIsWrong) {
  std::map<std::string, int> asked_before;
  small([&](const Request& request) {
    const int times = asked_before[asked(request)]++;
    EXPECT_EQ(request.sampling.temperature, times == 0 ? 0.0F : 0.5F);
    if (!asked(request).contains("Gupa was 12")) return Script{.text = "none"};
    constexpr const char* kReplies[] = {"profit of Gupa in 2019: 19", "none",
                                        "profit of Gupa in 2019: 12"};
    return Script{.text = kReplies[std::min(times, 2)]};
  });
  large({{.text = "Find the profit of Gupa in 2019."}, {.text = "12"}});
  options_.numbers = {{"support", 1}, {"samples", 5}, {"temperature", 0.5}, {"rare", 0}};
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  ASSERT_EQ(answer->citations.size(), 1u);
  EXPECT_EQ(answer->citations[0].text, "profit of Gupa in 2019: 12");
  for (const auto& [prompt, times] : asked_before) {
    EXPECT_EQ(times, prompt.contains("Gupa was 12") ? 3 : 1)
        << "none at once, and what is right, settle it";
  }
}

TEST_F(ExtractTest, FindingsAreCutToLargesContext) {
  small([n = 0](const Request& request) mutable {
    return Script{.text = asked(request).contains("Gupa was")
                              ? "Gupa was on page " + std::string(1 + ++n, 'x')
                              : "Mola " + std::string(1 + ++n, 'y')};
  });
  large({{.text = "Find it."}, {.text = "Yes."}}, {.context_length = 40});
  options_.numbers["chunk"] = 40;
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_LT(answer->citations.size(), 10u);
  EXPECT_GE(answer->citations.size(), 1u);
  EXPECT_THAT(reason("findings"), HasSubstr("more had no room"));
}

TEST_F(ExtractTest, TheFallbackTakesLargesPlace) {
  large({{.text = "Find the profit of Gupa in 2019."}, {.error = Error{Errc::upstream, "gone"}}});
  const auto other =
      std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "It was 12."}});
  options_.answerers["fallback"] = other;
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It was 12.");
  EXPECT_THAT(asked(other->requests().at(0)), HasSubstr("Findings:\nprofit of Gupa in 2019: 12\n"));
  EXPECT_EQ(reason("fallback"), "large failed: upstream: gone");
  EXPECT_THAT(roles(turn_), Contains("large:failed"));
}

TEST_F(ExtractTest, TheFallbackMayWriteTheJobs) {
  large({{.error = Error{Errc::upstream, "gone"}}});
  const auto other = std::make_shared<ScriptedModel>(
      "other", std::vector<Script>{{.text = "Find the profit of Gupa in 2020."}, {.text = "30"}});
  options_.answerers["fallback"] = other;
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "30");
  EXPECT_EQ(large_->requests().size(), 1u) << "who is down is not asked again";
}

TEST_F(ExtractTest, WithoutOneTheErrorSaysWhatWasDone) {
  large({{.text = "Find the profit of Gupa in 2019."}, {.error = Error{Errc::upstream, "gone"}}});
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_THAT(answer.error().detail,
              HasSubstr("gone; until then `extract` had done 1 job on 4 chunks: "));
  EXPECT_THAT(answer.error().detail, HasSubstr("1 finding"));
}

TEST_F(ExtractTest, WhatWasShownStays) {
  large({{.text = "Find the profit of Gupa in 2019."},
         {.text = "It was", .error = Error{Errc::upstream, "gone"}, .error_after = 2}});
  options_.answerers["fallback"] = large_;
  EXPECT_EQ(ask().error().code, Errc::upstream);
  EXPECT_EQ(large_->requests().size(), 2u);
}

TEST_F(ExtractTest, ARefusalIsFinal) {
  large({{.error = Error{Errc::refused, "no"}}});
  options_.answerers["fallback"] = small_;
  EXPECT_EQ(ask().error().code, Errc::refused);
  EXPECT_TRUE(small_->requests().empty());
}

TEST_F(ExtractTest, AFewChunksMayFail) {
  small([n = 0](const Request& request) mutable {
    return ++n == 1 ? Script{.error = Error{Errc::upstream, "late"}} : reading(request);
  });
  ASSERT_TRUE(ask());
  EXPECT_THAT(reason("read"), HasSubstr("1 failed (upstream: late)"));
}

TEST_F(ExtractTest, NotAll) {
  small([](const Request&) { return Script{.error = Error{Errc::upstream, "late"}}; });
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("late; until then"));
  EXPECT_EQ(large_->requests().size(), 1u);
}

TEST_F(ExtractTest, CancellingEndsIt) {
  small([this](const Request&) {
    turn_.cancel();
    return Script{.never_ends = true};
  });
  EXPECT_EQ(ask().error().code, Errc::cancelled);
  EXPECT_LE(small_->requests().size(), 16u);
  EXPECT_THAT(roles(turn_), Contains("small:extract")) << "cost is cost";
}

TEST_F(ExtractTest, ProgressIsTold) {
  std::vector<double> told;
  turn_.progress = [&](std::string_view what, double done) {
    EXPECT_EQ(what, "reading the document");
    told.push_back(done);
  };
  ASSERT_TRUE(ask());
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), 1);
}

TEST_F(ExtractTest, TheAnswersFormIsTheRequests) {
  Request with = request();
  with.messages.insert(with.messages.begin(), {"system", "Be short."});
  with.max_tokens = 99;
  with.stop = {"!"};
  ASSERT_TRUE(ask(with));
  EXPECT_EQ(large_->requests()[0].max_tokens, 8 * 48);
  EXPECT_TRUE(large_->requests()[0].stop.empty());
  EXPECT_EQ(large_->requests()[1].max_tokens, 99);
  EXPECT_EQ(large_->requests()[1].stop, with.stop);
  EXPECT_EQ(large_->requests()[1].messages[0].content, "Be short.");
  EXPECT_EQ(small_->requests()[0].messages.size(), 1u);
}

TEST_F(ExtractTest, WithoutADocumentLargeAnswers) {
  large({{.text = "It is warm."}});
  const auto answer = ask({.messages = {{"user", "Is it cold?"}}});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->text, "It is warm.");
  EXPECT_EQ(sink_.text(), answer->text);
  EXPECT_EQ(reason("plain"), "there is no document");
  EXPECT_TRUE(small_->requests().empty());

  large({{.error = Error{Errc::upstream, "gone"}}});
  options_.answerers["fallback"] =
      std::make_shared<ScriptedModel>("other", std::vector<Script>{{.text = "It is not."}});
  const auto second = ask({.messages = {{"user", "Is it cold?"}}});
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->text, "It is not.");
}

TEST_F(ExtractTest, RefusesWhatCannotBe) {
  EXPECT_EQ(ask({.messages = {{"user", std::string(2'000, '?')}}}).error().code, Errc::bad_request);
  EXPECT_EQ(ask({.prompt = "raw", .document = "d"}).error().code, Errc::unsupported);
  EXPECT_TRUE(large_->requests().empty());
  const std::pair<const char*, double> kWrong[] = {
      {"chunk", 1},  {"chunk", 20.5}, {"overlap", 200}, {"jobs", 0},
      {"rounds", 0}, {"samples", 0},  {"support", 2},   {"temperature", 0},
      {"rare", 2},   {"findings", 0}, {"at_once", 0},   {"max_tokens", 0}};
  for (const auto& [key, value] : kWrong) {
    options_.numbers = {{key, value}};
    EXPECT_EQ(ask().error().code, Errc::bad_config) << key;
  }
  options_.numbers = {};
  small_ = std::make_shared<ScriptedModel>("small", std::vector<Script>{},
                                           ScriptedModel::Traits{.context_length = 250});
  options_.answerers["by"] = small_;
  EXPECT_THAT(ask().error().detail, HasSubstr("exceed the 250"));
}

}  // namespace
}  // namespace lichen::mechanisms
