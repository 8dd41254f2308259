// Whether the endpoints of a remote model can be connected to.
#pragma once

#include <string>
#include <vector>

#include "model/remote_model.h"

namespace lichen::model {

struct Reach {
  std::string name;        // host and port
  double connect_ms = 0;   // name look-up, TCP and TLS
  std::string error = {};  // why there is no connection; empty: there is one
};

/// Connects to each of them, one after another, and hangs up: nothing is asked of them, and no key
/// is sent. Blocks for up to `connect_timeout` each. `bad_config` as open_remote_model.
Result<std::vector<Reach>> reach(const RemoteModelOptions& options);

}  // namespace lichen::model
