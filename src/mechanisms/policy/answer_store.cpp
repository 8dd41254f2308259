#include "mechanisms/policy/answer_store.h"

#include <Eigen/Core>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <iterator>
#include <utility>

namespace lichen::mechanisms {
namespace {

std::size_t size_of(const Answer& answer) {
  std::size_t size =
      sizeof(Answer) + answer.text.size() + answer.reasoning.size() + answer.stop_string.size();
  if (!answer.tool_calls.empty()) size += 4 * boost::json::serialize(answer.tool_calls).size();
  for (const AnswerToken& token : answer.tokens) {
    size += sizeof(AnswerToken) + token.text.size();
    for (const TokenLogprob& other : token.top) size += sizeof(TokenLogprob) + other.text.size();
  }
  for (const Stretch& author : answer.authors) size += sizeof(Stretch) + author.model.size();
  for (const Citation& place : answer.citations) size += sizeof(Citation) + place.text.size();
  return size;
}

/// About what it takes in memory, tables included.
std::size_t size_of(const StoredAnswer& stored) {
  constexpr std::size_t kTables = 512;
  std::size_t size = kTables + size_of(stored.answer);
  if (stored.question) {
    size += stored.question->embedding.size() * sizeof(float);
    for (const std::string& fact : stored.question->facts) size += sizeof(fact) + fact.size();
  }
  return size;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  const auto width = static_cast<Eigen::Index>(a.size());
  return static_cast<double>(Eigen::Map<const Eigen::VectorXf>(a.data(), width)
                                 .dot(Eigen::Map<const Eigen::VectorXf>(b.data(), width)));
}

}  // namespace

std::size_t AnswerStore::Hash::operator()(const base::Sha256& digest) const {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

StoredPtr AnswerStore::find(const base::Sha256& key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  drop_expired(now);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->stored;
}

AnswerStore::Nearest AnswerStore::nearest(const Question& question, Clock::time_point now) const {
  std::vector<StoredPtr> candidates;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_around_.find(question.around);
    if (found != by_around_.end()) candidates = found->second;
  }
  Nearest nearest;
  nearest.cosine = nearest.vetoed_cosine = -1;
  for (StoredPtr& candidate : candidates) {
    const Question& other = *candidate->question;
    if (expired(*candidate, now) || other.embedding.size() != question.embedding.size()) continue;
    const double cosine = dot(question.embedding, other.embedding);
    if (other.facts != question.facts) {
      nearest.vetoed_cosine = std::max(nearest.vetoed_cosine, cosine);
    } else if (cosine > nearest.cosine) {
      nearest.cosine = cosine;
      nearest.stored = std::move(candidate);
    }
  }
  nearest.vetoed = nearest.vetoed_cosine > nearest.cosine;
  return nearest;
}

void AnswerStore::used(const StoredPtr& stored) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(stored->key);
  if (found != by_key_.end()) by_use_.splice(by_use_.begin(), by_use_, found->second);
}

void AnswerStore::put(StoredPtr stored) {
  const std::size_t bytes = size_of(*stored);
  const std::lock_guard lock(mutex_);
  drop_expired(stored->made);
  if (const auto before = by_key_.find(stored->key); before != by_key_.end()) drop(before->second);
  if (bytes > bounds_.bytes || bounds_.entries == 0) return;
  while (!by_use_.empty() &&
         (by_use_.size() >= bounds_.entries || bytes_ + bytes > bounds_.bytes)) {
    drop(std::prev(by_use_.end()));
    ++evictions_;
  }
  by_use_.push_front({.stored = std::move(stored), .bytes = bytes, .number = next_number_++});
  const auto entry = by_use_.begin();
  by_key_[entry->stored->key] = entry;
  by_age_[entry->number] = entry;
  if (entry->stored->question) {
    by_around_[entry->stored->question->around].push_back(entry->stored);
  }
  bytes_ += bytes;
}

AnswerStore::Figures AnswerStore::figures() const {
  const std::lock_guard lock(mutex_);
  return {.entries = by_use_.size(), .bytes = bytes_, .evictions = evictions_};
}

void AnswerStore::drop(Entries::iterator entry) {
  if (entry->stored->question) {
    const auto group = by_around_.find(entry->stored->question->around);
    std::erase(group->second, entry->stored);
    if (group->second.empty()) by_around_.erase(group);
  }
  by_key_.erase(entry->stored->key);
  by_age_.erase(entry->number);
  bytes_ -= entry->bytes;
  by_use_.erase(entry);
}

void AnswerStore::drop_expired(Clock::time_point now) {
  while (!by_age_.empty() && expired(*by_age_.begin()->second->stored, now)) {
    drop(by_age_.begin()->second);
  }
}

}  // namespace lichen::mechanisms
