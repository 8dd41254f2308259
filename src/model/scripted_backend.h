// A model that computes nothing: its next token is a function of the tokens before. It keeps the
// books of a KV cache as libllama does, so that whatever the lane gets wrong shows in the answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/backend.h"
#include "model/local_model.h"

namespace lichen::model {

/// Tokens 0 to 255 are bytes, 256 ends an answer.
class ByteVocabulary : public Vocabulary {
 public:
  static constexpr Token kEnd = 256;
  ByteVocabulary();
  int size() const override { return kEnd + 1; }
  Result<std::vector<Token>> tokenize(std::string_view text, bool special) const override;
  std::string_view piece(Token token) const override;
  bool ends(Token token) const override { return token == kEnd; }

 private:
  std::string bytes_;
};

class ScriptedBackend : public Backend {
 public:
  /// The likeliest next token after `before`.
  using Script = std::function<Token(std::span<const Token> before)>;

  ScriptedBackend(Limits limits, Script script);

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const Limits& limits() const override { return limits_; }
  Outcome decode(std::span<const BatchToken> batch) override;
  std::span<const float> logits(int index) override;
  std::span<const float> hidden(int index) override;
  void want_hidden(bool) override {}
  void truncate(Seq seq, int from) override;
  void share(Seq from, Seq to, int length) override;
  std::vector<std::byte> save(Seq seq) override;
  bool restore(Seq seq, std::span<const std::byte> state) override;
  Result<int> load_adapter(const std::filesystem::path& file, float scale) override;
  void use_adapter(int adapter) override { adapter_ = adapter; }

  /// Called before each decode with the batch; false makes it fail.
  std::function<bool(std::span<const BatchToken>)> on_decode = {};
  /// How sure it is of the script's token: that token's logit, where all others have 0.
  std::function<float(std::span<const Token> before)> sureness = {};
  /// Cells that any sequence holds. Lane's thread only.
  int used_cells() const;

 private:
  struct Cell {  // shared by all sequences that hold it
    Token token;
    int adapter;
  };
  using Cells = std::vector<std::shared_ptr<Cell>>;

  const Limits limits_;
  const Script script_;
  ByteVocabulary vocabulary_;
  std::map<Seq, Cells> sequences_;
  std::map<int, std::vector<float>> rows_;  // by the batch's index
  std::map<int, std::vector<float>> hidden_;
  int adapters_ = 0;
  int adapter_ = 0;
};

/// A script whose next byte is a hash of all tokens before: printable, and different as soon as
/// one token of the past differs. It ends after `length` tokens at the latest.
ScriptedBackend::Script hashing_script(int length);

/// A local model on `lane` with that backend; chats are rendered as "role: content\n", and "<call>"
/// in a reply begins a tool call.
std::shared_ptr<LocalModel> make_scripted_local_model(std::string name, std::shared_ptr<Lane> lane,
                                                      std::unique_ptr<ScriptedBackend> backend,
                                                      LocalModelOptions options = {},
                                                      StepTimes times = {});

}  // namespace lichen::model
