#include "model/llama/llama_backend.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/sha256.h"
#include "model/gguf_file.h"
#include "model/kv_plan.h"

namespace lichen::model {
namespace {

/// Files up to this many bytes are read rather than mapped. Weights that ggml rearranges for the
/// processor would be in memory twice, and a mapped file that somebody overwrites ends the process.
constexpr std::uintmax_t kReadWhole = 256u << 20;

/// From this position on, ggml adds up flash attention of a pass over a single token in as many
/// parts as there are threads: over 512 cells or more (ggml_compute_forward_flash_attn_ext_f16), of
/// which libllama shows it a multiple of 256.
constexpr int kAttentionInParts = 256;

/// Weights of fewer bytes are read faster than threads meet at a barrier.
constexpr std::uint64_t kTiny = 8u << 20;

/// Memory of one token in the KV cache, all layers. Some architectures need less.
KvModel kv_model(const llama_model* model) {
  auto number = [model](const char* name, int fallback) {
    std::array<char, 64> key = {};
    std::array<char, 32> value = {};
    if (llama_model_meta_val_str(model, "general.architecture", value.data(), value.size()) < 0) {
      return fallback;
    }
    std::snprintf(key.data(), key.size(), "%s.attention.%s", value.data(), name);
    if (llama_model_meta_val_str(model, key.data(), value.data(), value.size()) < 0) {
      return fallback;
    }
    return std::clamp(std::atoi(value.data()), 1, 1 << 16);
  };
  const int heads = std::max(1, llama_model_n_head(model));
  const int width = llama_model_n_embd(model) / heads;
  const int key = number("key_length", width);
  const int value = number("value_length", width);
  constexpr std::int64_t kF16 = 2;
  const std::int64_t of_one = kF16 * llama_model_n_head_kv(model) * llama_model_n_layer(model);
  return {.train_length = llama_model_n_ctx_train(model),
          .key_bytes = of_one * key,
          .value_bytes = of_one * value,
          .weights = static_cast<std::int64_t>(llama_model_size(model)),
          .heads = heads,
          .head_width = key};
}

}  // namespace

Result<std::unique_ptr<LlamaBackend>> LlamaBackend::open(const LocalModelOptions& options,
                                                         std::shared_ptr<ComputePool> pool,
                                                         std::function<bool(double)> progress) {
  const std::string file = options.gguf.string();
  std::unique_ptr<LlamaBackend> backend(new LlamaBackend);
  backend->pool_ = std::move(pool);
  backend->file_ = options.gguf;

  llama_model_params model_params = llama_model_default_params();
  model_params.n_gpu_layers = options.gpu_layers;
  std::error_code unknown;
  if (std::filesystem::file_size(options.gguf, unknown) <= kReadWhole) {
    model_params.load_mode = LLAMA_LOAD_MODE_NONE;
  }
  if (progress) {
    model_params.progress_callback = [](float fraction, void* callback) {
      return (*static_cast<std::function<bool(double)>*>(callback))(static_cast<double>(fraction));
    };
    model_params.progress_callback_user_data = &progress;
  }
  backend->model_.reset(llama_model_load_from_file(file.c_str(), model_params));
  llama_model* model = backend->model_.get();
  if (model == nullptr) return fail(Errc::bad_model, file + ": libllama cannot load this model");
  if (!llama_model_has_decoder(model) || llama_model_has_encoder(model)) {
    return fail(Errc::unsupported, file + ": only decoder models (GPT-like) can answer");
  }
  if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
    return fail(Errc::unsupported,
                file +
                    ": a model with recurrent layers; its sequences cannot be cut back, which "
                    "prefix cache and sessions need");
  }
  const llama_vocab* vocab = llama_model_get_vocab(model);
  if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE) {
    return fail(Errc::unsupported, file + ": the model has no vocabulary");
  }
  backend->vocabulary_ = std::make_unique<LlamaVocabulary>(vocab);

  LocalModelOptions bounded = options;
  bounded.max_sessions =
      std::clamp<int>(options.max_sessions, 1, static_cast<int>(llama_max_parallel_sequences()));
  KvModel needs = kv_model(model);
  needs.on_gpu = options.gpu_layers != 0 && llama_supports_gpu_offload();
  const Result<KvPlan> kv = plan_kv(bounded, needs);
  if (!kv) return fail(kv.error().code, file + ": " + kv.error().detail);
  const int batch = std::min(options.batch, kv->cells);
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(kv->cells);
  params.n_batch = static_cast<std::uint32_t>(batch);
  params.n_ubatch = params.n_batch;
  params.n_seq_max = static_cast<std::uint32_t>(kv->sequences);
  // libllama reserves an output for each sequence, however few tokens a pass has.
  params.n_outputs_max = static_cast<std::uint32_t>(std::max(kv->sequences, std::min(batch, 64)));
  params.n_threads = backend->pool_->threads();
  params.n_threads_batch = backend->pool_->threads();
  params.kv_unified = !kv->split;
  if (kv->plain) params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  if (kv->f32_keys) params.type_k = GGML_TYPE_F32;
  params.no_perf = true;
  params.cb_eval = &LlamaBackend::see_tensor;
  params.cb_eval_user_data = backend.get();
  backend->context_.reset(llama_init_from_model(model, params));
  llama_context* context = backend->context_.get();
  if (context == nullptr) {
    return fail(Errc::bad_model, file + ": no memory for a KV cache of " +
                                     std::to_string(kv->cells) +
                                     " tokens; set a smaller `kv_mb` or `context`");
  }
  backend->threads_ = std::make_unique<ThreadChoice>(backend->pool_->threads());
  if (options.threads > 0) {
    backend->threads_->fix(std::min(options.threads, backend->pool_->threads()));
  }
  if (options.repeatable && options.threads == 0 && !kv->plain) {
    backend->repeatable_threads_ = llama_model_size(model) < kTiny ? 1 : backend->pool_->threads();
  }
  llama_attach_threadpool(context, backend->pool_->get(), backend->pool_->get());
  backend->batch_ = std::make_unique<Batch>(batch);
  backend->limits_ = {.cells = static_cast<int>(llama_n_ctx(context)),
                      .batch = static_cast<int>(llama_n_batch(context)),
                      .outputs = std::min(batch, static_cast<int>(params.n_outputs_max)),
                      .sequences = kv->sequences,
                      .train_length = needs.train_length,
                      .embedding = llama_model_n_embd_out(model),
                      .split = kv->split,
                      .plain_attention = kv->plain,
                      .cell_bytes = kv->cell_bytes};
  return backend;
}

