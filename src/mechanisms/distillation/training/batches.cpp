#include "mechanisms/distillation/training/batches.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <random>
#include <utility>

namespace lichen::training {

namespace {

std::vector<std::int64_t> lengths_of(std::span<const Example> examples) {
  std::vector<std::int64_t> lengths(examples.size());
  std::ranges::transform(examples, lengths.begin(), &Example::length);
  return lengths;
}

/// Appends the targets of one example, in rows of `width`.
void append_targets(Batch& batch, const Example& example) {
  const auto padding = static_cast<std::size_t>(batch.width - example.width);
  const auto width = static_cast<std::size_t>(example.width);
  constexpr float kNever = -100;
  for (std::size_t i = 0; i < example.answer.size(); ++i) {
    const auto from = static_cast<std::ptrdiff_t>(i * width);
    const auto to = static_cast<std::ptrdiff_t>((i + 1) * width);
    batch.logprobs.insert(batch.logprobs.end(), example.logprobs.begin() + from,
                          example.logprobs.begin() + to);
    batch.logprobs.insert(batch.logprobs.end(), padding, kNever);
    if (example.ids.empty()) continue;
    batch.ids.insert(batch.ids.end(), example.ids.begin() + from, example.ids.begin() + to);
    batch.ids.insert(batch.ids.end(), padding, -1);
  }
  batch.tail.insert(batch.tail.end(), example.tail.begin(), example.tail.end());
}

}  // namespace

Batch make_batch(std::span<const Example> examples, std::span<const std::size_t> members) {
  Batch batch{.sequences = static_cast<std::int64_t>(members.size())};
  for (const std::size_t member : members) {
    batch.length = std::max(batch.length, examples[member].length());
    batch.width = std::max(batch.width, examples[member].width);
  }
  for (const std::size_t member : members) {
    const Example& example = examples[member];
    assert(!example.prompt.empty());
    const std::size_t begin = batch.tokens.size();
    batch.tokens.insert(batch.tokens.end(), example.prompt.begin(), example.prompt.end());
    batch.tokens.insert(batch.tokens.end(), example.answer.begin(), example.answer.end());
    batch.tokens.resize(begin + static_cast<std::size_t>(batch.length));
    for (std::size_t i = 0; i < example.answer.size(); ++i) {
      batch.rows.push_back(static_cast<std::int64_t>(begin + example.prompt.size() + i - 1));
      batch.next.push_back(example.answer[i]);
      batch.weights.push_back(example.weight);
    }
    if (batch.width > 0) append_targets(batch, example);
  }
  return batch;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // std::shuffle is another one in every standard library. The remainder's bias is below 1e-12.
  std::mt19937_64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

BatchOrder::BatchOrder(std::span<const Example> examples, std::int64_t batch_tokens,
                       std::uint64_t seed)
    : lengths_(lengths_of(examples)), batch_tokens_(batch_tokens), seed_(seed) {
  assert(!examples.empty());
  seek(0);
}

std::vector<BatchMembers> BatchOrder::epoch(std::uint64_t number) const {
  std::vector<std::size_t> order = shuffled(lengths_.size(), seed_ * 1'000'003 + number * 2);
  // By length within stretches of the order, so that padding is little and batches stay mixed.
  constexpr std::size_t kStretch = 2'048;
  std::vector<BatchMembers> batches;
  for (std::size_t begin = 0; begin < order.size(); begin += kStretch) {
    const auto stretch = std::span(order).subspan(begin, std::min(kStretch, order.size() - begin));
    std::vector<std::pair<std::int64_t, std::size_t>> by_length;  // and then as drawn
    for (std::size_t i = 0; i < stretch.size(); ++i) {
      by_length.emplace_back(lengths_[stretch[i]], i);
    }
    std::ranges::sort(by_length);
    BatchMembers batch;
    for (const auto& [length, place] : by_length) {
      const auto with = static_cast<std::int64_t>(batch.size() + 1) * length;
      if (!batch.empty() && with > batch_tokens_) batches.push_back(std::exchange(batch, {}));
      batch.push_back(stretch[place]);
    }
    batches.push_back(std::move(batch));
  }
  std::vector<BatchMembers> mixed;
  mixed.reserve(batches.size());
  for (const std::size_t i : shuffled(batches.size(), seed_ * 1'000'003 + number * 2 + 1)) {
    mixed.push_back(std::move(batches[i]));
  }
  return mixed;
}

const BatchMembers& BatchOrder::next() {
  if (place_ == current_.size()) {
    current_ = epoch(++epoch_);
    place_ = 0;
  }
  ++taken_;
  return current_[place_++];
}

void BatchOrder::seek(std::uint64_t taken) {
  taken_ = taken;
  for (epoch_ = 0;; ++epoch_) {
    current_ = epoch(epoch_);
    if (taken <= current_.size()) break;
    taken -= current_.size();
  }
  place_ = taken;
}

std::uint64_t BatchOrder::batches(std::uint64_t epochs) const {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < epochs; ++i) count += epoch(i).size();
  return count;
}

}  // namespace lichen::training
