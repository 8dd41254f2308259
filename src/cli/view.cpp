#include "cli/view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "cli/table.h"

namespace lichen::cli {
namespace {

/// Cells of numbers that a machine or model may not have.
template <class Format>
std::string cell(const std::optional<double>& value, Format format) {
  return value ? format(*value) : "-";
}

std::string author_line(const Receipt& receipt, Palette& palette, const Terminal& terminal) {
  std::vector<std::pair<std::string, std::int64_t>> authors;  // in order of appearance
  std::int64_t all = 0;
  for (const Stretch& stretch : receipt.authors) {
    all += stretch.tokens;
    auto known = std::ranges::find(authors, stretch.model, &decltype(authors)::value_type::first);
    if (known == authors.end()) known = authors.insert(known, {stretch.model, 0});
    known->second += stretch.tokens;
  }
  std::string line;
  for (const auto& [model, tokens] : authors) {
    if (!line.empty()) line += "   ";
    line += terminal.styled("\u25A0 " + model, palette.style(model));
    line += fmt::format(" {} {}", format_count(tokens), tokens == 1 ? "token" : "tokens");
    if (authors.size() > 1 && all > 0) {
      line += " (" + format_percent(static_cast<double>(tokens) / static_cast<double>(all)) + ")";
    }
  }
  return line.empty() ? "" : line + "\n";
}

std::string steps_table(const Receipt& receipt, Palette& palette, const Terminal& terminal) {
  using enum Table::Align;
  Table table({{"step", left},
               {"role", left},
               {"in"},
               {"cached"},
               {"out"},
               {"queued"},
               {"prefill"},
               {"decode"},
               {"USD"},
               {"joules"}});
  for (const Step& step : receipt.steps) {
    const std::string mark = step.estimated ? "~" : "";
    table.row({terminal.styled(step.model, palette.style(step.model)), step.role,
               mark + format_count(step.tokens_in), format_count(step.tokens_cached),
               mark + format_count(step.tokens_out), format_ms(step.queued_ms),
               format_ms(step.prefill_ms), format_ms(step.decode_ms), cell(step.usd, format_usd),
               cell(step.joules, format_joules)});
  }
  return table.empty() ? "" : table.text(terminal);
}

std::string left_device(const Receipt& receipt) {
  std::vector<std::pair<std::string, std::int64_t>> sent;
  for (const Step& step : receipt.steps) {
    if (!step.remote || step.bytes_sent <= 0) continue;
    auto known = std::ranges::find(sent, step.model, &decltype(sent)::value_type::first);
    if (known == sent.end()) known = sent.insert(known, {step.model, 0});
    known->second += step.bytes_sent;
  }
  if (sent.empty()) return "nothing left this device";
  std::string line = "left this device:";
  for (const auto& [model, bytes] : sent) {
    line += fmt::format("{} {} to {}", line.ends_with(':') ? "" : ",",
                        format_bytes(static_cast<std::uint64_t>(bytes)), model);
  }
  return line;
}

}  // namespace

Palette::Palette(std::span<const std::string> models) {
  for (const auto& model : models) style(model);
}

Style Palette::style(const std::string& model) {
  constexpr Style kStyles[] = {Style::green, Style::magenta, Style::cyan, Style::yellow,
                               Style::blue};
  const auto next = kStyles[styles_.size() % std::size(kStyles)];
  return styles_.try_emplace(model, next).first->second;
}

std::string coloured(std::string_view text, std::size_t from, std::span<const Stretch> authors,
                     Palette& palette, const Terminal& terminal) {
  std::string out;
  std::size_t start = 0;
  for (const Stretch& stretch : authors) {
    const std::size_t size = std::min(
        static_cast<std::size_t>(std::max<std::int64_t>(stretch.bytes, 0)), text.size() - start);
    const std::size_t end = start + size;
    if (end > from) {
      const auto part = text.substr(std::max(start, from), end - std::max(start, from));
      out += terminal.styled(terminal.harmless(part), palette.style(stretch.model));
    }
    start = end;
  }
  const std::size_t rest = std::max(start, from);
  if (rest < text.size()) out += terminal.harmless(text.substr(rest));
  return out;
}

std::string citations_text(std::span<const Citation> citations, const Terminal& terminal) {
  std::string text;
  int number = 0;
  for (const Citation& citation : citations) {
    const std::string page = citation.page > 0 ? fmt::format("page {}, ", citation.page) : "";
    text += terminal.styled(fmt::format("[{}] {}bytes {} to {}: ", ++number, page,
                                        format_count(citation.begin), format_count(citation.end)),
                            Style::dim);
    text += terminal.harmless(citation.text) + "\n";
  }
  return text;
}

std::string receipt_text(const Receipt& receipt, Palette& palette, const Terminal& terminal) {
  std::string head = fmt::format("receipt {}  plan {}", receipt.id, receipt.plan);
  if (!receipt.finish.empty()) head += "  finish " + receipt.finish;
  if (!receipt.error.empty()) head += "  error " + receipt.error;
  std::string out = terminal.styled(head, Style::dim) + "\n";
  out += author_line(receipt, palette, terminal);
  out += steps_table(receipt, palette, terminal);
  for (const Decision& decision : receipt.decisions) {
    out += fmt::format("{} chose {}: {}\n", decision.mechanism,
                       terminal.styled(decision.choice, Style::bold),
                       terminal.harmless(decision.reason));
  }

  if (receipt.feedback) {
    out += fmt::format("feedback {:g}{}{}\n", receipt.feedback->score,
                       receipt.feedback->comment.empty() ? "" : ": ",
                       terminal.harmless(receipt.feedback->comment));
  }

  const Totals sum = totals(receipt);
  std::string line = format_ms(receipt.total_ms);
  if (receipt.first_token_ms) {
    line += fmt::format(" (first token after {})", format_ms(*receipt.first_token_ms));
  }
  line += fmt::format(", {} tokens in, {} out", format_count(sum.tokens_in),
                      format_count(sum.tokens_out));
  if (sum.usd) line += ", " + format_usd(*sum.usd);
  if (sum.joules) line += ", " + format_joules(*sum.joules);
  return out + line + ", " + left_device(receipt) + "\n";
}

}  // namespace lichen::cli