Backend::Outcome LlamaBackend::decode(std::span<const BatchToken> tokens) {
  llama_batch& raw = batch_->raw;
  raw.n_tokens = static_cast<int>(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    raw.token[i] = tokens[i].token;
    raw.pos[i] = tokens[i].position;
    raw.n_seq_id[i] = 1;
    raw.seq_id[i][0] = tokens[i].seq;
    raw.logits[i] = tokens[i].output;
  }
  hidden_.states.clear();
  hidden_.logits.clear();
  const auto begun = Clock::now();
  const bool repeatable =
      repeatable_threads_ > 0 && tokens.size() == 1 && tokens.front().position >= kAttentionInParts;
  const int threads = repeatable ? repeatable_threads_ : threads_->choose(raw.n_tokens, begun);
  llama_set_n_threads(context_.get(), threads, threads);
  const int status = llama_decode(context_.get(), raw);
  llama_synchronize(context_.get());
  if (!repeatable) threads_->took(Clock::now() - begun);
  switch (status) {
    case 0: return Outcome::ok;
    case 1: return Outcome::full;
    default: return Outcome::failed;
  }
}

std::span<const float> LlamaBackend::logits(int index) {
  const float* row = llama_get_logits_ith(context_.get(), index);
  return {row, static_cast<std::size_t>(vocabulary_->size())};
}

std::size_t LlamaBackend::logits_kept() const {
  constexpr int kEnough = 64;
  return static_cast<std::size_t>(std::min(vocabulary_->size(), kEnough));
}

std::span<const float> LlamaBackend::hidden(int index) {
  const std::span<const float> key = logits(index).first(logits_kept());
  const auto width = static_cast<std::size_t>(limits_.embedding);
  for (std::size_t row = 0; row * width < hidden_.states.size(); ++row) {
    const auto other = std::span(hidden_.logits).subspan(row * key.size(), key.size());
    if (std::ranges::equal(key, other))
      return std::span(hidden_.states).subspan(row * width, width);
  }
  return {};
}

/// Called by libllama for each tensor of a pass: whether it is wanted, and if so again when it has
/// been computed.
bool LlamaBackend::see_tensor(ggml_tensor* tensor, bool ask, void* backend) {
  auto& self = *static_cast<LlamaBackend*>(backend);
  if (!ask) {
    self.keep_hidden(*tensor);
    return true;
  }
  if (!self.hidden_.wanted) return false;
  const std::string_view name = tensor->name;
  // libllama keeps it until the pass ends, so one stop at the very end is enough.
  if (name == "result_norm") self.hidden_.normed = tensor;
  return name == "result_output";
}

