// The prompts that mechanisms put to models: the files of prompts/, compiled in. The suite's skill
// families are made with the very same ones.
//
//   render("judge", {{"question", question}, {"answer", answer}})
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

struct Prompt {
  std::string_view name;  // of its file, without ".txt"
  std::string_view text;  // `{name}` is a slot
};

/// All of them, by name.
std::span<const Prompt> prompts();

/// The names of a prompt's slots, in the order in which they first appear.
std::vector<std::string_view> slots_of(std::string_view text);

using PromptSlot = std::pair<std::string_view, std::string_view>;

/// A prompt with its slots filled. A value is never scanned for slots, whatever stands in it.
/// `not_found`: no such prompt; `bad_request`: a slot that the prompt does not have, or one without
/// a value.
Result<std::string> render(std::string_view name, std::initializer_list<PromptSlot> slots);

}  // namespace lichen::mechanisms
