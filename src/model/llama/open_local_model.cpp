#include "model/open_local_model.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>

#include "base/cores.h"
#include "model/gguf_file.h"
#include "model/llama/llama_backend.h"
#include "model/llama/llama_chat.h"
#include "model/llama/llama_sampler.h"

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

/// Milliseconds for one pass over `count` tokens behind `prompt` others, the best of some tries, of
/// which there are two at least: ThreadChoice needs them. 0: not possible.
double time_pass(LlamaBackend& backend, int prompt, int count, Clock::time_point until) {
  constexpr int kTries = 50;
  const int vocabulary = backend.vocabulary().size();
  auto pass = [&](int from, int tokens) {
    std::vector<BatchToken> batch;
    for (int i = 0; i < tokens; ++i) {
      batch.push_back({.token = (7 * (from + i) + 11) % vocabulary,
                       .position = from + i,
                       .seq = 0,
                       .output = true});
    }
    return backend.decode(batch) == Backend::Outcome::ok;
  };
  const int chunk = std::min(16, backend.limits().batch);
  for (int from = 0; from < prompt; from += chunk) {
    if (!pass(from, std::min(chunk, prompt - from))) return 0;
  }
  double best = 0;
  for (int i = 0; i < kTries && (i < 2 || Clock::now() < until); ++i) {
    const auto start = Clock::now();
    if (!pass(prompt, count)) break;
    backend.logits(count - 1);
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (best == 0 || took < best) best = took;
    backend.truncate(0, prompt);
  }
  backend.truncate(0, 0);
  return best;
}

/// Finds out which threads are fastest by computing passes of several sizes. On a busy machine, or
/// with a large model, a pass may take a second: then the larger sizes are left out.
StepTimes measure(LlamaBackend& backend) {
  constexpr auto kForOne = std::chrono::milliseconds(60);
  constexpr auto kForAll = std::chrono::milliseconds(500);
  // Attention costs the more the longer the text, and with it passes over several tokens: behind as
  // many as an ordinary request has, where so many are read in a moment.
  constexpr int kShort = 16, kOrdinary = 96;
  constexpr double kMoment = 5;  // milliseconds
  const int shorter = std::min(kShort, backend.limits().batch);
  const bool quick = time_pass(backend, shorter, 1, Clock::now()) < kMoment;
  const int prompt = quick ? std::min(kOrdinary, backend.limits().length() - 32) : shorter;
  const auto until = Clock::now() + kForAll;
  StepTimes times;
  for (int count : {1, 2, 4, 8, 16, 32}) {
    if (count > backend.limits().batch || (count > 1 && Clock::now() > until)) break;
    const double ms = time_pass(backend, std::max(shorter, prompt), count,
                                std::min(until, Clock::now() + kForOne));
    if (ms == 0) break;
    times.passes.push_back(
        {.tokens = count, .ms = ms, .threads = backend.threads().fastest(count)});
  }
  return times;
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
  lane->call([&] { parts.times = measure(*backend); });
  parts.batcher = lane->add(std::move(backend), options.batcher, parts.times);
  return std::make_shared<LocalModel>(std::move(name), std::move(lane), std::move(parts),
                                      std::move(options));
}

}  // namespace lichen::model
