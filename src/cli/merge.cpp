// lichen merge: one model out of several, as a recipe says.
#include "mechanisms/fusion/merge.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/cores.h"
#include "cli/command.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "cli/table.h"
#include "model/tensor_codec.h"
#include "policy/merge_recipe.h"

namespace lichen::cli {
namespace {

struct MergeCommand {
  std::string recipe;
  std::string output;
  std::string type = "same";
  std::string json;
  int threads = 0;  // 0: as many as there are cores
};

constexpr const char* kSame = "same";
constexpr const char* kTypes =
    "f32, f16, bf16, q8_0, q6_K, q5_K, q4_K, q3_K, q2_K, q5_1, q5_0, q4_1, q4_0";

Result<const model::gguf::TensorType*> type_named(const std::string& name) {
  if (name == kSame) return nullptr;
  if (const auto* type = model::codec_type(name)) return type;
  return fail(Errc::bad_request,
              fmt::format("--type {} is unknown; there are {} and {}", name, kSame, kTypes));
}

std::string summary(const mechanisms::MergeRecipe& recipe, const mechanisms::MergeReport& report,
                    const MergeCommand& options, double seconds) {
  const auto count = [](std::uint64_t number) {
    return format_count(static_cast<std::int64_t>(number));
  };
  std::string types;
  for (const auto& [type, number] : report.types) {
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", number, type);
  }
  const auto parameters = static_cast<double>(report.parameters);
  return fmt::format(
      "written     {}, {}\n"
      "method      {}, {} {}\n"
      "tensors     {} ({})\n"
      "parameters  {}, {} of them in rows that are not the base's\n"
      "time        {}, {:.1f} M parameters/s on {} thread{}\n",
      options.output, format_bytes(report.bytes), mechanisms::facts(recipe.method).name,
      recipe.models.size(), recipe.method == mechanisms::MergeMethod::lora ? "adapters" : "models",
      count(report.tensors), types, count(report.parameters),
      format_percent(static_cast<double>(report.changed) / parameters), format_ms(seconds * 1'000),
      parameters / seconds / 1e6, options.threads, options.threads == 1 ? "" : "s");
}

boost::json::object json_of(const mechanisms::MergeRecipe& recipe,
                            const mechanisms::MergeReport& report, const MergeCommand& options,
                            double seconds) {
  boost::json::object types;
  for (const auto& [type, number] : report.types) types[type] = number;
  return {{"output", options.output},
          {"bytes", report.bytes},
          {"architecture", report.architecture},
          {"recipe", mechanisms::recipe_json(recipe, report.sources)},
          {"tensors", report.tensors},
          {"types", std::move(types)},
          {"parameters", report.parameters},
          {"changed_parameters", report.changed},
          {"threads", options.threads},
          {"seconds", seconds},
          {"parameters_per_second", static_cast<double>(report.parameters) / seconds}};
}

int merge(MergeCommand options) {
  const auto recipe = policy::load_merge_recipe(options.recipe);
  if (!recipe) return report_error(recipe.error());
  const auto type = type_named(options.type);
  if (!type) return report_error(type.error());
  if (options.threads == 0) options.threads = base::usable_cores();

  const StopOnSignal stop;
  ProgressBar bar(Terminal::of(stderr));
  const auto started = std::chrono::steady_clock::now();
  const auto report = mechanisms::merge_models(
      *recipe, {.output = options.output,
                .type = *type,
                .threads = options.threads,
                .stop = stop.token(),
                .progress = [&bar](double done) { bar.update(done, "merging"); }});
  bar.clear();
  if (!report) return report_error(report.error());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (options.json != "-") {
    Terminal::of(stdout).write(summary(*recipe, *report, options, seconds));
  }
  if (options.json.empty()) return kOk;
  const auto written = write_output(
      options.json, boost::json::serialize(json_of(*recipe, *report, options, seconds)));
  return written ? kOk : report_error(written.error());
}

std::string footer() {
  std::string text = "Methods, as `method:` of the recipe:\n";
  for (const mechanisms::MethodFacts& method : mechanisms::merge_methods()) {
    text += fmt::format("  {:<16} {}\n", method.name, method.summary);
  }
  return text +
         "\n"
         "A recipe is YAML; paths in it start from its folder:\n"
         "  method: ties\n"
         "  base: base.gguf\n"
         "  models:\n"
         "    - {gguf: maths.gguf, weight: 0.6, density: 0.5}\n"
         "    - {gguf: code.gguf, weight: [0.2, 0.8], density: 0.5}  # first to last layer\n"
         "  lambda: 1\n"
         "\n"
         "All numbers may differ by tensor: weight: [{tensors: \"blk.*.attn_*\", value: 0.3},\n"
         "{value: 0.7}]. docs/merge.md has every key and formula.\n"
         "\n"
         "Models must be of one architecture, vocabulary and shape; whatever differs is named, "
         "and\n"
         "nothing is written then. The output is put in place when it is whole; a file of its "
         "name\n"
         "is replaced, an input never. The same recipe and files give the same bytes.\n"
         "\n"
         "Examples:\n"
         "  lichen merge recipe.yaml -o merged.gguf\n"
         "  lichen merge examples/merge.yaml -o merged.gguf --type q4_K --json -";
}

}  // namespace

void add_merge(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<MergeCommand>();
  auto* command = app.add_subcommand("merge", "One model out of several, GGUF to GGUF");
  command->add_option("recipe", options->recipe, "What to merge, and how: YAML")
      ->type_name("RECIPE")
      ->required();
  command->add_option("-o,--output", options->output, "The merged model's file")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--type", options->type,
                   std::string("Type of the matrices: same (each as in the base), ") + kTypes)
      ->type_name("TYPE")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Computing threads; 0: one for each core")
      ->type_name("N")
      ->check(CLI::Range(0, 1'024).description(""))
      ->capture_default_str();
  command->add_option("--json", options->json, "Write what was done as JSON; - is stdout")
      ->type_name("FILE");
  command->footer(footer());
  command->callback(
      [&invocation, options] { invocation.action = [options] { return merge(*options); }; });
}

}  // namespace lichen::cli
