// Answers that are kept for whoever asks the same again, within bounds, in memory alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sha256.h"
#include "lichen/answerer.h"

namespace lichen::mechanisms {

struct StoreBounds {
  std::size_t entries = 1'000;
  std::size_t bytes = std::size_t{64} << 20;
  Clock::duration ttl = std::chrono::hours(1);
};

/// By what an answer is found for a question that only resembles its own.
struct Question {
  base::Sha256 around = {};             // all else of the request; see digest_around_question
  std::vector<float> embedding = {};    // of length 1
  std::vector<std::string> facts = {};  // see facts_of
};

struct StoredAnswer {
  base::Sha256 key;  // see digest_of
  Answer answer;
  Clock::time_point made;
  std::optional<Question> question = {};  // none: only the same request finds it
};
using StoredPtr = std::shared_ptr<const StoredAnswer>;

/// Drops what is too old, and where it holds too much, what was used longest ago. Safe to use from
/// any thread; a lock is held for a look into tables, never while vectors are compared.
class AnswerStore {
 public:
  explicit AnswerStore(StoreBounds bounds) : bounds_(bounds) {}

  /// Null: there is none.
  StoredPtr find(const base::Sha256& key, Clock::time_point now);

  struct Nearest {
    StoredPtr stored = {};  // null: there is no question that could be compared
    double cosine = 0;
    bool vetoed = false;  // there was a nearer one, whose facts differ
    double vetoed_cosine = 0;
  };
  /// The nearest one with the same facts, of the questions that were asked with all else equal.
  Nearest nearest(const Question& question, Clock::time_point now) const;
  /// The one that `nearest` has found was used.
  void used(const StoredPtr& stored);

  /// In place of what its key has. One that alone is over the bound of bytes is not kept.
  void put(StoredPtr stored);

  struct Figures {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::uint64_t evictions = 0;  // for want of room, not for their age
  };
  Figures figures() const;

 private:
  struct Hash {
    std::size_t operator()(const base::Sha256& digest) const;
  };
  struct Entry {
    StoredPtr stored;
    std::size_t bytes;
    std::uint64_t number;  // counts up with every `put`
  };
  using Entries = std::list<Entry>;

  void drop(Entries::iterator entry);
  void drop_expired(Clock::time_point now);
  bool expired(const StoredAnswer& stored, Clock::time_point now) const {
    return now - stored.made >= bounds_.ttl;
  }

  const StoreBounds bounds_;

  mutable std::mutex mutex_;
  // Guarded by mutex_
  Entries by_use_;  // the latest first
  std::unordered_map<base::Sha256, Entries::iterator, Hash> by_key_;
  std::map<std::uint64_t, Entries::iterator> by_age_;  // the oldest first
  std::unordered_map<base::Sha256, std::vector<StoredPtr>, Hash> by_around_;
  std::size_t bytes_ = 0;
  std::uint64_t next_number_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace lichen::mechanisms
