// lichen suite: prompts with checkable answers, made from a seed.
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/command.h"
#include "cli/terminal.h"
#include "eval/checks.h"
#include "eval/generated_suite.h"
#include "eval/tasks/documents.h"
#include "eval/tasks/sample.h"

namespace lichen::cli {
namespace {

namespace tasks = eval::tasks;

struct SuiteOptions {
  std::string split = "test";
  std::uint64_t seed = 1;
  std::uint64_t count = 500;
  std::vector<std::string> families;
  std::vector<int> levels;
  std::size_t document_bytes = 0;  // 0: none
  bool list = false;
  bool json = false;
};

std::vector<const tasks::Family*> chosen_families(const SuiteOptions& options) {
  std::vector<const tasks::Family*> chosen;
  chosen.reserve(options.families.size());
  for (const auto& name : options.families) chosen.push_back(tasks::find_family(name));
  return chosen;
}

tasks::SampleOptions sample_options(const SuiteOptions& options) {
  return {.split = tasks::split_named(options.split).value_or(tasks::Split::test),
          .seed = options.seed};
}

/// At most `length` bytes and no half characters.
std::string shortened(const std::string& text, std::size_t length) {
  if (text.size() <= length) return text;
  std::size_t end = length;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + " ...";
}

boost::json::object list_as_json(const SuiteOptions& options) {
  boost::json::array families;
  for (const auto& [family, level] : tasks::cells_of(chosen_families(options), options.levels)) {
    const auto sample = tasks::make_sample(sample_options(options), *family, level, 0);
    families.push_back(boost::json::object{{"family", family->name},
                                           {"level", level},
                                           {"asks", family->asks},
                                           {"check", sample.check},
                                           {"prompt", sample.prompt},
                                           {"answer", sample.answer}});
  }
  boost::json::array checks;
  for (const auto& check : eval::checks()) {
    checks.push_back(boost::json::object{{"name", check.name}, {"summary", check.summary}});
  }
  return {{"families", std::move(families)}, {"checks", std::move(checks)}};
}

std::string list_as_text(const SuiteOptions& options) {
  constexpr std::size_t kExampleBytes = 240;
  std::string out;
  for (const auto& [family, level] : tasks::cells_of(chosen_families(options), options.levels)) {
    const auto sample = tasks::make_sample(sample_options(options), *family, level, 0);
    out += std::string(family->name) + " " + std::to_string(level) + " (" +
           std::string(sample.check) + "): " + std::string(family->asks) +
           "\n  Q: " + shortened(sample.prompt, kExampleBytes) +
           "\n  A: " + shortened(sample.answer, kExampleBytes) + "\n";
  }
  out += "\nChecks\n";
  for (const auto& check : eval::checks()) {
    out += "  " + std::string(check.name) + ": " + std::string(check.summary) + "\n";
  }
  return out;
}

/// Task `index`: of a document where the options want one, else of `cells`.
tasks::Sample make_sample(const SuiteOptions& options, std::span<const tasks::FamilyLevel> cells,
                          std::uint64_t index) {
  if (options.document_bytes == 0) return tasks::make_sample(sample_options(options), cells, index);
  const auto levels = options.levels.empty() ? std::vector{1, 2, 3, 4} : options.levels;
  return tasks::make_document_sample(sample_options(options), options.document_bytes,
                                     levels[index % levels.size()], index);
}

int write_suite(const SuiteOptions& options) {
  const auto cells = tasks::cells_of(chosen_families(options), options.levels);
  const auto out = Terminal::of(stdout);
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const auto sample = make_sample(options, cells, i);
    out.write(tasks::to_json_line(sample, eval::sample_id(sample, i)) + "\n");
    if (std::ferror(stdout) != 0) {
      return report_error({Errc::storage, "stdout: the suite cannot be written"});
    }
  }
  return kOk;
}

int suite(const SuiteOptions& options) {
  if (!options.list) return write_suite(options);
  Terminal::of(stdout).write(options.json ? boost::json::serialize(list_as_json(options)) + "\n"
                                          : list_as_text(options));
  return kOk;
}

}  // namespace

void add_suite(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SuiteOptions>();
  auto* command = app.add_subcommand("suite", "Make a suite: prompts with checkable answers");
  std::vector<std::string> names;
  for (const auto& family : tasks::families()) names.emplace_back(family.name);
  command->add_option("--split", options->split, "train, calibration or test")
      ->type_name("NAME")
      ->check(CLI::IsMember({"train", "calibration", "test"}))
      ->capture_default_str();
  command->add_option("--count", options->count, "How many tasks")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed makes other tasks")
      ->type_name("N")
      ->capture_default_str();
  auto* families = command
                       ->add_option("--families", options->families,
                                    "Only these, separated by commas; --list shows them")
                       ->type_name("NAMES")
                       ->delimiter(',')
                       ->check(CLI::IsMember(names).description(""));
  command->add_option("--levels", options->levels, "Only these, 1 (easy) to 4, separated by commas")
      ->type_name("LEVELS")
      ->delimiter(',')
      ->check(CLI::Range(1, tasks::kLevels).description(""));
  command
      ->add_option("--document", options->document_bytes,
                   "Questions about documents of about so many bytes, in place of the families")
      ->type_name("BYTES")
      ->check(CLI::Range(tasks::kLeastDocument, tasks::kMostDocument).description(""))
      ->excludes(families);
  auto* list = command->add_flag("--list", options->list,
                                 "Families, levels and checks with an example each, and no suite");
  command->add_flag("--json", options->json, "The list as JSON")->needs(list);
  command->footer(
      "Writes one JSON object a line to stdout; the same options always give the same lines. The\n"
      "splits share neither numbers nor ways of asking. Families and levels take turns, so that\n"
      "the first lines are a fair sample.\n"
      "\n"
      "Examples:\n"
      "  lichen suite > suite.jsonl\n"
      "  lichen suite --split calibration --count 2000 --seed 7 > calibration.jsonl\n"
      "  lichen suite --families table,robot --levels 3,4 --count 40\n"
      "  lichen suite --document 32000 --count 40 > documents.jsonl\n"
      "  lichen suite --list --families fact");
  command->callback(
      [&invocation, options] { invocation.action = [options] { return suite(*options); }; });
}

}  // namespace lichen::cli
