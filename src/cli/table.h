// Tables and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

std::string format_percent(double share);       // 0.123 -> "12.3 %"
std::string format_ms(double ms);               // "0.8 ms", "12 ms", "3.40 s"
std::string format_usd(double usd);             // "$0.000012", "$1.20"
std::string format_joules(double joules);       // "0.42 J"
std::string format_count(std::int64_t number);  // "1,234,567"
std::string format_bytes(std::uint64_t bytes);  // "25.3 MB"

}  // namespace lichen::cli