void LlamaBackend::keep_hidden(const ggml_tensor& logits) {
  const ggml_tensor* normed = std::exchange(hidden_.normed, nullptr);
  const auto width = static_cast<std::size_t>(limits_.embedding);
  if (normed == nullptr || normed->type != GGML_TYPE_F32 || logits.type != GGML_TYPE_F32 ||
      normed->ne[1] != logits.ne[1] || static_cast<std::size_t>(normed->ne[0]) != width) {
    return;  // an architecture of another form: it has none
  }
  const auto rows = static_cast<std::size_t>(logits.ne[1]);
  const std::size_t kept = logits_kept();
  const std::size_t states = hidden_.states.size(), keys = hidden_.logits.size();
  hidden_.states.resize(states + rows * width);
  hidden_.logits.resize(keys + rows * kept);
  for (std::size_t row = 0; row < rows; ++row) {
    ggml_backend_tensor_get(normed, &hidden_.states[states + row * width], row * normed->nb[1],
                            width * sizeof(float));
    ggml_backend_tensor_get(&logits, &hidden_.logits[keys + row * kept], row * logits.nb[1],
                            kept * sizeof(float));
  }
}

void LlamaBackend::truncate(Seq seq, int from) {
  llama_memory_seq_rm(llama_get_memory(context_.get()), seq, from, -1);
}

void LlamaBackend::share(Seq from, Seq to, int length) {
  if (limits_.split) {  // libllama copies whole sequences only, and all of their empty cells
    restore(to, save(from));
    truncate(to, length);
    return;
  }
  llama_memory_seq_cp(llama_get_memory(context_.get()), from, to, 0, length);
}

std::vector<std::byte> LlamaBackend::save(Seq seq) {
  std::vector<std::byte> state(llama_state_seq_get_size(context_.get(), seq));
  const std::size_t size = llama_state_seq_get_data(
      context_.get(), reinterpret_cast<std::uint8_t*>(state.data()), state.size(), seq);
  state.resize(size);
  return state;
}

bool LlamaBackend::restore(Seq seq, std::span<const std::byte> state) {
  return llama_state_seq_set_data(context_.get(),
                                  reinterpret_cast<const std::uint8_t*>(state.data()), state.size(),
                                  seq) != 0;
}

/// An adapter that says which file it was trained for is one of that file alone: of another base it
/// would answer anything.
Result<void> LlamaBackend::check_base(const std::filesystem::path& file,
                                      const GgufInfo& adapter) const {
  const auto wanted = adapter.metadata.find("lichen.distill.base");
  if (wanted == adapter.metadata.end()) return {};
  const Result<std::string> own = base::file_identity(file_);
  if (!own) return std::unexpected(own.error());
  if (*own == wanted->second) return {};
  return fail(Errc::bad_model, file.string() + ": an adapter of another model than " +
                                   file_.string() +
                                   "; use it with the file that it was trained on, or train one "
                                   "on this file");
}

Result<int> LlamaBackend::load_adapter(const std::filesystem::path& file, float scale) {
  const Result<GgufInfo> info = inspect_gguf(file);
  if (!info) return std::unexpected(info.error());
  if (info->type != "adapter") {
    return fail(Errc::bad_model,
                file.string() + ": not an adapter, but a GGUF of type `" + info->type + "`");
  }
  if (Result<void> fits = check_base(file, *info); !fits) return std::unexpected(fits.error());
  llama_adapter_lora* lora = llama_adapter_lora_init(model_.get(), file.c_str());
  if (lora == nullptr) {
    return fail(Errc::bad_model,
                file.string() + ": not a LoRA adapter for this model (libllama refuses it)");
  }
  adapters_.push_back({lora, scale});
  return static_cast<int>(adapters_.size());
}

void LlamaBackend::use_adapter(int adapter) {
  if (adapters_.empty()) return;
  if (adapter == 0) {
    llama_set_adapters_lora(context_.get(), nullptr, 0, nullptr);
    return;
  }
  Adapter& chosen = adapters_[static_cast<std::size_t>(adapter - 1)];
  llama_set_adapters_lora(context_.get(), &chosen.lora, 1, &chosen.scale);
}

}  // namespace lichen::model
