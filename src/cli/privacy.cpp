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
}

Result<privacy::Detector> make_detector(const DetectorChoice& choice) {
  privacy::DetectorOptions options{.kept = privacy::usual_database_folder()};
  if (!choice.kinds.empty()) {
    options.kinds.reset();
    for (const std::string& name : CLI::detail::split(choice.kinds, ',')) {
      const auto kind = privacy::kind_of(name);
      if (!kind) {
        return fail(Errc::bad_config, "--kinds: there is no kind \"" + name + "\"; there are " +
                                          privacy::all_kind_names());
      }
      options.kinds.set(privacy::index_of(*kind));
    }
  }
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
