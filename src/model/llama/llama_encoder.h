// A GGUF encoder in libllama: non-causal attention, no KV cache, states instead of logits.
#pragma once

#include <llama.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/lane.h"
#include "model/llama/compute_pool.h"
#include "model/llama/llama_vocabulary.h"
#include "model/token_encoder.h"

namespace lichen::model {

class LlamaEncoder : public TokenEncoder {
 public:
  /// `bad_model`: libllama cannot load it; `unsupported`: it is no encoder. The file has passed
  /// `inspect_gguf`.
  static Result<std::shared_ptr<LlamaEncoder>> open(const std::filesystem::path& gguf,
                                                    std::shared_ptr<Lane> lane);

  const std::string& name() const override { return name_; }
  const Vocabulary& vocabulary() const override { return *vocabulary_; }
  int width() const override { return width_; }
  int pass_tokens() const override;
  int pass_texts() const override;
  awaitable<Result<std::vector<float>>> encode(std::vector<std::vector<Token>> texts,
                                               Turn& turn) override;

 private:
  struct FreeModel {
    void operator()(llama_model* model) const { llama_model_free(model); }
  };
  struct FreeContext {
    void operator()(llama_context* context) const { llama_free(context); }
  };

  LlamaEncoder() = default;
  awaitable<Result<std::vector<float>>> encode_on_lane(std::vector<std::vector<Token>> texts);

  std::string name_;
  std::shared_ptr<Lane> lane_;
  std::unique_ptr<llama_model, FreeModel> model_;
  std::unique_ptr<LlamaVocabulary> vocabulary_;
  std::unique_ptr<llama_context, FreeContext> context_;  // the lane's thread only
  int width_ = 0;
};

}  // namespace lichen::model
