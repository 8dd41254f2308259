// lichen privacy scan: what is private in a text, and where.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>

#include "cli/name_search.h"
#include "cli/privacy_commands.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "privacy/mask.h"

namespace lichen::cli {
namespace {

struct ScanCommand {
  std::string file = "-";
  DetectorChoice detector;
  bool mask = false;
  bool json = false;
};

/// The counts of lines and, in the line, of characters from its start, both from 1.
struct Place {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

/// Places of rising bytes, each found from the one before.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}
  Place of(std::size_t byte) {
    for (; at_ < byte; ++at_) {
      if (text_[at_] == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
        ++place_.column;
      }
    }
    return place_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
};

boost::json::object json_of(const std::string& text, const std::vector<privacy::Span>& spans) {
  boost::json::array list;
  Places places(text);
  for (const privacy::Span& span : spans) {
    const Place place = places.of(span.begin);
    list.push_back(boost::json::object{{"kind", privacy::name_of(span.kind)},
                                       {"begin", span.begin},
                                       {"end", span.end},
                                       {"line", place.line},
                                       {"column", place.column}});
  }
  return {{"spans", std::move(list)}};
}

int show_masked(const privacy::Detector& detector, const std::string& text,
                const privacy::Spans& names, bool json) {
  privacy::Vault vault;
  const auto masked = privacy::mask(detector, vault, std::array<std::string_view, 1>{text}, names);
  if (!masked) return report_error(masked.error());
  const auto out = Terminal::of(stdout);
  if (!json) {
    out.write(out.harmless(masked->texts.front()));
    return kOk;
  }
  boost::json::object counts;
  for (std::size_t i = 0; i < privacy::kKinds; ++i) {
    if (masked->counts[i] == 0) continue;
    counts[privacy::name_of(static_cast<privacy::Kind>(i))] = masked->counts[i];
  }
  out.write(boost::json::serialize(
                boost::json::object{{"text", masked->texts.front()}, {"counts", counts}}) +
            "\n");
  return kOk;
}

int scan(const ScanCommand& options) {
  const auto text = read_document(options.file, std::cin);
  if (!text) return report_error(text.error());
  const auto detector = make_detector(options.detector);
  if (!detector) return report_error(detector.error());
  auto search = NameSearch::open(options.detector, {});
  if (!search) return report_error(search.error());
  const auto names = search->find({*text});
  if (!names) return report_error(names.error());
  if (options.mask) return show_masked(*detector, *text, *names, options.json);
  auto spans = detector->find(*text);
  if (!spans) return report_error(spans.error());
  spans->insert(spans->end(), names->front().begin(), names->front().end());
  *spans = privacy::join_overlaps(*std::move(spans));
  const auto out = Terminal::of(stdout);
  if (options.json) {
    out.write(boost::json::serialize(json_of(*text, *spans)) + "\n");
    return kOk;
  }
  if (spans->empty()) {
    out.write(search->active() ? "nothing private found\n"
                               : "nothing private found (names, organizations and places were not "
                                 "looked for)\n");
    return kOk;
  }
  Table table({{"line"}, {"column"}, {"kind", Table::Align::left}, {"value", Table::Align::left}});
  Places places(*text);
  for (const privacy::Span& span : *spans) {
    const Place place = places.of(span.begin);
    std::string value(span.in(*text));
    std::ranges::replace(value, '\n', ' ');
    table.row({format_count(place.line), format_count(place.column),
               std::string(privacy::name_of(span.kind)), out.harmless(value)});
  }
  out.write(table.text(out));
  return kOk;
}

}  // namespace

void add_privacy_scan(CLI::App& privacy, Invocation& invocation) {
  auto options = std::make_shared<ScanCommand>();
  auto* command = privacy.add_subcommand("scan", "Show what is private in a text, and where");
  command->add_option("file", options->file, "The text; - is stdin")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--mask", options->mask, "Print the text with placeholders instead");
  add_detector_options(*command, options->detector);
  command->add_flag("--json", options->json,
                    "One object: spans with kind, bytes, line and column, without the values; with "
                    "--mask the text and the counts of each kind");
  command->footer("Columns count characters. Kinds: " + privacy::all_kind_names() +
                  ".\n"
                  "\n"
                  "Examples:\n"
                  "  lichen privacy scan letter.txt\n"
                  "  lichen privacy scan --dictionary team.txt --mask < notes.md\n"
                  "  lichen privacy scan --kinds SECRET --json config.yaml");
  command->callback(
      [&invocation, options] { invocation.action = [options] { return scan(*options); }; });
}

}  // namespace lichen::cli
