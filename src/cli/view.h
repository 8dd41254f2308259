// How answers and receipts look to a person: each author in a colour of its own, and under the
// answer what it cost. Pure functions.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "lichen/answerer.h"
#include "lichen/receipt.h"

namespace lichen::cli {

/// A colour for each model: in the order in which they are named first, so that the models of a
/// configuration keep theirs from turn to turn.
class Palette {
 public:
  explicit Palette(std::span<const std::string> models = {});
  Style style(const std::string& model);

 private:
  std::map<std::string, Style> styles_;
};

/// `text` from byte `from` on, with each stretch in its author's colour. `authors` cover the text
/// from its start; what they leave uncovered is plain.
std::string coloured(std::string_view text, std::size_t from, std::span<const Stretch> authors,
                     Palette& palette, const Terminal& terminal);

/// Where an answer comes from, a line for each place; empty where there is none.
std::string citations_text(std::span<const Citation> citations, const Terminal& terminal);

/// The receipt in some lines: authors, steps, decisions, totals, what left the device.
std::string receipt_text(const Receipt& receipt, Palette& palette, const Terminal& terminal);

}  // namespace lichen::cli
