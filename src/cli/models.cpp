// lichen models: what is in GGUF files.
#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include "cli/command.h"
#include "cli/models_view.h"

namespace lichen::cli {
namespace {

struct ModelsOptions {
  std::string file;
  std::string other;
  bool json = false;
};

struct Vocabulary {
  std::string tokenizer;
  std::vector<std::string> tokens;
};

Result<Vocabulary> read_vocabulary(const std::string& file) {
  auto info = model::inspect_gguf(file);
  if (!info) return std::unexpected(info.error());
  auto tokens = model::read_gguf_tokens(file);
  if (!tokens) return std::unexpected(tokens.error());
  return Vocabulary{std::move(info->tokenizer), std::move(*tokens)};
}

int inspect(const ModelsOptions& options) {
  const auto info = model::inspect_gguf(options.file);
  if (!info) return report_error(info.error());
  const auto out = Terminal::of(stdout);
  out.write(options.json ? boost::json::serialize(to_json(*info, options.file)) + "\n"
                         : info_text(*info, options.file, out));
  return kOk;
}

int compare(const ModelsOptions& options) {
  const auto a = read_vocabulary(options.file);
  if (!a) return report_error(a.error());
  const auto b = read_vocabulary(options.other);
  if (!b) return report_error(b.error());
  const auto overlap = compare_vocabularies({a->tokenizer, a->tokens}, {b->tokenizer, b->tokens});
  Terminal::of(stdout).write(options.json ? boost::json::serialize(to_json(overlap)) + "\n"
                                          : overlap_text(overlap));
  return kOk;
}

}  // namespace

void add_models(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ModelsOptions>();
  auto* command = app.add_subcommand("models", "What is in GGUF files");
  command->require_subcommand(1);
  command->footer(
      "Files are checked before anything is believed; nothing is loaded.\n"
      "\n"
      "Examples:\n"
      "  lichen models inspect models/lichen-large.gguf\n"
      "  lichen models compare models/lichen-small.gguf models/lichen-large.gguf");

  auto* inspected =
      command->add_subcommand("inspect", "Architecture, size, quantization, vocabulary");
  inspected->add_option("file", options->file, "A GGUF file")->type_name("FILE")->required();
  inspected->add_flag("--json", options->json, "As JSON");
  inspected->callback(
      [&invocation, options] { invocation.action = [options] { return inspect(*options); }; });

  auto* compared = command->add_subcommand("compare", "How much two vocabularies have in common");
  compared->add_option("a", options->file, "A GGUF file")->type_name("FILE")->required();
  compared->add_option("b", options->other, "Another")->type_name("FILE")->required();
  compared->add_flag("--json", options->json, "As JSON");
  compared->callback(
      [&invocation, options] { invocation.action = [options] { return compare(*options); }; });
}

}  // namespace lichen::cli
