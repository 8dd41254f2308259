// The configuration file, read and checked: models, plans, server, ledger.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "ledger/ledger.h"
#include "lichen/result.h"
#include "model/local_model.h"
#include "model/remote_model.h"
#include "policy/yaml.h"

namespace lichen::policy {

struct ModelConfig {
  std::string name;
  std::variant<model::LocalModelOptions, model::RemoteModelOptions> options;
  int line = 0;
};

struct PlanConfig {
  std::string name;
  YamlNode expression;  // checked when the plan is built
  int line = 0;
};

struct ServeConfig {
  std::string host = "127.0.0.1";
  int port = 8080;        // 0: any that is free
  int line = 0;           // where the block begins
  std::string plan = {};  // the default plan or model; empty: "default", else the only plan,
                          // else the only model
  int plan_line = 0;
  bool watch = false;              // the configuration is loaded again when its file changes
  std::string api_key_env = {};    // variable with the key that clients must send
  std::string admin_key_env = {};  // variable with the key that opens /v1/admin
  bool keys = false;               // clients must send a virtual key, or that of api_key_env
  int io_threads = 1;
  int max_connections = 1'024;
  int max_turns = 1'024;                // answers in progress at once
  int max_connections_per_address = 0;  // 0: as many as there may be at all
  std::size_t max_body_bytes = 16u << 20;
  /// Names in Host that are served beside localhost's, and origins of web pages that may ask (CORS;
  /// "*": any).
  std::vector<std::string> hosts = {};
  std::vector<std::string> origins = {};
  int max_messages = 1'024;
  int max_tokens = 0;  // cap on a request's max_tokens; 0: the model's context
  std::chrono::milliseconds deadline{600'000};  // of a request
};

struct LedgerConfig {
  std::filesystem::path path = {};  // "none": no ledger; empty: the server's
  ledger::Server server = {};       // without a url, too: $XDG_STATE_HOME/lichen/ledger.db
  /// A reply ends only when its receipt is on disk.
  bool durable = false;
  /// Plans and models whose prompts are kept, too.
  std::vector<std::string> record = {};
  int record_line = 0;
};

struct Config {
  std::filesystem::path file;  // for error messages; relative paths start from its folder
  std::vector<ModelConfig> models;
  std::vector<ModelConfig> ready = {};  // described, but loaded already and handed in as they are
  std::vector<PlanConfig> plans;
  ServeConfig serve;
  LedgerConfig ledger;
  bool offline = false;  // remote models are there, but each call fails at once with `offline`
};

/// Reads a YAML file. Unknown keys, wrong types and values out of range are `bad_config` with file,
/// line, and what would be right; a file that is not there is `not_found`.
Result<Config> load_config(const std::filesystem::path& file);
/// The same from memory; `file` is for messages and relative paths.
Result<Config> parse_config(const std::string& yaml, const std::filesystem::path& file);

}  // namespace lichen::policy
