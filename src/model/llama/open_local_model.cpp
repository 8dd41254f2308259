#include "model/open_local_model.h"

#include <spdlog/spdlog.h>

#include <mutex>
#include <optional>

#include "base/cores.h"
#include "model/gguf_file.h"
#include "model/llama/llama_backend.h"
#include "model/llama/llama_chat.h"
#include "model/llama/llama_encoder.h"
#include "model/llama/llama_sampler.h"
#include "model/llama/measure_passes.h"

namespace lichen::model {
namespace {

/// libllama's log goes where ours goes; its chatter is for `debug`.
void start_libllama() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(
        [](ggml_log_level level, const char* text, void*) {
          std::string_view line(text);
          while (line.ends_with('\n')) line.remove_suffix(1);
          if (line.empty()) return;
          if (level == GGML_LOG_LEVEL_ERROR || level == GGML_LOG_LEVEL_WARN) {
            spdlog::debug("libllama: {}", line);
          } else {
            spdlog::trace("libllama: {}", line);
          }
        },
        nullptr);
    llama_backend_init();
  });
}

}  // namespace

Result<std::shared_ptr<Lane>> open_lane(const LaneOptions& options) {
  start_libllama();
  const int cores = base::usable_cores();
  if (options.threads < 0 || options.threads > 4 * cores) {
    return fail(Errc::bad_config, "a lane of " + std::to_string(options.threads) +
                                      " threads on a machine with " + std::to_string(cores) +
                                      " cores; 0 means one for each core");
  }
  const int threads = options.threads > 0 ? options.threads : cores;
  return std::make_shared<Lane>(options.name, std::make_shared<ComputePool>(threads));
}

Result<std::shared_ptr<LocalModel>> open_local_model(std::string name, LocalModelOptions options,
                                                     std::shared_ptr<Lane> lane,
                                                     std::function<bool(double)> progress) {
  start_libllama();
  if (Result<GgufInfo> info = inspect_gguf(options.gguf); !info) {
    return std::unexpected(info.error());
  }
  Result<std::unique_ptr<LlamaBackend>> opened =
      LlamaBackend::open(options, lane->pool(), std::move(progress));
  if (!opened) return std::unexpected(opened.error());
  std::unique_ptr<LlamaBackend> backend = std::move(*opened);
  if (Result<void> bias = check_logit_bias(options.sampling, backend->vocabulary()); !bias) {
    return std::unexpected(bias.error());
  }
  Result<std::shared_ptr<const ChatFormat>> chat = open_llama_chat(backend->model());
  if (!chat) {
    return fail(chat.error().code, options.gguf.string() + ": " + chat.error().detail);
  }
  LocalModelParts parts;
  parts.chat = std::move(*chat);
  parts.make_sampler = [tokens = std::make_shared<const TokenOrder>(backend->vocabulary())](
                           const Sampling& sampling, const std::string& grammar,
                           const std::string& begun) {
    return make_llama_sampler(tokens, sampling, grammar, begun);
  };
  // On the lane, so that no other model of it computes meanwhile.
  lane->call([&] { parts.times = measure_passes(*backend, options); });
  parts.batcher = lane->add(std::move(backend), options.batcher, parts.times);
  return std::make_shared<LocalModel>(std::move(name), std::move(lane), std::move(parts),
                                      std::move(options));
}

Result<std::shared_ptr<TokenEncoder>> open_token_encoder(const std::filesystem::path& gguf,
                                                         std::shared_ptr<Lane> lane) {
  start_libllama();
  if (Result<GgufInfo> info = inspect_gguf(gguf); !info) return std::unexpected(info.error());
  return LlamaEncoder::open(gguf, std::move(lane));
}

Result<Tokenizer> open_tokenizer(const std::filesystem::path& gguf) {
  start_libllama();
  const Result<GgufInfo> info = inspect_gguf(gguf);
  if (!info) return std::unexpected(info.error());
  if (info->vocabulary == 0) {
    return fail(Errc::bad_model, gguf.string() + ": it has no vocabulary, so it cannot read text");
  }
  /// A vocabulary and the model that it is a part of.
  struct Opened {
    std::unique_ptr<llama_model, decltype(&llama_model_free)> model;
    std::optional<LlamaVocabulary> vocabulary;
  };
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  auto opened = std::make_shared<Opened>(
      Opened{{llama_model_load_from_file(gguf.c_str(), params), &llama_model_free}, std::nullopt});
  const llama_model* model = opened->model.get();
  if (model == nullptr) {
    return fail(Errc::bad_model, gguf.string() + ": libllama cannot load its vocabulary");
  }
  const llama_vocab* vocab = llama_model_get_vocab(model);
  Result<std::shared_ptr<const ChatFormat>> chat = open_llama_chat(model);
  if (!chat) return fail(chat.error().code, gguf.string() + ": " + chat.error().detail);
  const Token turn = llama_vocab_eot(vocab), text = llama_vocab_eos(vocab);
  if (turn < 0 && text < 0) {
    return fail(Errc::bad_model, gguf.string() + ": it has no token that ends an answer");
  }
  opened->vocabulary.emplace(vocab);
  return Tokenizer{.vocabulary = {opened, &*opened->vocabulary},
                   .chat = *std::move(chat),
                   .end_of_turn = turn >= 0 ? turn : text};
}

}  // namespace lichen::model
