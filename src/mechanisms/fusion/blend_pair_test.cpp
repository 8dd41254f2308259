// `blend` on the bundled models.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "mechanisms/bundled_models.h"
#include "mechanisms/fusion/aligned_tokens.h"
#include "mechanisms/fusion/blend.h"
#include "mechanisms/fusion/blend_by_pieces.h"
#include "mechanisms/fusion/test_vocabulary.h"
#include "mechanisms/scripted_model.h"
#include "mechanisms/scripted_options.h"

namespace lichen::mechanisms {
namespace {

constexpr const char* kQuestions[] = {"What is 12 + 30?", "Sort these words: pear, apple, fig.",
                                      "Reverse the word lichen.",
                                      "How do you write zebra backwards?"};

class BlendPairTest : public BundledModelsTest {
 protected:
  static std::string answered(Answerer& answerer, const std::string& question) {
    return ask(answerer, asking(question, 48)).text;
  }
  /// Small under another name.
  static std::shared_ptr<model::LocalModel> twin() {
    model::LocalModelOptions options = no_prefixes();
    options.gguf = file_of("small");
    return bundled("twin", options);
  }

  const std::shared_ptr<model::LocalModel> small_ = bundled("small", no_prefixes());
  const std::shared_ptr<model::LocalModel> twin_ = twin();
  const std::shared_ptr<model::LocalModel> other_ = bundled("other", no_prefixes());
};

TEST_F(BlendPairTest, AModelWithItselfIsThatModel) {
  ScriptedOptions options;
  options.sequence = {{"small", small_}, {"twin", twin_}};
  for (const char* rule : {"mean", "product"}) {
    options.choices = {{"rule", rule}};
    const auto whole_rows = *build_blend(options);
    const auto pieces = make_blend_by_pieces(
        {small_, twin_},
        {.rule = rule == std::string("mean") ? BlendRule::mean : BlendRule::product,
         .weights = {0.5, 0.5}});
    for (const char* question : kQuestions) {
      const std::string alone = answered(*small_, question);
      EXPECT_EQ(answered(*whole_rows, question), alone);
      EXPECT_EQ(answered(*pieces, question), alone);
    }
  }
}

TEST_F(BlendPairTest, TheWeightsEndsAreTheModelsAlone) {
  const auto first = make_blend_by_pieces({small_, other_}, {.weights = {1, 0}});
  const auto second = make_blend_by_pieces({small_, other_}, {.weights = {0, 1}});
  for (const char* question : kQuestions) {
    EXPECT_EQ(answered(*first, question), answered(*small_, question));
    EXPECT_EQ(answered(*second, question), answered(*other_, question));
  }
}

/// What one model writes, as the other reads it: pieces of the bundled vocabularies, their halves,
/// and bytes that are no text.
TEST_F(BlendPairTest, TheVocabulariesStayInStep) {
  const Spelling small(small_->vocabulary()), other(other_->vocabulary());
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    AlignedTokens by_small(small), by_other(other);
    std::string text;
    for (int step = 0; step < 60; ++step) {
      const Spelling& author = random() % 2 == 0 ? small : other;
      const auto count = static_cast<unsigned>(author.vocabulary().size());
      auto token = static_cast<Token>(random() % count);
      std::string piece(author.vocabulary().piece(token));
      if (random() % 8 == 0) piece.resize(piece.size() / 2);
      if (random() % 8 == 0) piece += static_cast<char>(random() % 256);
      if (piece != author.vocabulary().piece(token) || piece.empty()) token = -1;
      const auto own = [&](const Spelling& reader) { return &reader == &author ? token : -1; };
      ASSERT_TRUE(by_small.append(piece, own(small)));
      ASSERT_TRUE(by_other.append(piece, own(other)));
      text += piece;
      ASSERT_EQ(text_of(small.vocabulary(), by_small.tokens()), text);
      ASSERT_EQ(text_of(other.vocabulary(), by_other.tokens()), text);
    }
  }
}

/// Of a text that comes byte by byte, only whole words become tokens as in the whole.
TEST_F(BlendPairTest, TextInBytesIsSplitAsTheWholeIs) {
  const std::string text =
      "The codes of Gr\xc3\xbcn are 17 and 4203, which is odd.\nNext: caf\xc3\xa9";
  for (const auto& model : {small_, other_}) {
    const Spelling spelling(model->vocabulary());
    AlignedTokens aligned(spelling);
    for (const char byte : text) ASSERT_TRUE(aligned.append(std::string(1, byte)));
    const auto tokens = aligned.tokens();
    EXPECT_EQ(std::vector<Token>(tokens.begin(), tokens.end()),
              *model->vocabulary().tokenize(text, false));
  }
}

}  // namespace
}  // namespace lichen::mechanisms
