#include "model/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace lichen::model {
namespace {

/// Shorter beginnings are not worth a sequence number.
constexpr int kMinShared = 8;

/// Finished sequences may hold this many cells even if none has been of use yet.
constexpr int kAlwaysKept = 256;

int common_length(std::span<const Token> a, std::span<const Token> b) {
  return static_cast<int>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

KvCache::KvCache(Backend& backend, int keep)
    : backend_(backend), keep_(keep), holders_(static_cast<std::size_t>(backend.limits().cells)) {
  free_cells_.resize(holders_.size());
  std::iota(free_cells_.rbegin(), free_cells_.rend(), 0);
  free_numbers_.resize(static_cast<std::size_t>(backend.limits().sequences));
  std::iota(free_numbers_.rbegin(), free_numbers_.rend(), 0);
}

void KvCache::enter(Sequence& sequence) { live_.push_back(&sequence); }

void KvCache::leave(Sequence& sequence) { std::erase(live_, &sequence); }

bool KvCache::make_room(int cells, bool number) {
  while (free_cells() < cells || (number && free_numbers_.empty())) {
    if (retired_.empty()) return false;
    forget_oldest();
  }
  return true;
}

KvCache::Match KvCache::longest_match(std::span<const Token> tokens, int adapter) const {
  Match best;
  auto look = [&](const Sequence& sequence) {
    if (!sequence.resident() || sequence.adapter != adapter) return;
    const int length = common_length(tokens, sequence.tokens);
    if (length > best.length) best = {&sequence, length};
  };
  for (const Sequence* sequence : live_) look(*sequence);
  for (const Sequence& sequence : retired_) look(sequence);
  return best.length >= kMinShared ? best : Match{};
}

int KvCache::shared_prefix(std::span<const Token> tokens, int adapter) const {
  return longest_match(tokens, adapter).length;
}

bool KvCache::admit(Sequence& sequence, std::span<const Token> tokens, bool reuse) {
  assert(!sequence.resident() && sequence.tokens.empty() && !tokens.empty());
  const int wanted = static_cast<int>(tokens.size());
  // Making room may forget the very sequence that matches, so look again until both hold. The last
  // token is always decoded: its logits are what the caller is after.
  const auto reusable = tokens.first(reuse ? tokens.size() - 1 : 0);
  for (;;) {
    const Match match = longest_match(reusable, sequence.adapter);
    if (free_cells() >= wanted - match.length && !free_numbers_.empty()) {
      sequence.seq = free_numbers_.back();
      free_numbers_.pop_back();
      if (reuse) reused_ += 0.1 * (static_cast<double>(match.length) / wanted - reused_);
      if (match.source != nullptr) {
        backend_.share(match.source->seq, sequence.seq, match.length);
        sequence.tokens.assign(tokens.begin(), tokens.begin() + match.length);
        sequence.cells.assign(match.source->cells.begin(),
                              match.source->cells.begin() + match.length);
        for (std::int32_t cell : sequence.cells) ++holders_[static_cast<std::size_t>(cell)];
        // A retired source that was of use again is the last to go.
        for (auto it = retired_.begin(); it != retired_.end(); ++it) {
          if (&*it != match.source) continue;
          std::rotate(it, it + 1, retired_.end());
          break;
        }
      }
      return true;
    }
    if (retired_.empty()) return false;
    forget_oldest();
  }
}

bool KvCache::share(const Sequence& source, Sequence& copy) {
  assert(source.resident() && !copy.resident() && copy.tokens.empty());
  if (!make_room(0, true)) return false;
  copy.seq = free_numbers_.back();
  free_numbers_.pop_back();
  copy.adapter = source.adapter;
  copy.tokens = source.tokens;
  copy.cells = source.cells;
  for (std::int32_t cell : copy.cells) ++holders_[static_cast<std::size_t>(cell)];
  if (!copy.tokens.empty()) {
    backend_.share(source.seq, copy.seq, static_cast<int>(copy.tokens.size()));
  }
  return true;
}

void KvCache::grow(Sequence& sequence, std::span<const Token> tokens) {
  take_cells(sequence, static_cast<int>(tokens.size()));
  sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
}

void KvCache::truncate(Sequence& sequence, int size) {
  assert(size >= 0 && static_cast<std::size_t>(size) <= sequence.tokens.size());
  if (sequence.resident()) {
    backend_.truncate(sequence.seq, size);
    drop_cells(sequence, size);
  }
  sequence.tokens.resize(static_cast<std::size_t>(size));
}

SavedSequence KvCache::save(Sequence& sequence) {
  assert(sequence.resident());
  SavedSequence saved{.state = backend_.save(sequence.seq),
                      .size = static_cast<int>(sequence.tokens.size())};
  drop_number(sequence);
  return saved;
}

bool KvCache::restore(Sequence& sequence, const SavedSequence& saved) {
  assert(!sequence.resident() && free_cells() >= saved.size && !free_numbers_.empty());
  sequence.seq = free_numbers_.back();
  free_numbers_.pop_back();
  if (!backend_.restore(sequence.seq, saved.state)) {
    drop_number(sequence);
    return false;
  }
  const int size = static_cast<int>(sequence.tokens.size());
  if (size < saved.size) backend_.truncate(sequence.seq, size);
  take_cells(sequence, size);
  return true;
}

void KvCache::release(Sequence& sequence) {
  if (sequence.resident()) drop_number(sequence);
  sequence.tokens.clear();
}

void KvCache::retire(Sequence sequence) {
  const int size = static_cast<int>(sequence.tokens.size());
  const bool useful = sequence.resident() && size >= kMinShared && size <= keep_ &&
                      std::ranges::none_of(retired_, [&](const Sequence& other) {
                        return other.adapter == sequence.adapter &&
                               common_length(sequence.tokens, other.tokens) == size;
                      });
  if (!useful) {
    release(sequence);
    return;
  }
  sequence.used = Clock::now();
  retired_cells_ += size;
  retired_.push_back(std::move(sequence));
  while (retired_cells_ > keep_now() && retired_.size() > 1) forget_oldest();
}

int KvCache::keep_now() const {
  const int least = std::min(kAlwaysKept, keep_);
  return least + static_cast<int>(std::min(1.0, 4 * reused_) * (keep_ - least));
}

void KvCache::take_cells(Sequence& sequence, int count) {
  assert(free_cells() >= count);
  for (int i = 0; i < count; ++i) {
    const std::int32_t cell = free_cells_.back();
    free_cells_.pop_back();
    holders_[static_cast<std::size_t>(cell)] = 1;
    sequence.cells.push_back(cell);
  }
}

void KvCache::drop_cells(Sequence& sequence, int from) {
  for (std::size_t i = static_cast<std::size_t>(from); i < sequence.cells.size(); ++i) {
    const std::int32_t cell = sequence.cells[i];
    if (--holders_[static_cast<std::size_t>(cell)] == 0) free_cells_.push_back(cell);
  }
  sequence.cells.resize(static_cast<std::size_t>(from));
}

void KvCache::drop_number(Sequence& sequence) {
  backend_.truncate(sequence.seq, 0);
  drop_cells(sequence, 0);
  free_numbers_.push_back(sequence.seq);
  sequence.seq = -1;
}

void KvCache::forget_oldest() {
  Sequence oldest = std::move(retired_.front());
  retired_.erase(retired_.begin());
  retired_cells_ -= static_cast<int>(oldest.tokens.size());
  release(oldest);
}

}  // namespace lichen::model
