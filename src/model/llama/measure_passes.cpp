#include "model/llama/measure_passes.h"

#include <ggml-backend.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/cores.h"
#include "base/sha256.h"
#include "model/kept_times.h"

namespace lichen::model {
namespace {

constexpr auto kForOne = std::chrono::milliseconds(60);
constexpr auto kForAll = std::chrono::milliseconds(500);
constexpr auto kForCheck = std::chrono::milliseconds(10);
/// A pass that takes so many times longer or shorter than it did: the machine is not as it was.
constexpr double kChanged = 1.5;
constexpr int kLargest = 32;   // tokens of a pass
constexpr double kMoment = 5;  // milliseconds of a quick model's pass

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
MeasuredPasses measure(LlamaBackend& backend) {
  // Attention costs the more the longer the text, and with it passes over several tokens: behind as
  // many as an ordinary request has, where so many are read in a moment.
  constexpr int kShort = 16, kOrdinary = 96;
  const int shorter = std::min(kShort, backend.limits().batch);
  const bool quick = time_pass(backend, shorter, 1, Clock::now()) < kMoment;
  const int prompt = quick ? std::min(kOrdinary, backend.limits().length() - kLargest) : shorter;
  const auto until = Clock::now() + kForAll;
  MeasuredPasses measured{.behind = std::max(shorter, prompt)};
  for (int count = 1; count <= kLargest; count *= 2) {
    if (count > backend.limits().batch || (count > 1 && Clock::now() > until)) break;
    const double ms =
        time_pass(backend, measured.behind, count, std::min(until, Clock::now() + kForOne));
    if (ms == 0) break;
    measured.steps.passes.push_back(
        {.tokens = count, .ms = ms, .threads = backend.threads().fastest(count)});
  }
  measured.threads = backend.threads().times();
  return measured;
}

/// Of a quick model larger passes are left out only where something else needs the cores.
bool cut_short(const StepTimes& steps, int batch) {
  return steps.passes.front().ms < kMoment &&
         2 * steps.passes.back().tokens <= std::min(kLargest, batch);
}

/// Whether an earlier start's times hold: its threads are tried on the smallest pass, and forgotten
/// if they don't.
bool still_holds(LlamaBackend& backend, const MeasuredPasses& kept) {
  const StepTimes::Pass& pass = kept.steps.passes.front();
  const Backend::Limits& limits = backend.limits();
  if (pass.tokens > limits.batch || kept.behind + pass.tokens > limits.length()) return false;
  if (cut_short(kept.steps, limits.batch)) return false;
  const ThreadChoice::Times untried = backend.threads().times();
  if (!backend.threads().recall(kept.threads, Clock::now())) return false;
  const double ms = time_pass(backend, kept.behind, pass.tokens, Clock::now() + kForCheck);
  const bool holds = ms > 0 && ms < kChanged * pass.ms && pass.ms < kChanged * ms;
  if (!holds) backend.threads().recall(untried, Clock::now());
  return holds;
}

/// Everything that the times depend on, but for how busy the machine is.
Result<std::string> subject(const LlamaBackend& backend, const LocalModelOptions& options) {
  const Result<std::string> weights = base::file_identity(options.gguf);
  if (!weights) return std::unexpected(weights.error());
  const Backend::Limits& limits = backend.limits();
  std::string text = fmt::format(
      "weights {}, libllama {}, ggml {} {}, cores {}, threads {} of {}, gpu layers {}, cells {} of "
      "{} bytes, batch {}, outputs {}, sequences {}, split {}, plain attention {}, {}",
      *weights, llama_version(), ggml_version(), ggml_commit(), base::usable_cores(),
      options.threads, backend.pool_threads(), options.gpu_layers, limits.cells, limits.cell_bytes,
      limits.batch, limits.outputs, limits.sequences, limits.split, limits.plain_attention,
      llama_print_system_info());
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    text += fmt::format(", {}", ggml_backend_dev_description(ggml_backend_dev_get(i)));
  }
  return text;
}

}  // namespace

StepTimes measure_passes(LlamaBackend& backend, const LocalModelOptions& options) {
  if (options.times_folder.empty()) return measure(backend).steps;
  Result<std::string> of = subject(backend, options);
  if (!of) return measure(backend).steps;
  const KeptTimes kept(options.times_folder, *std::move(of));
  if (std::optional<MeasuredPasses> earlier = kept.read()) {
    if (still_holds(backend, *earlier)) return std::move(earlier->steps);
  }
  const MeasuredPasses measured = measure(backend);
  if (measured.steps.passes.empty()) return {};
  const Result<void> written = kept.write(measured);
  if (!written) spdlog::debug("times of passes are not kept: {}", written.error().detail);
  return measured.steps;
}

}  // namespace lichen::model
