// Keeps what mechanisms learn over restarts, and hands them all feedback.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ledger/ledger.h"
#include "policy/plan.h"

namespace lichen::policy {

/// On a thread of its own it writes to the ledger what has changed, every ten seconds and at the
/// end of its life, and looks for feedback that other processes have put there (`lichen feedback`).
/// What cannot be read or written is a warning in the log: learning then starts afresh, or is tried
/// again. Without learners it does nothing. The ledger outlives it. Safe to use from any thread.
class Keeper {
 public:
  /// Restores what the ledger has, except of learners in `knowing`, which know it already. Blocks.
  Keeper(ledger::Ledger& ledger, std::vector<NamedLearner> learners,
         const std::set<const mechanisms::Learner*>& knowing = {});
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void feedback(const std::string& request, double score);
  /// Writes what has changed, for the last time: another looks after the ledger from now on.
  /// Blocks; not beside itself.
  void retire();

 private:
  void restore(const std::set<const mechanisms::Learner*>& knowing);
  void run(const std::stop_token& stop);
  void catch_up();
  void save();

  ledger::Ledger& ledger_;
  const std::vector<NamedLearner> learners_;
  std::map<std::string, std::string> saved_;  // by learner; the thread's, once it runs
  bool warned_ = false;                       // likewise: that writing fails
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace lichen::policy
