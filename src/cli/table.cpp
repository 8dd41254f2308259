#include "cli/table.h"

#include <algorithm>
#include <cassert>

namespace lichen::cli {

std::string Table::text(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& cells : rows_) {
      assert(cells.size() == columns_.size());
      width = std::max(width, display_width(cells[i]));
    }
    widths.push_back(width);
  }

  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(widths[i] - display_width(cells[i]), ' ');
      if (i > 0) text += "  ";
      text += columns_[i].align == Align::right ? blanks + cells[i] : cells[i] + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  std::vector<std::string> titles;
  titles.reserve(columns_.size());
  for (const auto& column : columns_) titles.push_back(terminal.styled(column.title, Style::dim));
  line(titles);
  for (const auto& cells : rows_) line(cells);
  return out;
}

}  // namespace lichen::cli
