#include "mechanisms/held_back.h"

#include <gtest/gtest.h>

#include <string>

#include "mechanisms/scripted_model.h"

namespace lichen::mechanisms {
namespace {

bool write(HeldBack& held, const std::string& text) {
  return run(held.write({.text = text, .model = "large", .tokens = 1}));
}

TEST(HeldBack, NothingPassesBeforeItIsReleased) {
  CollectingSink sink;
  Turn turn("plan", &sink);
  HeldBack held(turn);
  EXPECT_TRUE(write(held, "one "));
  EXPECT_TRUE(write(held, "two "));
  EXPECT_TRUE(sink.pieces.empty());
  EXPECT_FALSE(turn.receipt.first_token_ms);
  EXPECT_TRUE(run(held.release()));
  EXPECT_EQ(sink.text(), "one two ");
  EXPECT_TRUE(write(held, "three"));
  EXPECT_EQ(sink.text(), "one two three");
  EXPECT_EQ(turn.receipt.authors.at(0).tokens, 3);
}

TEST(HeldBack, SaysWhenNobodyListens) {
  CollectingSink sink(1);
  Turn turn("plan", &sink);
  HeldBack held(turn);
  write(held, "one ");
  write(held, "two ");
  EXPECT_EQ(run(held.release()).error().code, Errc::cancelled);
}

TEST(HeldBack, WhatComesAfterwardsIsToldLikewise) {
  CollectingSink sink(0);
  Turn turn("plan", &sink);
  HeldBack held(turn);
  EXPECT_TRUE(run(held.release()));
  EXPECT_FALSE(write(held, "one"));
}

}  // namespace
}  // namespace lichen::mechanisms
