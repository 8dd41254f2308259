// A prompt as what a compressor may leave out: parts, which are sentences, lines or what may not be
// touched, and the words of a part. Rules on the text alone; no model is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

/// Why a part stays whatever the model thinks of it.
enum class Hold : std::uint8_t {
  none,
  question,  // what is asked, and how it is to be answered
  verbatim,  // fenced by <keep>...</keep>, or a block of code between ``` or ~~~
};

struct PromptPart {
  std::string text;  // with the white space behind it
  Hold hold = Hold::none;
};

/// Longer sentences are cut, behind a blank where there is one.
inline constexpr std::size_t kMostPartBytes = 400;

/// The parts of `text`, which in a row are `text` without the tags of its fences. A part ends
/// behind a line, behind . ! ? with a blank and no small letter after it, behind the same marks of
/// Chinese and Japanese. `text` is UTF-8, and so is each part. `<keep>` that nothing closes is
/// plain text.
std::vector<PromptPart> parts_of(std::string_view text);

/// Holds what is likely to be the question or the instruction of a message: what stands at either
/// end of it, up to three parts (fewer of a short message), as far as a blank line, else a line's
/// end, else a question mark among them sets it apart; without any of these, two.
void hold_question(std::span<PromptPart> parts);

/// Those of `parts` that stay, in a row. Where lines or paragraphs have been left out between two,
/// these stay apart. `stays` has a value for each part.
std::string join_parts(std::span<const PromptPart> parts, const std::vector<bool>& stays);

struct PromptWord {
  std::size_t bytes = 0;  // with the white space before it
  bool held = false;
};

/// The words of a part, in a row all of its bytes. Held are words with a digit, with a capital
/// letter that does not begin the part (two of them anywhere), with a bracket or another sign of
/// markup, placeholders, paths and addresses; negations; the mark that ends the part; and line
/// breaks.
std::vector<PromptWord> words_of(std::string_view part);

}  // namespace lichen::mechanisms
