// lichen privacy: what is private in texts, and how well that is found.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/privacy_commands.h"
#include "cli/prompt.h"
#include "privacy/kept_database.h"

namespace lichen::cli {

void add_detector_options(CLI::App& command, DetectorChoice& choice) {
  command
      .add_option("--dictionary", choice.dictionary,
                  "Your own words, a line each: KIND: text, or the text alone")
      ->type_name("FILE");
  command.add_option("--kinds", choice.kinds, "Only these, with commas between: EMAIL,PHONE")
      ->type_name("KINDS");
  command
      .add_option("--names", choice.names,
                  "The model that finds names, organizations and places; none: no model. Otherwise "
                  "the bundled one")
      ->type_name("GGUF");
  command
      .add_option("--names-threshold", choice.threshold,
                  "A word is a name's from this probability on: lower finds and masks more "
                  "(default: the model's)")
      ->type_name("P");
}

Result<privacy::KindSet> chosen_kinds(const DetectorChoice& choice) {
  privacy::KindSet kinds;
  if (choice.kinds.empty()) return kinds.set();
  for (const std::string& name : CLI::detail::split(choice.kinds, ',')) {
    const auto kind = privacy::kind_of(name);
    if (!kind) {
      return fail(Errc::bad_config, "--kinds: there is no kind \"" + name + "\"; there are " +
                                        privacy::all_kind_names());
    }
    kinds.set(privacy::index_of(*kind));
  }
  return kinds;
}

Result<privacy::Detector> make_detector(const DetectorChoice& choice) {
  const auto kinds = chosen_kinds(choice);
  if (!kinds) return std::unexpected(kinds.error());
  privacy::DetectorOptions options{.kinds = *kinds, .kept = privacy::usual_database_folder()};
  if (!choice.dictionary.empty()) {
    const auto lines = read_document(choice.dictionary, std::cin);
    if (!lines) return std::unexpected(lines.error());
    auto terms = privacy::parse_dictionary(*lines, choice.dictionary);
    if (!terms) return std::unexpected(terms.error());
    options.dictionary = *std::move(terms);
  }
  return privacy::Detector::make(std::move(options));
}

void add_privacy(CLI::App& app, Invocation& invocation) {
  auto* privacy = app.add_subcommand("privacy", "Find private values in texts, and mask them");
  privacy->require_subcommand(1);
  privacy->footer(
      "Examples:\n"
      "  lichen privacy scan letter.txt\n"
      "  git diff | lichen privacy scan --mask\n"
      "  lichen privacy eval --data texts.json --json -");
  add_privacy_scan(*privacy, invocation);
  add_privacy_eval(*privacy, invocation);
}

}  // namespace lichen::cli
