// The vault of one request: what all calls of models on its behalf share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/turn.h"
#include "mechanisms/privacy/mask_rules.h"
#include "mechanisms/privacy/request_texts.h"
#include "privacy/mask.h"
#include "privacy/unmask.h"
#include "privacy/vault.h"

namespace lichen::mechanisms {

/// Made where a request enters a `mask`, shared by the turn's children and its work for later, and
/// gone with the last of them. As the turn's egress check it looks at all that leaves. Safe to use
/// from any thread.
class RequestVault : public EgressCheck, public std::enable_shared_from_this<RequestVault> {
 public:
  /// `outer`: the check that the turn had before, which goes on; may be null. Where that is another
  /// `mask`'s vault, no placeholder means a value of both.
  RequestVault(std::shared_ptr<MaskRules> rules, std::shared_ptr<EgressCheck> outer);

  /// The one that these rules have made for the turn, or a new one, where the turn has not come
  /// through their `mask`.
  static std::shared_ptr<RequestVault> of(const Turn& turn,
                                          const std::shared_ptr<MaskRules>& rules);

  /// Makes it one of the turn's checks, unless it is already.
  void watch(Turn& turn);

  struct Masked {
    std::vector<std::string> texts;   // as many as were given
    privacy::KindCounts counts = {};  // placeholders in them
    std::size_t known = 0;            // `size` when they were masked
  };
  /// Keeps what is private in the texts and puts placeholders in its place (privacy::mask). A text
  /// that was looked through before is not again. `bad_request`: a text is not UTF-8; or what
  /// `names` says.
  awaitable<Result<Masked>> mask(std::vector<PrivateText> texts, Turn& turn);

  /// A value that a text breaks off in.
  struct OpenValue {
    privacy::Kind kind;
    std::size_t begin;        // where in the text
    std::string placeholder;  // of the whole value
    std::string rest;         // of the value; empty where several could be meant
  };
  /// At the text's end: at least half of a value, and of a name at least to within a word.
  std::optional<OpenValue> open_value(std::string_view text);

  /// A remark of ours that may quote models, for the receipt or an error: with placeholders for
  /// what is private, also for values that a quotation breaks off in. Names are not looked for
  /// anew.
  std::string without_values(std::string remark);

  /// Puts back what looked like placeholders before it was masked.
  std::string with_literals(std::string masked) const;

  /// Of its placeholders and those of vaults around it and in it.
  const std::shared_ptr<privacy::PlaceholderSeries>& series() const { return vault_.series(); }

  /// How much is known. What is masked later may differ only if this has grown.
  std::size_t size() const;

  /// privacy::check_egress, noted in the turn's receipt where it refuses; then the outer check.
  Result<void> check(std::string_view body, Turn& turn) override;

 private:
  friend class Restorer;

  awaitable<Result<privacy::Spans>> find(std::vector<PrivateText> texts, Turn& turn);

  const std::shared_ptr<MaskRules> rules_;
  const std::shared_ptr<EgressCheck> outer_;

  mutable std::mutex mutex_;
  privacy::Vault vault_;                                    // guarded by mutex_
  std::map<std::string, std::vector<privacy::Span>> seen_;  // likewise; by a text's hash
};

/// privacy::Unmasker over a vault that others may use meanwhile.
class Restorer {
 public:
  Restorer(std::shared_ptr<const RequestVault> vault, privacy::Setting setting)
      : vault_(std::move(vault)), unmasker_(vault_->vault_, setting) {}

  std::string push(std::string_view piece);
  std::string finish();
  bool holds_back() const { return unmasker_.held() > 0; }

 private:
  const std::shared_ptr<const RequestVault> vault_;
  privacy::Unmasker unmasker_;
};

/// What mechanisms say of their decisions, behind the first `seen`, quotes models: without values.
void hide_values(RequestVault& vault, Receipt& receipt, std::size_t seen);

/// `work` with `vault` as its turn's egress check, and nothing private in its receipt.
Turn::Later under(std::shared_ptr<RequestVault> vault, Turn::Later work);

}  // namespace lichen::mechanisms
