// What sentences and a question make likelier of each other, under a scripted model.
#include "mechanisms/auxiliary/relevance.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "mechanisms/scripted_model.h"
#include "model/scripted_backend.h"

namespace lichen::mechanisms {
namespace {

using model::ScriptedBackend;

constexpr model::Backend::Limits kLimits{.cells = 4'096,
                                         .batch = 64,
                                         .outputs = 64,
                                         .sequences = 8,
                                         .train_length = 400,
                                         .embedding = 4};

class RelevanceTest : public testing::Test {
 protected:
  RelevanceTest() {
    // What has stood before is expected again, letter for letter; else nothing is.
    auto backend =
        std::make_unique<ScriptedBackend>(kLimits, [](std::span<const Token> before) -> Token {
          for (std::size_t i = before.size() - 1; i-- > 1;) {
            if (before[i] == before.back() && before[i - 1] == before[before.size() - 2]) {
              return before[i + 1];
            }
          }
          return 0;
        });
    small_ = model::make_scripted_local_model("small", lane_, std::move(backend));
  }
  Result<std::vector<double>> of(std::string question, std::vector<std::string> sentences) {
    return run(Relevance(Surprise(small_)).of(std::move(question), std::move(sentences), turn_));
  }

  std::shared_ptr<model::Lane> lane_ = std::make_shared<model::Lane>("test");
  std::shared_ptr<model::LocalModel> small_;
  Turn turn_{"plan"};
};

TEST_F(RelevanceTest, IsWhatEitherMakesLikelierOfTheOther) {
  const auto relevance =
      of("Which code has the lamp?", {"XYZ.", "The code of it: lamp.", "QVW UVW."});
  ASSERT_TRUE(relevance) << relevance.error().detail;
  EXPECT_GT((*relevance)[1], 10) << "several letters of `code` and `lamp`, both ways";
  EXPECT_LT((*relevance)[0], 1);
  EXPECT_LT((*relevance)[2], 1) << "that it repeats itself does not count";
  for (const double nats : *relevance) EXPECT_GE(nats, 0);
}

TEST_F(RelevanceTest, OfALongQuestionTheEndCounts) {
  const auto relevance =
      of(std::string(5'000, 'x') + " Which code has the lamp?", {"XYZ.", "The code of it: lamp."});
  ASSERT_TRUE(relevance) << relevance.error().detail << ": it would not fit in the context";
  EXPECT_GT((*relevance)[1], (*relevance)[0] + 10);
}

TEST_F(RelevanceTest, FailsAsSmallDoes) {
  turn_.cancel();
  EXPECT_EQ(of("Who?", {"It."}).error().code, Errc::cancelled);
}

}  // namespace
}  // namespace lichen::mechanisms
