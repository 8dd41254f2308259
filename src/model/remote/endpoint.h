// Where a remote model is: its url and key, checked once when it is opened.
#pragma once

#include <string>

#include "lichen/result.h"
#include "model/remote/connection.h"
#include "model/remote_model.h"

namespace lichen::model {

struct Endpoint {
  Host host;
  std::string authority;  // for the Host header: "api.example.com", "[::1]:8080"
  std::string path;       // without a slash at the end: "/v1"
  std::string query;      // with its question mark, or empty
  std::string key;        // never in a message, never in a log

  /// The request target for one of the API's paths ("/chat/completions").
  std::string target(const std::string& api) const { return path + api + query; }
};

/// Takes the url apart and reads the key from its environment variable. `bad_config` says what is
/// wrong with the url, the variable, or the two together (a key over plain http).
Result<Endpoint> parse_endpoint(const UpstreamOptions& options, bool allow_insecure);

}  // namespace lichen::model
