// lichen ledger: what was answered, by whom, at what cost.
#include "ledger/ledger.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/ledger_file.h"
#include "cli/ledger_view.h"
#include "cli/progress.h"
#include "cli/view.h"

namespace lichen::cli {
namespace {

struct LedgerOptions {
  std::string since = "24h";
  std::string plan;
  std::string id;
  std::size_t count = 20;
  bool json = false;
};

int show_totals(const LedgerOptions& options, const Invocation& invocation) {
  const auto since = parse_since(options.since, std::chrono::system_clock::now());
  if (!since) return report_error(since.error());
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  const auto plan = options.plan.empty() ? std::nullopt : std::optional(options.plan);
  ProgressBar bar(Terminal::of(stderr));
  bar.update(0, "adding up receipts");
  const auto totals = (*opened)->totals(
      *since, plan, [&bar](double done) { bar.update(done, "adding up receipts"); });
  bar.clear();
  if (!totals) return report_error(totals.error());
  const auto out = Terminal::of(stdout);
  out.write(options.json ? boost::json::serialize(to_json(*totals, *since)) + "\n"
                         : totals_text(*totals, options.since, out));
  return kOk;
}

int show_receipt(const LedgerOptions& options, const Invocation& invocation) {
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  const auto receipt = (*opened)->find(options.id);
  if (!receipt) return report_error(receipt.error());
  const auto out = Terminal::of(stdout);
  Palette palette;
  out.write(options.json ? boost::json::serialize(lichen::to_json(*receipt)) + "\n"
                         : receipt_text(*receipt, palette, out));
  return kOk;
}

int show_tail(const LedgerOptions& options, const Invocation& invocation) {
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  auto receipts = (*opened)->recent(options.count);
  if (!receipts) return report_error(receipts.error());
  std::ranges::reverse(*receipts);  // the newest last, next to the prompt
  const auto out = Terminal::of(stdout);
  if (!options.json) {
    out.write(receipts_table(*receipts, out));
    return kOk;
  }
  for (const Receipt& receipt : *receipts) {
    out.write(boost::json::serialize(lichen::to_json(receipt)) + "\n");
  }
  return kOk;
}

}  // namespace

void add_ledger(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<LedgerOptions>();
  auto* command = app.add_subcommand("ledger", "What was answered, by whom, at what cost");
  command->add_option("--since", options->since, "How far back: 90s, 30m, 24h, 7d, or all")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("-p,--plan", options->plan, "Only requests of this plan or model")
      ->type_name("NAME");
  command->add_flag("--json", options->json, "As JSON");
  command->require_subcommand(0, 1);
  command->footer(
      "Examples:\n"
      "  lichen ledger --since 7d\n"
      "  lichen ledger show rcpt_01J9Z3V5T8\n"
      "  lichen ledger tail -n 5 --json");
  command->callback([&invocation, options] {
    if (invocation.action) return;  // a subcommand's
    invocation.action = [&invocation, options] { return show_totals(*options, invocation); };
  });

  auto* show = command->add_subcommand("show", "One receipt");
  show->add_option("id", options->id, "The receipt's id")->type_name("ID")->required();
  show->add_flag("--json", options->json, "As JSON");
  show->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return show_receipt(*options, invocation); };
  });

  auto* tail = command->add_subcommand("tail", "The latest receipts, the newest last");
  tail->add_option("-n,--count", options->count, "How many")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  tail->add_flag("--json", options->json, "One JSON object a line");
  tail->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return show_tail(*options, invocation); };
  });
}

}  // namespace lichen::cli
