#include "model/llama/llama_encoder.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace lichen::model {
namespace {

namespace asio = boost::asio;

// Attention is computed over all tokens of a pass by all, whichever text they belong to, so a
// longer pass costs more for each token; a shorter one leaves threads without work.
constexpr int kPassTokens = 256;
constexpr int kPassTexts = 64;

constexpr std::string_view kArchitecture = "llama-embed";

struct Batch {
  explicit Batch(int capacity) : raw(llama_batch_init(capacity, 0, 1)) {}
  ~Batch() { llama_batch_free(raw); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  llama_batch raw;
};

std::string architecture_of(const llama_model* model) {
  std::string name(64, '\0');
  const int length =
      llama_model_meta_val_str(model, "general.architecture", name.data(), name.size());
  name.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return name;
}

}  // namespace

Result<std::shared_ptr<LlamaEncoder>> LlamaEncoder::open(const std::filesystem::path& gguf,
                                                         std::shared_ptr<Lane> lane) {
  const std::string file = gguf.string();
  std::shared_ptr<LlamaEncoder> encoder(new LlamaEncoder);
  encoder->name_ = gguf.stem().string();
  encoder->lane_ = std::move(lane);
  llama_model_params model_params = llama_model_default_params();
  model_params.n_gpu_layers = 0;  // it is over sooner than its weights would be on a GPU
  model_params.load_mode = LLAMA_LOAD_MODE_NONE;
  encoder->model_.reset(llama_model_load_from_file(file.c_str(), model_params));
  llama_model* model = encoder->model_.get();
  if (model == nullptr) return fail(Errc::bad_model, file + ": libllama cannot load this model");
  if (const std::string architecture = architecture_of(model); architecture != kArchitecture) {
    return fail(Errc::unsupported, file + ": a model of architecture `" + architecture +
                                       "` answers; an encoder, `" + std::string(kArchitecture) +
                                       "`, is needed");
  }
  const llama_vocab* vocab = llama_model_get_vocab(model);
  if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE) {
    return fail(Errc::unsupported, file + ": the model has no vocabulary");
  }
  encoder->vocabulary_ = std::make_unique<LlamaVocabulary>(vocab);
  encoder->width_ = llama_model_n_embd_out(model);

  llama_context_params params = llama_context_default_params();
  params.n_ctx = kPassTokens;
  params.n_batch = kPassTokens;
  params.n_ubatch = kPassTokens;
  params.n_seq_max = kPassTexts;
  params.kv_unified = true;
  params.embeddings = true;
  params.pooling_type = LLAMA_POOLING_TYPE_NONE;
  params.attention_type = LLAMA_ATTENTION_TYPE_NON_CAUSAL;
  params.no_perf = true;
  const auto& pool = encoder->lane_->pool();
  params.n_threads = pool->threads();
  params.n_threads_batch = pool->threads();
  encoder->context_.reset(llama_init_from_model(model, params));
  if (encoder->context_ == nullptr) {
    return fail(Errc::bad_model, file + ": libllama cannot compute with this model");
  }
  llama_attach_threadpool(encoder->context_.get(), pool->get(), pool->get());
  return encoder;
}

int LlamaEncoder::pass_tokens() const { return kPassTokens; }
int LlamaEncoder::pass_texts() const { return kPassTexts; }

awaitable<Result<std::vector<float>>> LlamaEncoder::encode(std::vector<std::vector<Token>> texts,
                                                           Turn& turn) {
  if (auto stopped = turn.stopped()) co_return std::unexpected(*std::move(stopped));
  co_return co_await asio::co_spawn(lane_->executor(), encode_on_lane(std::move(texts)),
                                    asio::use_awaitable);
}

awaitable<Result<std::vector<float>>> LlamaEncoder::encode_on_lane(
    std::vector<std::vector<Token>> texts) {
  std::size_t count = 0;
  for (const auto& text : texts) count += text.size();
  if (count > kPassTokens || texts.size() > kPassTexts) {
    co_return fail(Errc::internal, std::to_string(count) + " tokens of " +
                                       std::to_string(texts.size()) +
                                       " texts are more than a pass takes");
  }
  if (count == 0) co_return std::vector<float>();
  Batch batch(kPassTokens);
  llama_batch& raw = batch.raw;
  for (std::size_t text = 0; text < texts.size(); ++text) {
    for (std::size_t i = 0; i < texts[text].size(); ++i, ++raw.n_tokens) {
      raw.token[raw.n_tokens] = texts[text][i];
      raw.pos[raw.n_tokens] = static_cast<llama_pos>(i);
      raw.n_seq_id[raw.n_tokens] = 1;
      raw.seq_id[raw.n_tokens][0] = static_cast<llama_seq_id>(text);
      raw.logits[raw.n_tokens] = 1;
    }
  }
  const int status = llama_encode(context_.get(), raw);
  if (status != 0) {
    co_return fail(Errc::internal,
                   name_ + ": libllama's encoder ended with status " + std::to_string(status));
  }
  llama_synchronize(context_.get());
  const float* states = llama_get_embeddings(context_.get());
  if (states == nullptr) co_return fail(Errc::internal, name_ + ": no states came back");
  co_return std::vector<float>(states, states + count * static_cast<std::size_t>(width_));
}

}  // namespace lichen::model
