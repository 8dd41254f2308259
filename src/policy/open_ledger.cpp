#include "policy/open_ledger.h"

namespace lichen::policy {

Result<std::unique_ptr<ledger::Ledger>> open_ledger(const LedgerConfig& config) {
  if (config.path == "none") return ledger::Ledger::in_memory();
  if (!config.server.url.empty()) return ledger::Ledger::connect(config.server);
  Result<std::string> place = ledger_place(config);
  if (!place) return std::unexpected(std::move(place).error());
  return ledger::Ledger::open(*std::move(place));
}

Result<std::string> ledger_place(const LedgerConfig& config) {
  if (!config.path.empty()) return config.path.string();
  if (!config.server.url.empty()) return config.server.url;
  Result<std::filesystem::path> path = ledger::default_path();
  if (!path) return std::unexpected(std::move(path).error());
  return path->string();
}

bool same_place(const LedgerConfig& one, const LedgerConfig& other) {
  return one.path == other.path && one.server == other.server;
}

}  // namespace lichen::policy
