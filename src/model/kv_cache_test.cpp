#include "model/kv_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <new>
#include <span>
#include <vector>

#include "model/scripted_backend.h"

namespace lichen::model {
namespace {

/// Has no memory for a copy while `full`.
class FullBackend : public ScriptedBackend {
 public:
  using ScriptedBackend::ScriptedBackend;
  void share(Seq from, Seq to, int length) override {
    if (full) throw std::bad_alloc();
    ScriptedBackend::share(from, to, length);
  }
  bool full = false;
};

TEST(KvCacheTest, AMoveThatFailsLeavesTheSequenceWhereItIs) {
  FullBackend backend({.cells = 30,
                       .batch = 10,
                       .outputs = 10,
                       .sequences = 3,
                       .train_length = 10,
                       .embedding = 4,
                       .split = true,
                       .cell_bytes = 8},
                      hashing_script(100));
  KvCache cache(backend, 0);
  const std::vector<Token> prompt = {1, 2};
  std::array<Sequence, 3> sequences;
  for (Sequence& sequence : sequences) {
    cache.admit(sequence, prompt, false);
    for (int i = 0; i < 2; ++i) {
      const BatchToken token{.token = prompt[static_cast<std::size_t>(i)],
                             .position = i,
                             .seq = sequence.seq,
                             .output = false};
      ASSERT_EQ(backend.decode(std::span(&token, 1)), Backend::Outcome::ok);
    }
    cache.grow(sequence, prompt);
  }
  cache.release(sequences[0]);
  backend.full = true;
  EXPECT_THROW(cache.move_down(sequences[2]), std::bad_alloc);
  EXPECT_EQ(sequences[2].seq, 2);
  EXPECT_EQ(backend.used_cells(), 4);
  backend.full = false;
  cache.move_down(sequences[2]);
  EXPECT_EQ(sequences[2].seq, 0);
  EXPECT_EQ(backend.used_cells(), 4);
  EXPECT_TRUE(cache.has_room(0, true));
}

/// The numbers of a long prompt and of a short one after it.
std::array<Seq, 2> numbers_of_long_and_short(bool plain_attention) {
  ScriptedBackend backend({.cells = 3'000,
                           .batch = 10,
                           .outputs = 10,
                           .sequences = 3,
                           .train_length = 1'000,
                           .embedding = 4,
                           .split = true,
                           .plain_attention = plain_attention,
                           .cell_bytes = 8},
                          hashing_script(100));
  KvCache cache(backend, 0);
  const std::vector<Token> prompt(900, 1);
  std::array<Sequence, 2> sequences;
  cache.admit(sequences[0], prompt, false);
  cache.admit(sequences[1], std::span(prompt).first(4), false);
  return {sequences[0].seq, sequences[1].seq};
}

TEST(KvCacheTest, LongPromptsStandApartWherePassesAreNotShared) {
  EXPECT_EQ(numbers_of_long_and_short(true), (std::array<Seq, 2>{2, 0}));
  EXPECT_EQ(numbers_of_long_and_short(false), (std::array<Seq, 2>{0, 1}));
}

}  // namespace
}  // namespace lichen::model
