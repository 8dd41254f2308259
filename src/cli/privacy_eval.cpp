// lichen privacy eval: how well private values are found in texts where they are known.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>

#include "cli/name_search.h"
#include "cli/privacy_commands.h"
#include "cli/progress.h"
#include "cli/prompt.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/privacy_evaluation.h"

namespace lichen::cli {
namespace {

struct EvalCommand {
  std::string data;
  DetectorChoice detector;
  std::string json;
};

double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string spans_text(const eval::PrivacyFigures& figures, const Terminal& terminal) {
  Table types({{"type", Table::Align::left}, {"known"}, {"recall"}, {"covered"}, {"for patterns"}});
  for (const eval::TypeFigures& type : figures.types) {
    types.row({type.type, format_count(type.known),
               format_percent(share_of(type.found, type.known)),
               format_percent(share_of(type.covered, type.known)), type.by_pattern ? "yes" : "no"});
  }
  Table kinds({{"kind", Table::Align::left}, {"found"}, {"precision"}, {"private at all"}});
  for (const eval::KindFigures& kind : figures.kinds) {
    kinds.row({std::string(privacy::name_of(kind.kind)), format_count(kind.found),
               format_percent(share_of(kind.right, kind.found)),
               format_percent(share_of(kind.is_private, kind.found))});
  }
  return types.text(terminal) + "\n" + kinds.text(terminal) +
         fmt::format(
             "\nall types: recall {}, precision {}\n"
             "recall on the types that patterns are for: {}\n",
             format_percent(figures.recall()), format_percent(figures.precision()),
             format_percent(figures.pattern_recall()));
}

boost::json::object json_of(const eval::PrivacyFigures& figures, bool spans, double speed,
                            const NameSearch& names) {
  boost::json::object json{{"bytes", figures.bytes}, {"bytes_per_second", speed}};
  if (names.active()) {
    json["names"] = boost::json::object{{"bytes_per_second", names.bytes_per_second()},
                                        {"tokens_per_second", names.tokens_per_second()}};
  }
  if (!spans) {
    json["units"] = figures.units;
    json["leaked"] = figures.leaked;
    json["leaked_share"] = figures.leaked_share();
    return json;
  }
  boost::json::object types, kinds;
  for (const eval::TypeFigures& type : figures.types) {
    types[type.type] = boost::json::object{{"known", type.known},
                                           {"recall", share_of(type.found, type.known)},
                                           {"covered", share_of(type.covered, type.known)},
                                           {"by_pattern", type.by_pattern}};
  }
  for (const eval::KindFigures& kind : figures.kinds) {
    kinds[privacy::name_of(kind.kind)] =
        boost::json::object{{"found", kind.found},
                            {"precision", share_of(kind.right, kind.found)},
                            {"private", share_of(kind.is_private, kind.found)}};
  }
  json["types"] = std::move(types);
  json["kinds"] = std::move(kinds);
  json["recall"] = figures.recall();
  json["precision"] = figures.precision();
  json["pattern_recall"] = figures.pattern_recall();
  return json;
}

/// Some texts at a time, so that passes are full and progress is seen. None without a model.
Result<std::optional<privacy::Spans>> names_in(NameSearch& search,
                                               std::span<const eval::PrivacyText> texts,
                                               ProgressBar& bar) {
  constexpr std::size_t kAtOnce = 32;
  if (!search.active()) return std::nullopt;
  privacy::Spans names;
  while (names.size() < texts.size()) {
    const auto some = texts.subspan(names.size(), std::min(kAtOnce, texts.size() - names.size()));
    std::vector<std::string> copies;
    for (const eval::PrivacyText& text : some) copies.push_back(text.text);
    auto found = search.find(std::move(copies));
    if (!found) return std::unexpected(found.error());
    std::ranges::move(*found, std::back_inserter(names));
    bar.update(static_cast<double>(names.size()) / static_cast<double>(texts.size()),
               "looking for names");
  }
  return names;
}

int evaluate(const EvalCommand& options) {
  const auto bytes = read_document(options.data, std::cin);
  if (!bytes) return report_error(bytes.error());
  const auto data = eval::read_privacy_data(*bytes, options.data);
  if (!data) return report_error(data.error());
  const auto detector = make_detector(options.detector);
  if (!detector) return report_error(detector.error());
  // One thread, so that speeds are one core's.
  auto search = NameSearch::open(options.detector, {.threads = 1});
  if (!search) return report_error(search.error());
  ProgressBar bar(Terminal::of(stderr));
  const auto names = names_in(*search, data->texts, bar);
  if (!names) {
    bar.clear();
    return report_error(names.error());
  }
  const auto figures = eval::evaluate_privacy(*detector, *data, *names, [&bar](double done) {
    bar.update(done, "looking for private values");
  });
  bar.clear();
  if (!figures) return report_error(figures.error());
  const auto speed = eval::detector_speed(*detector, data->texts);
  if (!speed) return report_error(speed.error());

  const bool spans = data->shape == eval::PrivacyData::Shape::spans;
  const auto out = Terminal::of(stdout);
  if (options.json != "-") {
    if (spans) {
      out.write(spans_text(*figures, out));
    } else {
      out.write(fmt::format("leaked: {} of {} private units ({})\n", format_count(figures->leaked),
                            format_count(figures->units), format_percent(figures->leaked_share())));
    }
    out.write(fmt::format("{} texts, {}; patterns {:.0f} MB/s on one core\n",
                          format_count(std::ssize(data->texts)), format_bytes(figures->bytes),
                          *speed / 1e6));
    if (search->active()) {
      out.write(fmt::format("names {:.3f} MB/s, {} tokens/s on one core\n",
                            search->bytes_per_second() / 1e6,
                            format_count(std::llround(search->tokens_per_second()))));
    } else {
      out.write("names were not looked for\n");
    }
  }
  if (options.json.empty()) return kOk;
  const auto written =
      write_output(options.json, boost::json::serialize(json_of(*figures, spans, *speed, *search)));
  return written ? kOk : report_error(written.error());
}

}  // namespace

void add_privacy_eval(CLI::App& privacy, Invocation& invocation) {
  auto options = std::make_shared<EvalCommand>();
  auto* command =
      privacy.add_subcommand("eval", "Measure what is found, missed and leaked, and how fast");
  command->add_option("--data", options->data, "Texts whose private values are known; - is stdin")
      ->type_name("FILE")
      ->required();
  add_detector_options(*command, options->detector);
  add_json(*command, options->json);
  command->footer(
      "--data is one of two, told by its first character:\n"
      "  a JSON array of {\"full_text\", \"spans\": [{\"entity_type\", \"start_position\",\n"
      "  \"end_position\"}]} with places in characters (as presidio-research writes it), or\n"
      "  CSV with the columns user_query and pii_units, units parted by || (as PUPA has it).\n"
      "Recall: values of which spans of the right kind cover every letter and digit. Covered: by\n"
      "spans of any kind. Precision: spans that touch a value of a type that is theirs.\n"
      "Leaked: units that still stand, in any case, in the masked text.\n"
      "\n"
      "Examples:\n"
      "  lichen privacy eval --data presidio_synth_v2.json\n"
      "  lichen privacy eval --data PUPA_TNB.csv --dictionary names.txt --json pupa.json");
  command->callback(
      [&invocation, options] { invocation.action = [options] { return evaluate(*options); }; });
}

}  // namespace lichen::cli
