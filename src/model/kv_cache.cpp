#include "model/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

namespace lichen::model {
namespace {

/// Shorter beginnings are not worth a copy.
constexpr int kMinShared = 8;

/// A kept sequence is copied in whole and then cut, so a beginning of it must be at least this part
/// of the whole to be worth it.
constexpr int kMinSharedPart = 16;

/// Under plain attention longer prompts are numbered from the other end: they do not share the
/// passes of short ones (`shared_pass`), and so are no gap between them.
constexpr int kShort = 256;

int common_length(std::span<const Token> a, std::span<const Token> b) {
  return static_cast<int>(std::ranges::mismatch(a, b).in1 - a.begin());
}

int size_of(std::span<const Token> tokens) { return static_cast<int>(tokens.size()); }

}  // namespace

KvCache::KvCache(Backend& backend, std::int64_t keep_bytes)
    : backend_(backend),
      keep_bytes_(keep_bytes),
      holders_(static_cast<std::size_t>(backend.limits().cells)) {
  free_cells_.resize(holders_.size());
  std::iota(free_cells_.rbegin(), free_cells_.rend(), 0);
  free_numbers_.resize(static_cast<std::size_t>(backend.limits().sequences));
  std::iota(free_numbers_.rbegin(), free_numbers_.rend(), 0);
}

void KvCache::enter(Sequence& sequence) { live_.push_back(&sequence); }

void KvCache::leave(Sequence& sequence) { std::erase(live_, &sequence); }

bool KvCache::has_room(int cells, bool number) const {
  return free_cells() >= cells && !(number && free_numbers_.empty());
}

KvCache::Match KvCache::longest_match(std::span<const Token> tokens, const Origin& origin) const {
  Match best{.length = kMinShared - 1};
  for (const Sequence* live : live_) {
    if (!live->resident() || live->origin != origin) continue;
    const int length = common_length(tokens, live->tokens);
    if (length > best.length) best = {.live = live, .length = length};
  }
  for (const Kept& kept : kept_) {
    if (kept.origin != origin) continue;
    const int length = common_length(tokens, kept.tokens);
    if (length <= best.length || length < size_of(kept.tokens) / kMinSharedPart) continue;
    best = {.kept = &kept, .length = length};
  }
  return best.length < kMinShared ? Match{} : best;
}

int KvCache::shared_prefix(std::span<const Token> tokens, const Origin& origin) const {
  return longest_match(tokens, origin).length;
}

int KvCache::cells_to_admit(std::span<const Token> tokens, const Origin& origin, bool reuse) const {
  const Match match = reuse ? longest_match(tokens, origin) : Match{};
  return cells_to_admit(match, static_cast<int>(tokens.size()));
}

int KvCache::cells_to_admit(const Match& match, int tokens) const {
  if (match.kept != nullptr) return std::max(tokens, match.kept->saved.size);
  return match.live != nullptr && !backend_.limits().split ? tokens - match.length : tokens;
}

void KvCache::admit(Sequence& sequence, std::span<const Token> tokens, bool reuse) {
  assert(!sequence.resident() && sequence.tokens.empty() && !tokens.empty());
  // The last token is always decoded: its logits are what the caller is after.
  const auto reusable = tokens.first(reuse ? tokens.size() - 1 : 0);
  const Match match = longest_match(reusable, sequence.origin);
  const std::span<const Token> shared = tokens.first(static_cast<std::size_t>(match.length));
  if (match.kept != nullptr) {
    sequence.tokens.assign(shared.begin(), shared.end());
    if (restore(sequence, match.kept->saved)) {
      const auto used = std::ranges::find(kept_, match.kept, [](Kept& kept) { return &kept; });
      kept_.splice(kept_.end(), kept_, used);
      return;
    }
    sequence.tokens.clear();  // then without
  }
  take_number(sequence, !backend_.limits().plain_attention || size_of(tokens) <= kShort);
  if (match.live == nullptr) return;
  backend_.share(match.live->seq, sequence.seq, match.length);
  sequence.tokens.assign(shared.begin(), shared.end());
  if (backend_.limits().split) {
    take_cells(sequence, match.length);
  } else {
    sequence.cells.assign(match.live->cells.begin(), match.live->cells.begin() + match.length);
    for (std::int32_t cell : sequence.cells) ++holders_[static_cast<std::size_t>(cell)];
  }
}

bool KvCache::share(const Sequence& source, Sequence& copy) {
  assert(source.resident() && !copy.resident() && copy.tokens.empty());
  const int size = size_of(source.tokens);
  const bool split = backend_.limits().split;
  if (!has_room(split ? size : 0, true)) return false;
  take_number(copy);
  copy.origin = source.origin;
  copy.tokens = source.tokens;
  if (split) {
    take_cells(copy, size);
  } else {
    copy.cells = source.cells;
    for (std::int32_t cell : copy.cells) ++holders_[static_cast<std::size_t>(cell)];
  }
  if (size > 0) backend_.share(source.seq, copy.seq, size);
  return true;
}

void KvCache::grow(Sequence& sequence, std::span<const Token> tokens) {
  take_cells(sequence, static_cast<int>(tokens.size()));
  sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
}

void KvCache::truncate(Sequence& sequence, int size) {
  assert(size >= 0 && size <= size_of(sequence.tokens));
  if (sequence.resident()) {
    backend_.truncate(sequence.seq, size);
    drop_cells(sequence, size);
  }
  sequence.tokens.resize(static_cast<std::size_t>(size));
}

SavedSequence KvCache::save(Sequence& sequence) {
  assert(sequence.resident());
  SavedSequence saved{.state = backend_.save(sequence.seq), .size = size_of(sequence.tokens)};
  drop_number(sequence);
  return saved;
}

bool KvCache::restore(Sequence& sequence, const SavedSequence& saved) {
  assert(!sequence.resident() && has_room(saved.size, true));
  take_number(sequence);
  if (!backend_.restore(sequence.seq, saved.state)) {
    drop_number(sequence);
    return false;
  }
  const int size = size_of(sequence.tokens);
  if (size < saved.size) backend_.truncate(sequence.seq, size);
  take_cells(sequence, size);
  return true;
}

void KvCache::release(Sequence& sequence) {
  if (sequence.resident()) drop_number(sequence);
  sequence.tokens.clear();
}

bool KvCache::worth_keeping(const Sequence& sequence) const {
  const int size = size_of(sequence.tokens);
  return sequence.resident() && size >= kMinShared &&
         size * backend_.limits().cell_bytes <= keep_bytes_ &&
         std::ranges::none_of(kept_, [&](const Kept& kept) {
           return kept.origin == sequence.origin &&
                  common_length(sequence.tokens, kept.tokens) == size;
         });
}

void KvCache::retire(Sequence& sequence) {
  if (!worth_keeping(sequence)) return release(sequence);
  // What this one continues, such as the turn before of the same chat, adds nothing any more.
  for (auto it = kept_.begin(); it != kept_.end();) {
    const auto next = std::next(it);
    const bool covered = it->origin == sequence.origin &&
                         common_length(it->tokens, sequence.tokens) == size_of(it->tokens);
    if (covered) forget(it);
    it = next;
  }
  SavedSequence saved = save(sequence);
  kept_bytes_ += static_cast<std::int64_t>(saved.state.size());
  kept_.push_back(
      {.origin = sequence.origin, .tokens = std::move(sequence.tokens), .saved = std::move(saved)});
  sequence.tokens.clear();
  while (kept_bytes_ > keep_bytes_) forget(kept_.begin());
}

void KvCache::move_down(Sequence& sequence) {
  if (free_numbers_.empty() || free_numbers_.back() > sequence.seq) return;
  const Seq lower = free_numbers_.back();
  backend_.share(sequence.seq, lower, size_of(sequence.tokens));  // may throw: it takes memory
  free_numbers_.pop_back();
  free_number(std::exchange(sequence.seq, lower));
}

void KvCache::take_number(Sequence& sequence, bool lowest) {
  assert(!free_numbers_.empty());
  const auto number = lowest ? std::prev(free_numbers_.end()) : free_numbers_.begin();
  sequence.seq = *number;
  free_numbers_.erase(number);
}

void KvCache::drop_number(Sequence& sequence) {
  free_number(std::exchange(sequence.seq, -1));
  drop_cells(sequence, 0);
}

void KvCache::free_number(Seq number) {
  backend_.truncate(number, 0);
  free_numbers_.insert(std::ranges::lower_bound(free_numbers_, number, std::greater()), number);
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

void KvCache::forget(std::list<Kept>::iterator kept) {
  kept_bytes_ -= static_cast<std::int64_t>(kept->saved.state.size());
  kept_.erase(kept);
}

}  // namespace lichen::model
