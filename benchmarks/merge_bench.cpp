// How many parameters a second `lichen merge` gets through, from file to file: reading, checking,
// identifying, merging, quantizing, writing. The aim: 60 million a second and core at Q8_0. Files
// are in $TMPDIR; TMPDIR=/dev/shm leaves the disk out.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "mechanisms/fusion/merge.h"
#include "model/tensor_codec.h"
#include "model/weights_writer.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRow = 4'096, kRows = 1'024;
constexpr int kTensors = 4;
constexpr std::uint64_t kParameters = kRow * kRows * kTensors;

/// Models that differ as fine-tunes do, in a folder that goes at the end.
class Models {
 public:
  Models() : folder_(fs::temp_directory_path() / ("merge_bench-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Models() { fs::remove_all(folder_); }

  fs::path output() const { return folder_ / "out.gguf"; }

  fs::path model(const std::string& type_name, unsigned number) const {
    const fs::path path = folder_ / (type_name + "-" + std::to_string(number) + ".gguf");
    if (fs::exists(path)) return path;
    const auto* type = model::codec_type(type_name);
    std::vector<model::TensorToWrite> tensors;
    for (int i = 0; i < kTensors; ++i) {
      tensors.push_back({.name = "blk." + std::to_string(i) + ".ffn_up.weight",
                         .type = type,
                         .shape = {kRow, kRows, 1, 1}});
    }
    model::gguf::Metadata metadata;
    metadata.set_text("general.architecture", "llama");
    metadata.set_u32("llama.block_count", kTensors);
    auto writer = model::WeightsWriter::create(path, metadata, tensors);
    std::mt19937 shared(1), own(number + 2);
    std::normal_distribution<float> weight(0, 0.02F), tuned(0, number == 0 ? 1e-9F : 0.002F);
    std::vector<float> values(kRow);
    std::vector<std::byte> bytes(kRow / type->block * type->bytes);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      for (std::uint64_t row = 0; row < kRows; ++row) {
        for (float& value : values) value = weight(shared) + tuned(own);
        model::encode(*type, values, bytes);
        if (!writer->write(i, row * bytes.size(), bytes)) std::abort();
      }
    }
    if (!writer->finish()) std::abort();
    return path;
  }

 private:
  const fs::path folder_;
};

void merging(benchmark::State& state, MergeMethod method, const std::string& type) {
  static const Models models;
  MergeRecipe recipe{.file = {}, .method = method};
  recipe.normalize = facts(method).normalizes;
  if (facts(method).base) recipe.base = models.model(type, 0);
  for (const unsigned number : {1U, 2U}) {
    recipe.models.push_back(
        {.gguf = models.model(type, number), .weight = 0.5, .density = 0.5, .epsilon = 0.1});
  }
  const MergeOptions options{.output = models.output(),
                             .threads = static_cast<int>(state.range(0))};
  for (auto _ : state) {
    if (const auto report = merge_models(recipe, options); !report) {
      return state.SkipWithError(report.error().detail.c_str());
    }
  }
  state.counters["parameters/s"] =
      benchmark::Counter(static_cast<double>(kParameters) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void measured(benchmark::internal::Benchmark* bench) {
  bench->ArgName("threads")->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK_CAPTURE(merging, linear_q8_0, MergeMethod::linear, "q8_0")->Apply(measured)->Arg(2);
BENCHMARK_CAPTURE(merging, slerp_q8_0, MergeMethod::slerp, "q8_0")->Apply(measured);
BENCHMARK_CAPTURE(merging, task_arithmetic_q8_0, MergeMethod::task_arithmetic, "q8_0")
    ->Apply(measured);
BENCHMARK_CAPTURE(merging, ties_q8_0, MergeMethod::ties, "q8_0")->Apply(measured);
BENCHMARK_CAPTURE(merging, dare_linear_q8_0, MergeMethod::dare_linear, "q8_0")->Apply(measured);
BENCHMARK_CAPTURE(merging, dare_ties_q8_0, MergeMethod::dare_ties, "q8_0")->Apply(measured);
BENCHMARK_CAPTURE(merging, della_q8_0, MergeMethod::della, "q8_0")->Apply(measured);
BENCHMARK_CAPTURE(merging, linear_f16, MergeMethod::linear, "f16")->Apply(measured);
BENCHMARK_CAPTURE(merging, linear_bf16, MergeMethod::linear, "bf16")->Apply(measured);
BENCHMARK_CAPTURE(merging, linear_f32, MergeMethod::linear, "f32")->Apply(measured);
BENCHMARK_CAPTURE(merging, linear_q4_K, MergeMethod::linear, "q4_K")->Apply(measured);
BENCHMARK_CAPTURE(merging, linear_q6_K, MergeMethod::linear, "q6_K")->Apply(measured);

}  // namespace
}  // namespace lichen::mechanisms

BENCHMARK_MAIN();
