// A GGUF model in libllama as the lane's backend.
#pragma once

#include <llama.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "model/backend.h"
#include "model/gguf_file.h"
#include "model/llama/compute_pool.h"
#include "model/llama/llama_vocabulary.h"
#include "model/local_model.h"
#include "model/thread_choice.h"

namespace lichen::model {

class LlamaBackend : public Backend {
 public:
  /// `progress` stops the loading when it returns false.
  static Result<std::unique_ptr<LlamaBackend>> open(const LocalModelOptions& options,
                                                    std::shared_ptr<ComputePool> pool,
                                                    std::function<bool(double)> progress);

  const Vocabulary& vocabulary() const override { return *vocabulary_; }
  const Limits& limits() const override { return limits_; }
  Outcome decode(std::span<const BatchToken> batch) override;
  std::span<const float> logits(int index) override;
  std::span<const float> hidden(int index) override;
  void want_hidden(bool wanted) override { hidden_.wanted = wanted; }
  void truncate(Seq seq, int from) override;
  void share(Seq from, Seq to, int length) override;
  std::vector<std::byte> save(Seq seq) override;
  bool restore(Seq seq, std::span<const std::byte> state) override;
  Result<int> load_adapter(const std::filesystem::path& file, float scale) override;
  void use_adapter(int adapter) override;

  const llama_model* model() const { return model_.get(); }
  /// Which threads passes are computed with.
  ThreadChoice& threads() { return *threads_; }
  /// Of the lane.
  int pool_threads() const { return pool_->threads(); }

 private:
  struct FreeModel {
    void operator()(llama_model* model) const { llama_model_free(model); }
  };
  struct FreeContext {
    void operator()(llama_context* context) const { llama_free(context); }
  };
  /// llama_batch with its buffers, which are reused.
  struct Batch {
    explicit Batch(int capacity) : raw(llama_batch_init(capacity, 0, 1)) {}
    ~Batch() { llama_batch_free(raw); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    llama_batch raw;
  };
  struct Adapter {
    llama_adapter_lora* lora;  // the model frees it
    float scale;
  };
  /// The last hidden states of a pass, read while it is computed. libllama's own way to them,
  /// `llama_set_embeddings`, makes every token of a pass an output, which costs as many rows of
  /// logits, and ends the process where these are more than the context was made for.
  struct HiddenStates {
    bool wanted = false;
    ggml_tensor* normed = nullptr;  // of the graph being computed
    /// Rows in the order of computation, which may differ from the batch's where cells are split:
    /// the state, and the first logits, by which a row is found again.
    std::vector<float> states = {};
    std::vector<float> logits = {};
  };

  LlamaBackend() = default;
  Result<void> check_base(const std::filesystem::path& file, const GgufInfo& adapter) const;
  static bool see_tensor(ggml_tensor* tensor, bool ask, void* backend);
  void keep_hidden(const ggml_tensor& logits);
  std::size_t logits_kept() const;

  std::filesystem::path file_;
  std::shared_ptr<ComputePool> pool_;
  std::unique_ptr<llama_model, FreeModel> model_;
  std::unique_ptr<LlamaVocabulary> vocabulary_;
  std::unique_ptr<llama_context, FreeContext> context_;
  std::unique_ptr<Batch> batch_;
  Limits limits_ = {};
  std::vector<Adapter> adapters_;
  HiddenStates hidden_;
  std::unique_ptr<ThreadChoice> threads_;
  int repeatable_threads_ = 0;  // of passes whose result depends on them; 0: no matter
};

}  // namespace lichen::model
