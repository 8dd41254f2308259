#include "mechanisms/pipeline/outline.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "mechanisms/answer_text.h"

namespace lichen::mechanisms {
namespace {

/// "- price", "* price", "2. price" and "2) price" are the point "price".
std::string_view without_bullet(std::string_view line) {
  constexpr std::string_view kBullets[] = {"- ", "* ", "+ ", "\u2022 "};
  for (const std::string_view bullet : kBullets) {
    if (line.starts_with(bullet)) return trimmed(line.substr(bullet.size()));
  }
  const auto digits = line.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return line;
  const std::string_view rest = line.substr(digits);
  return rest.starts_with(". ") || rest.starts_with(") ") ? trimmed(rest.substr(2)) : line;
}

}  // namespace

Result<void> Outline::take(std::string_view text) {
  for (;;) {
    const auto end = text.find('\n');
    line_ += text.substr(0, end);
    if (end == std::string_view::npos) break;
    const Result<void> added = add(std::exchange(line_, {}));
    if (!added) return added;
    text.remove_prefix(end + 1);
  }
  // Blanks do not count, nor what numbers a point: a line of twice the length is none in any case.
  if (trimmed(line_).size() > 2 * kLongestPoint) return add(line_);
  return {};
}

Result<void> Outline::finish() {
  const Result<void> added = add(std::exchange(line_, {}));
  if (!added) return added;
  if (points_.size() >= 2) return {};
  return fail(Errc::bad_request,
              points_.empty() ? "the outline has no point" : "the outline has one point only");
}

std::string Outline::text(std::size_t count) const {
  std::string text;
  for (std::size_t i = 0; i < std::min(count, points_.size()); ++i) {
    if (i > 0) text += '\n';
    text += points_[i];
  }
  return text;
}

Result<void> Outline::add(std::string_view line) {
  const std::string_view point = without_bullet(trimmed(line));
  if (point.empty() || point.ends_with(':')) return {};
  if (point.size() > kLongestPoint) {
    return fail(Errc::bad_request, fmt::format("the outline has a line of {} bytes", point.size()));
  }
  if (std::ranges::find(points_, point) != points_.end()) {
    return fail(Errc::bad_request, fmt::format("the outline has the point `{}` twice", point));
  }
  if (points_.size() == most_) {
    return fail(Errc::bad_request, fmt::format("the outline has more than {} points", most_));
  }
  points_.emplace_back(point);
  return {};
}

}  // namespace lichen::mechanisms
