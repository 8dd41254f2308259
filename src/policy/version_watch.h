// Models that go on learning: the version that `lichen distill promote` chose is the one that
// answers, at once and without a restart.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lichen/answerer.h"
#include "model/local_model.h"
#include "policy/bound_files.h"
#include "policy/config.h"

namespace lichen::policy {

/// Has the model use the version that is chosen in its folder (LocalModelOptions::versions), or the
/// one that its options name. `bad_config`: the folder is damaged; `not_found`: there is no such;
/// `bad_model`: the version is for other weights, or cannot be loaded. It then goes on as before.
Result<void> use_chosen_version(model::LocalModel& model);

/// While it lives, follows the folders of those of `models` that have one: another choice is in use
/// a second later. What goes wrong is logged, once for each choice. Where a plan of `config` has
/// files that were made with the model (bound_files.h), the version that they were made with goes
/// on answering until the next start or reload, so that what they promise holds; the log says which
/// of them are to be made anew before that, and how.
class VersionWatch {
 public:
  VersionWatch(const std::vector<ModelPtr>& models, const Config& config);
  ~VersionWatch();
  VersionWatch(const VersionWatch&) = delete;
  VersionWatch& operator=(const VersionWatch&) = delete;

  /// Follows these from now on. Of models that it has followed before, no choice is overlooked.
  /// From any thread.
  void follow(const std::vector<ModelPtr>& models, const Config& config);

 private:
  struct Followed {
    std::shared_ptr<model::LocalModel> model;
    std::filesystem::file_time_type seen;  // of the choice that was looked at last
    bool stays = false;                    // there are files that were made with it
  };
  void run(const std::stop_token& stop);
  void take_up(const Followed& followed) const;

  std::mutex mutex_;
  Config config_;                   // guarded by mutex_
  std::vector<Followed> followed_;  // likewise
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the above
};

}  // namespace lichen::policy
