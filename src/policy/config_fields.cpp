#include "policy/config_fields.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace lichen::policy {

using std::filesystem::path;

namespace {

constexpr double kMaxPrice = 1e6;  // USD per million tokens

}  // namespace

bool all_of(std::string_view text, std::string_view also) {
  return std::ranges::all_of(
      text, [also](char c) { return base::is_alphanumeric(c) || also.contains(c); });
}

void check_variable(Fields& fields, std::string_view key, const std::string& name) {
  if (name.empty() || (all_of(name, "_") && !base::is_digit(name[0]))) return;
  // Not quoted: it may well be the key itself.
  fields.fail(key, fmt::format("`{}` must be the name of an environment variable that holds the "
                               "key (letters, digits, _), not the key itself",
                               key));
}

path resolve(const path& file, const std::string& relative) {
  return (file.parent_path() / relative).lexically_normal();
}

void read_price(Fields& model, const path& file, std::optional<Price>& price) {
  const YamlNode* node = model.find("price");
  if (node == nullptr || model.failed()) return;
  Fields fields(file, *node, "`price`");
  price.emplace();
  fields.read("input", price->input, 0, kMaxPrice);
  fields.read("output", price->output, 0, kMaxPrice);
  fields.read("cached_input", price->cached_input, 0, kMaxPrice);
  fields.require({"input", "output"});
  if (auto error = fields.finish()) model.fail(*std::move(error));
}

}  // namespace lichen::policy
