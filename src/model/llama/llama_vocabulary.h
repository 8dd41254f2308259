// libllama's vocabulary, with the bytes of every token at hand.
#pragma once

#include <llama.h>

#include <string>
#include <vector>

#include "model/vocabulary.h"

namespace lichen::model {

class LlamaVocabulary : public Vocabulary {
 public:
  /// `vocab` belongs to a model that outlives this.
  explicit LlamaVocabulary(const llama_vocab* vocab);

  int size() const override { return static_cast<int>(ends_.size()); }
  Result<std::vector<Token>> tokenize(std::string_view text, bool special) const override;
  std::string_view piece(Token token) const override;
  bool ends(Token token) const override { return ends_[static_cast<std::size_t>(token)]; }

 private:
  const llama_vocab* vocab_;
  std::string bytes_;                   // of all tokens, one after the other
  std::vector<std::uint32_t> offsets_;  // size() + 1
  std::vector<bool> ends_;
};

}  // namespace lichen::model
