// Tables for people, and numbers in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "cli/terminal.h"

namespace lichen::cli {

/// Columns as wide as their widest cell; numbers to the right.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::right;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell for each column; a cell may hold styles.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Title line and rows, each ended by a line feed, without trailing blanks.
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

using base::format_bytes;
using base::format_count;
using base::format_joules;
using base::format_ms;
using base::format_percent;
using base::format_usd;

}  // namespace lichen::cli
