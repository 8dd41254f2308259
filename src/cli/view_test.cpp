#include "cli/view.h"

#include <gtest/gtest.h>

namespace lichen::cli {
namespace {

const Terminal kColour{.interactive = true, .colour = true};
const Terminal kPlain{};
const std::vector<std::string> kModels = {"small", "large"};

TEST(View, StretchesTakeTheirAuthorsColour) {
  Palette palette(kModels);
  const std::vector<Stretch> authors = {{"large", 1, 3}, {"small", 1, 4}};
  EXPECT_EQ(coloured("one two!", 0, authors, palette, kColour),
            "\x1b[35mone\x1b[0m\x1b[32m two\x1b[0m!");
  EXPECT_EQ(coloured("one two!", 0, authors, palette, kPlain), "one two!");
}

TEST(View, StretchesGoOnFromWhereTheStreamEnded) {
  Palette palette(kModels);
  const std::vector<Stretch> authors = {{"small", 1, 3}, {"large", 1, 4}};
  EXPECT_EQ(coloured("one two", 2, authors, palette, kColour),
            "\x1b[32me\x1b[0m\x1b[35m two\x1b[0m");
  EXPECT_EQ(coloured("one two", 3, authors, palette, kColour), "\x1b[35m two\x1b[0m");
  EXPECT_EQ(coloured("one two", 7, authors, palette, kColour), "");
  EXPECT_EQ(coloured("one two", 99, authors, palette, kColour), "");
}

TEST(View, WrongSizesOfStretchesDoNoHarm) {
  Palette palette(kModels);
  EXPECT_EQ(
      coloured("ab", 0, std::vector<Stretch>{{"small", 1, 99}, {"large", 1, 3}}, palette, kPlain),
      "ab");
  EXPECT_EQ(coloured("ab", 0, std::vector<Stretch>{{"small", 1, -5}}, palette, kPlain), "ab");
}

TEST(View, ModelsKeepTheirColours) {
  Palette palette(kModels);
  EXPECT_EQ(palette.style("large"), palette.style("large"));
  EXPECT_NE(palette.style("small"), palette.style("large"));
  EXPECT_NE(palette.style("other"), palette.style("large"));
  for (int i = 0; i < 20; ++i) EXPECT_NE(palette.style(std::to_string(i)), Style::plain);
}

TEST(View, CitationsAreALineEach) {
  const std::vector<Citation> citations = {{"profit: 5", 1'204, 1'238, 3}, {"debt: \x1bX", 1, 9}};
  EXPECT_EQ(citations_text(citations, kPlain),
            "[1] page 3, bytes 1,204 to 1,238: profit: 5\n[2] bytes 1 to 9: debt: \x1bX\n");
  EXPECT_EQ(citations_text({citations.data() + 1, 1}, {.interactive = true}),
            "[1] bytes 1 to 9: debt: \xEF\xBF\xBDX\n");
  EXPECT_EQ(citations_text({}, kPlain), "");
}

Receipt cascade_receipt() {
  Receipt receipt;
  receipt.id = "rcpt_1";
  receipt.plan = "cascade";
  receipt.finish = "stop";
  receipt.total_ms = 1'234;
  receipt.first_token_ms = 56;
  receipt.steps = {
      {.model = "small", .role = "draft", .tokens_in = 20, .tokens_out = 9, .tokens_cached = 16},
      {.model = "cloud",
       .role = "answer",
       .tokens_in = 21,
       .tokens_out = 12,
       .estimated = true,
       .remote = true,
       .bytes_sent = 1'500,
       .usd = 0.0021}};
  receipt.decisions = {{"cascade", "large", "mean log-prob -0.81 under threshold -0.25"}};
  receipt.authors = {{"cloud", 9, 30}, {"small", 3, 10}};
  return receipt;
}

TEST(View, ReceiptSaysWhoWhatAndHowMuch) {
  Palette palette(kModels);
  EXPECT_EQ(receipt_text(cascade_receipt(), palette, kPlain),
            "receipt rcpt_1  plan cascade  finish stop\n"
            "\u25A0 cloud 9 tokens (75.0 %)   \u25A0 small 3 tokens (25.0 %)\n"
            "step   role     in  cached  out  queued  prefill  decode      USD  joules\n"
            "small  draft    20      16    9  0.0 ms   0.0 ms  0.0 ms        -       -\n"
            "cloud  answer  ~21       0  ~12  0.0 ms   0.0 ms  0.0 ms  $0.0021       -\n"
            "cascade chose large: mean log-prob -0.81 under threshold -0.25\n"
            "1.23 s (first token after 56 ms), 41 tokens in, 21 out, $0.0021, "
            "left this device: 1.5 kB to cloud\n");
}

TEST(View, ReceiptOfAFailedTurn) {
  Palette palette;
  Receipt receipt;
  receipt.id = "rcpt_2";
  receipt.plan = "small";
  receipt.error = "context_overflow";
  EXPECT_EQ(receipt_text(receipt, palette, kPlain),
            "receipt rcpt_2  plan small  error context_overflow\n"
            "0.0 ms, 0 tokens in, 0 out, nothing left this device\n");
}

TEST(View, FeedbackStandsUnderTheDecisions) {
  Palette palette;
  Receipt receipt = cascade_receipt();
  receipt.feedback = Feedback{.score = 0.5, .comment = "too long"};
  EXPECT_TRUE(receipt_text(receipt, palette, kPlain)
                  .contains("under threshold -0.25\nfeedback 0.5: too long\n1.23 s"));
}

TEST(View, AnEndpointThatWasNotReachedGotNothing) {
  Palette palette;
  Receipt receipt;
  receipt.steps = {{.model = "cloud", .role = "answer", .remote = true}};
  EXPECT_TRUE(receipt_text(receipt, palette, kPlain).contains(", nothing left this device\n"));
}

TEST(View, TotalsNeverInventCosts) {
  const Totals sum = totals(cascade_receipt());
  EXPECT_EQ(sum.tokens_in, 41);
  EXPECT_EQ(sum.tokens_out, 21);
  EXPECT_EQ(sum.bytes_sent, 1'500);
  EXPECT_DOUBLE_EQ(sum.usd.value(), 0.0021);
  EXPECT_EQ(sum.joules, std::nullopt);
}

}  // namespace
}  // namespace lichen::cli
