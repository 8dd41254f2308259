#include "mechanisms/fusion/merge.h"

#include <atomic>
#include <system_error>
#include <utility>

#include "mechanisms/fusion/merge_plan.h"
#include "mechanisms/fusion/tensor_merge.h"
#include "mechanisms/fusion/workers.h"
#include "model/gguf/checked.h"
#include "model/weights_writer.h"

namespace lichen::mechanisms {

namespace {

Result<void> check_output(const std::filesystem::path& output, const MergeInputs& inputs) {
  const auto wrong = [&output](const char* why) {
    return fail(Errc::bad_request, model::gguf::printable(output.string()) + why);
  };
  std::error_code ignored;
  if (!std::filesystem::exists(output, ignored)) return {};
  if (!std::filesystem::is_regular_file(output, ignored)) {
    return wrong(" is there already and no file; name a file for the output");
  }
  for (const model::WeightsFile& file : inputs.files) {
    for (const std::filesystem::path& path : file.paths()) {
      if (!std::filesystem::equivalent(output, path, ignored)) continue;
      return wrong(" is one of the inputs; name another file for the output");
    }
  }
  return {};
}

std::vector<model::TensorToWrite> tensors_of(const MergePlan& plan) {
  std::vector<model::TensorToWrite> tensors;
  for (const TensorPlan& tensor : plan.tensors) {
    tensors.push_back(
        {.name = std::string(tensor.base->name), .type = tensor.type, .shape = tensor.base->shape});
  }
  return tensors;
}

Result<void> merge_tensors(const MergeRecipe& recipe, const MergeInputs& inputs,
                           const MergePlan& plan, const MergeOptions& options,
                           const model::WeightsWriter& writer, MergeReport& report) {
  const double whole = static_cast<double>(report.parameters) * passes(recipe);
  std::atomic<std::uint64_t> done = 0;
  const auto progress = [&](std::uint64_t elements) {
    options.progress(static_cast<double>(done += elements) / whole);
  };
  const Workers workers(options.threads, options.stop);
  TensorMerge merge(recipe, inputs, workers, progress);
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const auto changed = merge.run(plan.tensors[i], i, writer);
    if (!changed) return std::unexpected(changed.error());
    report.changed += *changed;
  }
  return {};
}

}  // namespace

Result<MergeReport> merge_models(const MergeRecipe& recipe, const MergeOptions& options) {
  const Result<MergeInputs> inputs = open_inputs(recipe);
  if (!inputs) return std::unexpected(inputs.error());
  if (auto good = check_output(options.output, *inputs); !good) {
    return std::unexpected(good.error());
  }
  const Result<MergePlan> plan = plan_merge(recipe, *inputs, options.type);
  if (!plan) return std::unexpected(plan.error());
  Result<std::vector<SourceIdentity>> sources = identify(*inputs);
  if (!sources) return std::unexpected(sources.error());

  MergeReport report{.architecture = inputs->base().info().architecture,
                     .tensors = plan->tensors.size(),
                     .parameters = inputs->base().info().parameters};
  for (const TensorPlan& tensor : plan->tensors) ++report.types[std::string(tensor.type->name)];
  auto writer = model::WeightsWriter::create(
      options.output,
      merged_metadata(recipe, *inputs, *plan, *sources, options.output.stem().string()),
      tensors_of(*plan));
  if (!writer) return std::unexpected(writer.error());
  if (auto done = merge_tensors(recipe, *inputs, *plan, options, *writer, report); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = writer->finish(); !done) return std::unexpected(done.error());
  report.bytes = writer->bytes();
  report.sources = *std::move(sources);
  return report;
}

}  // namespace lichen::mechanisms
