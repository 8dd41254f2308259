// What several sections of a configuration have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "lichen/receipt.h"
#include "policy/fields.h"

namespace lichen::policy {

inline constexpr std::int64_t kMaxContext = 1 << 28;  // tokens; models of today end at ten million

/// Whether `text` has nothing but letters, digits and what is in `also`.
bool all_of(std::string_view text, std::string_view also);

/// An error where `name`, the value of `key`, cannot be that of an environment variable.
void check_variable(Fields& fields, std::string_view key, const std::string& name);

/// A path of the configuration, whose relative paths start from its folder.
std::filesystem::path resolve(const std::filesystem::path& file, const std::string& relative);

/// `price: {input, output, cached_input}`.
void read_price(Fields& fields, const std::filesystem::path& file, std::optional<Price>& price);

}  // namespace lichen::policy
