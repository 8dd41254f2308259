// How examples are laid out in bytes, in a capture and in its journal.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mechanisms/distillation/capture.h"

namespace lichen::mechanisms::capture_form {

inline constexpr std::string_view kFormat = "lichen-capture 1";
inline constexpr std::uint32_t kNoPiece = 0xFFFF'FFFF;
inline constexpr int kMostAlternatives = 1'024;

using Half = _Float16;

/// The rows that an example's tokens have in the arrays of a capture.
struct TokenRows {
  std::vector<std::uint32_t> spans = {};
  std::vector<std::uint32_t> top = {};
  std::vector<Half> logprobs = {};
  std::vector<Half> tail = {};

  /// Room for so many tokens.
  TokenRows(std::size_t tokens, int alternatives);
};

TokenRows rows_of(const std::vector<CapturedToken>& tokens, int alternatives);
std::vector<CapturedToken> tokens_of(const TokenRows& rows, int alternatives);

/// {"role", "content"} and whatever else it has, in OpenAI's form.
boost::json::object json_of_message(const Message& message);
/// All of an example but its tokens, as JSON.
std::string json_of(const CapturedExample& example);
/// Fills all but the tokens; `bad_request`: the text is no such JSON.
Result<CapturedExample> example_from(std::string_view json);

}  // namespace lichen::mechanisms::capture_form
