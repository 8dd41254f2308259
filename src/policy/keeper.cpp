#include "policy/keeper.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <ranges>
#include <utility>

namespace lichen::policy {
namespace {

constexpr std::chrono::seconds kInterval{10};
/// Older feedback is for requests that no learner remembers.
constexpr std::size_t kRatings = 512;

std::string key_of(const NamedLearner& learner) { return "learned/" + learner.name; }

}  // namespace

Keeper::Keeper(ledger::Ledger& ledger, std::vector<NamedLearner> learners,
               const std::set<const mechanisms::Learner*>& knowing)
    : ledger_(ledger), learners_(std::move(learners)) {
  if (learners_.empty()) return;
  restore(knowing);
  catch_up();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Keeper::~Keeper() { retire(); }

void Keeper::retire() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  save();
}

void Keeper::feedback(const std::string& request, double score) {
  for (const NamedLearner& named : learners_) named.learner->feedback(request, score);
}

void Keeper::restore(const std::set<const mechanisms::Learner*>& knowing) {
  for (const NamedLearner& named : learners_) {
    if (knowing.contains(named.learner.get())) continue;
    const auto kept = ledger_.kept(key_of(named));
    const std::optional<std::string> state = kept.value_or(std::nullopt);
    Result<void> restored;
    if (!kept) restored = std::unexpected(kept.error());
    if (state) restored = named.learner->restore(*state);
    if (!restored) {
      spdlog::warn("plan `{}` starts learning afresh: {}", named.name, restored.error().detail);
    }
    saved_[named.name] = state.value_or("");
  }
}

void Keeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kInterval, [] { return false; });
    lock.unlock();
    if (stop.stop_requested()) return;
    catch_up();
    save();
  }
}

void Keeper::catch_up() {
  const Result<std::vector<ledger::Rating>> ratings = ledger_.ratings(kRatings);
  if (!ratings) return;  // the ledger's own health tells
  for (const auto& [receipt, score] : *ratings | std::views::reverse) feedback(receipt, score);
}

void Keeper::save() {
  for (const NamedLearner& named : learners_) {
    std::string state = named.learner->state();
    std::string& saved = saved_[named.name];
    if (state == saved) continue;
    if (Result<void> kept = ledger_.keep(key_of(named), state); kept) {
      saved = std::move(state);
      warned_ = false;
    } else if (!std::exchange(warned_, true)) {
      spdlog::warn("what plan `{}` has learned cannot be kept: {}", named.name,
                   kept.error().detail);
    }
  }
}

}  // namespace lichen::policy
