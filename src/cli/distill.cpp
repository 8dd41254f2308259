// lichen distill: what a large model knows goes into a small one.
#include <CLI/CLI.hpp>

#include "cli/distill_commands.h"

namespace lichen::cli {

void add_distill(CLI::App& app, Invocation& invocation) {
  auto* distill = app.add_subcommand("distill", "Teach a small model what a large one knows");
  distill->require_subcommand(1);
  distill->footer(
      "Examples:\n"
      "  lichen distill collect --teacher large --suite train --count 2000 -o large.safetensors\n"
      "  lichen distill collect --teacher large --suite prompts.jsonl -o large.safetensors\n"
      "  lichen distill train --student small.gguf --data large.safetensors \\\n"
      "      --loss forward_kl --minutes 5 -o small-new.gguf\n"
      "  lichen distill export large.safetensors -o cluster\n"
      "  lichen distill promote small --adapter small.gguf\n"
      "  lichen distill rollback small\n"
      "  lichen distill watch small --teacher large");
  add_distill_collect(*distill, invocation);
  add_distill_train(*distill, invocation);
  add_distill_on_policy(*distill, invocation);
  add_distill_export(*distill, invocation);
  add_distill_promote(*distill, invocation);
  add_distill_versions(*distill, invocation);
  add_distill_watch(*distill, invocation);
  add_distill_bench(*distill, invocation);
}

}  // namespace lichen::cli
