#include "model/grammar_matcher.h"

#include <algorithm>
#include <utility>

namespace lichen::model {
namespace {

using Kind = Grammar::Kind;

constexpr std::int32_t kNone = -1;  // the state and call behind the root: the text is complete

}  // namespace

GrammarMatcher::GrammarMatcher(std::shared_ptr<const Grammar> grammar, std::uint64_t steps)
    : grammar_(std::move(grammar)), frames_(1), limit_(steps), entered_(grammar_->starts.size()) {
  ++place_;
  calls_.push_back({});
  entered_[static_cast<std::size_t>(grammar_->root)] = {place_, 0};
  returns_.push_back({{kNone, kNone}, kNone});
  calls_.front().returns = 0;
  add({grammar_->starts[static_cast<std::size_t>(grammar_->root)], 0});
  close(frames_.front());
}

bool GrammarMatcher::push(unsigned char byte) {
  const Frame& now = frames_[depth_];
  std::uint32_t character = byte;
  int missing = 0;
  std::uint32_t least = 0;
  if (now.missing > 0) {
    if ((byte & 0xC0) != 0x80) return false;
    character = now.character << 6 | (byte & 0x3FU);
    missing = now.missing - 1;
    least = now.least;
  } else if (byte >= 0x80) {
    if (byte < 0xC2 || byte > 0xF4) return false;
    missing = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    character = byte & (0x3FU >> missing);
    least = missing == 3 ? 0x10000 : missing == 2 ? 0x800 : 0x80;
  }
  if (missing == 0) {
    const bool surrogate = character >= 0xD800 && character < 0xE000;
    return character >= least && !surrogate && step(character);
  }
  Frame& next = next_frame();
  next.items = frames_[depth_].items;
  next.complete = frames_[depth_].complete;
  next.character = character;
  next.missing = missing;
  next.least = least;
  ++depth_;
  return true;
}

void GrammarMatcher::pop(std::size_t length) {
  depth_ = length;
  calls_.resize(frames_[depth_].calls);
  returns_.resize(frames_[depth_].returns);
}

void GrammarMatcher::keep() {
  std::swap(frames_[0], frames_[depth_]);
  depth_ = 0;
}

bool GrammarMatcher::viable() const {
  const Frame& now = frames_[depth_];
  if (now.missing == 0) return true;
  const int bits = 6 * now.missing;
  const std::uint32_t first = std::max(now.character << bits, now.least);
  const std::uint32_t last = (now.character << bits) | ((1U << bits) - 1);
  return std::ranges::any_of(now.items, [&](const Item& item) { return reads(item, first, last); });
}

GrammarMatcher::Frame& GrammarMatcher::next_frame() {
  if (frames_.size() == depth_ + 1) frames_.emplace_back();
  Frame& frame = frames_[depth_ + 1];
  frame.items.clear();
  frame.complete = false;
  frame.missing = 0;
  frame.calls = calls_.size();
  frame.returns = returns_.size();
  return frame;
}

/// Whether the item's state takes some character of these.
bool GrammarMatcher::reads(const Item& item, std::uint32_t first, std::uint32_t last) const {
  const Grammar::Class& ranges =
      grammar_->classes[static_cast<std::size_t>(state(item.state).other)];
  const auto found = std::ranges::lower_bound(ranges, first, {}, &Grammar::Range::last);
  return found != ranges.end() && found->first <= last;
}

bool GrammarMatcher::step(std::uint32_t character) {
  Frame& next = next_frame();
  ++place_;
  first_new_ = static_cast<std::int32_t>(calls_.size());
  seen_.clear();
  for (const Item& item : frames_[depth_].items) {
    ++work_;
    if (reads(item, character, character)) add({state(item.state).next, item.call});
  }
  if (open_.empty()) return false;
  close(next);
  if (next.items.empty() && !next.complete) {  // it would lead nowhere
    pop(depth_);
    return false;
  }
  ++depth_;
  return true;
}

/// Follows all that needs no character.
void GrammarMatcher::close(Frame& frame) {
  while (!open_.empty() && !exhausted()) {
    const Item item = open_.back();
    open_.pop_back();
    if (item.state == kNone) {
      frame.complete = true;
      continue;
    }
    const Grammar::State& here = state(item.state);
    switch (here.kind) {
      case Kind::fork:
        add({here.next, item.call});
        if (here.other >= 0) add({here.other, item.call});
        break;
      case Kind::read: frame.items.push_back(item); break;
      case Kind::call: enter(item, here); break;
      case Kind::done:
        call(item.call).finished = true;
        for (std::int32_t i = call(item.call).returns; i >= 0;) {
          const Return& back = returns_[static_cast<std::size_t>(i)];
          add(back.to);
          i = back.next;
        }
        break;
    }
  }
  open_.clear();
  frame.calls = calls_.size();
  frame.returns = returns_.size();
}

void GrammarMatcher::enter(Item caller, const Grammar::State& here) {
  Entered& entered = entered_[static_cast<std::size_t>(here.other)];
  if (entered.place != place_) {
    entered = {place_, static_cast<std::int32_t>(calls_.size())};
    calls_.push_back({});
    add({grammar_->starts[static_cast<std::size_t>(here.other)], entered.call});
  }
  add_return(entered.call, {here.next, caller.call});
}

/// Where only the end of the caller's rule would follow, its own returns take its place: so lists
/// that are written as recursion (`list ::= item list | ""`) need no longer way back for each item.
/// A caller that was entered at this place may still get returns, and stays.
void GrammarMatcher::add_return(std::int32_t callee, Item to) {
  todo_.assign(1, to);
  ++visit_;
  while (!todo_.empty() && !exhausted()) {
    const Item item = todo_.back();
    todo_.pop_back();
    ++work_;
    if (item.state != kNone && state(item.state).last && !is_new(item.call)) {
      Call& passed = call(item.call);
      if (std::exchange(passed.visited, visit_) == visit_) continue;
      for (std::int32_t i = passed.returns; i >= 0;) {
        const Return& back = returns_[static_cast<std::size_t>(i)];
        todo_.push_back(back.to);
        i = back.next;
      }
      continue;
    }
    bool known = false;
    for (std::int32_t i = call(callee).returns; i >= 0 && !known;) {
      const Return& back = returns_[static_cast<std::size_t>(i)];
      known = back.to.state == item.state && back.to.call == item.call;
      i = back.next;
      ++work_;
    }
    if (known) continue;
    returns_.push_back({item, call(callee).returns});
    call(callee).returns = static_cast<std::int32_t>(returns_.size()) - 1;
    if (call(callee).finished) add(item);
  }
}

void GrammarMatcher::add(Item item) {
  ++work_;
  if (seen_.insert(item)) open_.push_back(item);
}

void GrammarMatcher::Seen::clear() {
  ++round_;
  count_ = 0;
}

bool GrammarMatcher::Seen::insert(Item item) {
  if (2 * count_ >= slots_.size()) grow();
  const std::uint64_t mixed = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(item.state)) |
                               static_cast<std::uint64_t>(item.call) << 32) *
                              0x9E37'79B9'7F4A'7C15U;
  for (std::size_t i = mixed >> 32;; ++i) {
    Slot& slot = slots_[i & (slots_.size() - 1)];
    if (slot.round != round_) {
      slot = {item, round_};
      ++count_;
      return true;
    }
    if (slot.item.state == item.state && slot.item.call == item.call) return false;
  }
}

void GrammarMatcher::Seen::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  const std::uint64_t round = std::exchange(round_, 1);
  count_ = 0;
  for (const Slot& slot : old) {
    if (slot.round == round) insert(slot.item);
  }
}

}  // namespace lichen::model
