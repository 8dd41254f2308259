#include "privacy/placeholder_series.h"

#include <utility>

#include "privacy/fold.h"

namespace lichen::privacy {
namespace {

std::string folded(std::string_view text) {
  std::string out(text.size(), '\0');
  fold_case(text, out.data());
  return out;
}

}  // namespace

std::string PlaceholderSeries::next(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  std::size_t& number = numbers_.try_emplace(std::string(name), 0).first->second;
  for (;;) {
    std::string placeholder = "[" + std::string(name) + "_" + std::to_string(++number) + "]";
    std::string key = folded(placeholder);
    if (avoided_.contains(key)) continue;
    given_.insert(std::move(key));
    return placeholder;
  }
}

void PlaceholderSeries::avoid(std::string_view placeholder) {
  const std::scoped_lock lock(mutex_);
  avoided_.insert(folded(placeholder));
}

bool PlaceholderSeries::has_given(std::string_view placeholder) const {
  const std::scoped_lock lock(mutex_);
  return given_.contains(folded(placeholder));
}

}  // namespace lichen::privacy
