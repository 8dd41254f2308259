// Tokens of an answer with placeholders in it, as tokens of the answer without.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "lichen/turn.h"
#include "mechanisms/privacy/request_vault.h"

namespace lichen::mechanisms {

/// The tokens of a placeholder become one: its text is the value, with what else they hold, its
/// log-probability the sum of theirs, and it has no alternatives. All others stay as they are. So
/// the tokens' texts are, put together, the restored text.
class RestoredTokens {
 public:
  RestoredTokens(std::shared_ptr<const RequestVault> vault, privacy::Setting setting)
      : restorer_(std::move(vault), setting) {}

  /// What is complete now.
  std::vector<AnswerToken> push(std::vector<AnswerToken> tokens);
  /// The rest, when no more tokens come.
  std::vector<AnswerToken> finish();

 private:
  void close(std::vector<AnswerToken>& out);

  Restorer restorer_;
  std::vector<AnswerToken> open_;  // since the restorer last held nothing back
  std::string text_;               // of them, restored
};

}  // namespace lichen::mechanisms
