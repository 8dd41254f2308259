// lichen run: one prompt, its answer, its receipt.
#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <iostream>

#include "base/document.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/turns.h"

namespace lichen::cli {
namespace {

struct RunOptions {
  std::string prompt;  // "-" or empty: from stdin alone
  RequestOptions request;
  bool json = false;
};

boost::json::object to_json(const Result<Answer>& answer, const Receipt& receipt) {
  boost::json::object object;
  if (answer) {
    boost::json::object said{{"text", answer->text},
                             {"finish", to_string(answer->finish)},
                             {"prompt_tokens", answer->prompt_tokens},
                             {"cached_tokens", answer->cached_tokens},
                             {"completion_tokens", answer->completion_tokens}};
    if (!answer->citations.empty()) said["citations"] = base::to_json(answer->citations);
    if (!answer->tool_calls.empty()) said["tool_calls"] = answer->tool_calls;
    object["answer"] = std::move(said);
  } else {
    object["error"] = boost::json::object{{"code", to_string(answer.error().code)},
                                          {"message", answer.error().detail}};
  }
  object["receipt"] = lichen::to_json(receipt);
  return object;
}

int run_as_json(Host& host, Request request, const std::string& plan) {
  Turn turn(plan);
  const auto answer = host.answer(std::move(request), turn);
  if (auto written = write_output("-", boost::json::serialize(to_json(answer, turn.receipt)));
      !written) {
    return report_error(written.error());
  }
  return answer ? kOk : report_error(answer.error());
}

int run(RunOptions options, const Invocation& invocation) {
  if (auto loaded = load_document(options.request, std::cin); !loaded) {
    return report_error(loaded.error());
  }
  const bool free = options.request.document_file != "-";  // stdin
  const bool piped = free && (options.prompt == "-" || !Terminal::of(stdin).interactive);
  auto prompt = read_prompt(options.prompt, piped ? &std::cin : nullptr);
  if (!prompt) return report_error(prompt.error());
  auto host = Host::open(invocation.config, options.request.offline);
  if (!host) return report_error(host.error());
  const auto& plan = options.request.plan;
  if (auto found = (*host)->runtime().find(plan); !found) return report_error(found.error());
  auto request = make_request(options.request, {{.role = "user", .content = *prompt}});
  if (options.json) return run_as_json(**host, std::move(request), plan);

  const auto out = Terminal::of(stdout);
  auto palette = palette_of((*host)->runtime());
  const auto turn = answer_shown(**host, std::move(request), plan, palette, out);
  if (std::ferror(out.file) != 0) {
    return report_error({Errc::storage, "the answer could not be written to stdout"});
  }
  // Under the answer for a person; beside it when the answer goes into a pipe or a file.
  const auto receipt = out.interactive ? out : Terminal::of(stderr);
  if (out.interactive) receipt.write("\n");
  if (turn.answer) receipt.write(citations_text(turn.answer->citations, receipt));
  receipt.write(receipt_text(turn.receipt, palette, receipt));
  return turn.answer ? kOk : report_error(turn.answer.error());
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Answer one prompt and show the receipt");
  command->add_option("prompt", options->prompt, "What to answer; what is piped in is put after it")
      ->type_name("PROMPT");
  add_request_options(*command, options->request);
  command->add_flag("--json", options->json, "Answer and receipt as one JSON object");
  command->footer(
      "Each author's words have a colour of their own. When stdout is not a terminal, the answer\n"
      "alone goes there and the receipt to stderr. Ctrl-C cancels.\n"
      "\n"
      "Examples:\n"
      "  lichen run \"What is 12 + 30?\"\n"
      "  lichen run --plan route --temperature 0.7 --seed 1 \"Name a tree.\"\n"
      "  lichen run --plan extract --document report.txt \"What was the profit in 2020?\"\n"
      "  git diff | lichen run \"Summarize this change:\"\n"
      "  lichen run --json \"What is 2 * 3?\" | jq .receipt.total_ms");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return run(*options, invocation); };
  });
}

}  // namespace lichen::cli
