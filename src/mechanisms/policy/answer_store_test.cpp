#include "mechanisms/policy/answer_store.h"

#include <gtest/gtest.h>

namespace lichen::mechanisms {
namespace {

using std::chrono::seconds;

const Clock::time_point kStart{std::chrono::hours(1)};

base::Sha256 key(int number) { return base::sha256(std::to_string(number)); }

StoredPtr stored(int number, Clock::time_point made = kStart, std::optional<Question> question = {},
                 std::size_t size = 10) {
  return std::make_shared<const StoredAnswer>(
      StoredAnswer{.key = key(number),
                   .answer = {.text = std::string(size, 'x')},
                   .made = made,
                   .question = std::move(question)});
}

Question question(std::vector<float> embedding, std::vector<std::string> facts = {}) {
  return {.around = key(-1), .embedding = std::move(embedding), .facts = std::move(facts)};
}

TEST(AnswerStore, WhatWasUsedLongestAgoGoesFirst) {
  AnswerStore store({.entries = 2});
  store.put(stored(1));
  store.put(stored(2));
  EXPECT_TRUE(store.find(key(1), kStart));
  store.put(stored(3));
  EXPECT_TRUE(store.find(key(1), kStart));
  EXPECT_FALSE(store.find(key(2), kStart));
  EXPECT_TRUE(store.find(key(3), kStart));
  EXPECT_EQ(store.figures().entries, 2U);
  EXPECT_EQ(store.figures().evictions, 1U);
}

TEST(AnswerStore, BytesAreBounded) {
  AnswerStore store({.bytes = 10'000});
  for (int i = 0; i < 10; ++i) store.put(stored(i, kStart, {}, 3'000));
  EXPECT_LE(store.figures().bytes, 10'000U);
  EXPECT_EQ(store.figures().entries, 2U);
  store.put(stored(20, kStart, {}, 20'000));
  EXPECT_FALSE(store.find(key(20), kStart)) << "larger than all that there may be";
  EXPECT_TRUE(store.find(key(9), kStart)) << "and nothing goes for its sake";
}

TEST(AnswerStore, WhatIsTooOldGoes) {
  AnswerStore store({.ttl = seconds(10)});
  store.put(stored(1, kStart));
  store.put(stored(2, kStart + seconds(5)));
  EXPECT_TRUE(store.find(key(1), kStart + seconds(9)));
  EXPECT_FALSE(store.find(key(1), kStart + seconds(10)));
  EXPECT_EQ(store.figures().entries, 1U);
  EXPECT_FALSE(store.find(key(3), kStart + seconds(20)));
  EXPECT_EQ(store.figures().entries, 0U);
  EXPECT_EQ(store.figures().bytes, 0U);
  EXPECT_EQ(store.figures().evictions, 0U);
}

TEST(AnswerStore, TheSameKeyIsReplaced) {
  AnswerStore store({});
  store.put(stored(1));
  const StoredPtr other = stored(1, kStart + seconds(1));
  store.put(other);
  EXPECT_EQ(store.find(key(1), kStart), other);
  EXPECT_EQ(store.figures().entries, 1U);
}

TEST(AnswerStore, TheNearestWithTheSameFacts) {
  AnswerStore store({});
  store.put(stored(1, kStart, question({1, 0})));
  const StoredPtr near = stored(2, kStart, question({0.6F, 0.8F}, {"7"}));
  store.put(near);
  store.put(stored(3));

  const auto found = store.nearest(question({0.8F, 0.6F}, {"7"}), kStart);
  EXPECT_EQ(found.stored, near);
  EXPECT_NEAR(found.cosine, 0.96, 1e-6);
  EXPECT_FALSE(found.vetoed);

  const auto other = store.nearest(question({0, 1}), kStart);
  EXPECT_NEAR(other.cosine, 0, 1e-6);
  EXPECT_TRUE(other.vetoed);
  EXPECT_NEAR(other.vetoed_cosine, 0.8, 1e-6);

  Question elsewhere = question({1, 0});
  elsewhere.around = key(-2);
  EXPECT_FALSE(store.nearest(elsewhere, kStart).stored);
  EXPECT_FALSE(store.nearest(question({1, 0, 0}), kStart).stored) << "of another width";
  EXPECT_FALSE(store.nearest(question({1, 0}), kStart + std::chrono::hours(2)).stored);
}

TEST(AnswerStore, WhatGoesIsNotFoundAsSimilar) {
  AnswerStore store({.entries = 2});
  const StoredPtr first = stored(1, kStart, question({1, 0}));
  store.put(first);
  store.put(stored(2, kStart, question({0, 1})));
  store.used(first);
  store.put(stored(3, kStart, question({-1, 0})));
  EXPECT_NEAR(store.nearest(question({0, 1}), kStart).cosine, 0, 1e-6);
  EXPECT_EQ(store.nearest(question({1, 0}), kStart).stored, first);
}

}  // namespace
}  // namespace lichen::mechanisms
