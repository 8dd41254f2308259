// Who is large, and which two models alone everything is compared with.
#pragma once

#include <set>
#include <string>

#include "policy/config.h"

namespace lichen::eval {

struct Baselines {
  std::set<std::string> large = {};  // names of the models that count as large
  /// The models whose answers alone are the ends of every frontier; empty where there is none.
  std::string small_alone = {};
  std::string large_alone = {};
};

/// The models of a configuration that count as large when nobody says: the one named `large`, else
/// the one with the dearest output tokens, else a remote one, else the one with the largest file.
/// Empty when there is only one model.
std::set<std::string> large_models(const policy::Config& config);

/// `large`: names of models; where it is empty, those of `large_models`. Small alone is the model
/// named `small`, else the cheapest, local, smallest one that is not large; large alone the
/// dearest, remote, largest of the large ones.
Baselines baselines_of(const policy::Config& config, std::set<std::string> large);

/// The configuration to open a runtime with whose plans are compared: without a ledger, since a
/// measurement is no traffic and waits for no disk; without prefix caches, since all plans answer
/// the same prompts and the later ones would find what the earlier ones have computed; and
/// repeatable, since two measurements shall differ in no token. Nothing is watched by `shadow`: a
/// measurement shall raise no alarm. Cascades stop drafts early only where they say so: the curves
/// need whole scores.
policy::Config for_measuring(policy::Config config);

}  // namespace lichen::eval
