// Captures (mechanisms/distillation/capture.h) as examples to learn from: what a teacher said, with
// its odds in the student's tokens, whatever its own vocabulary is.
#pragma once

#include <cstdint>

#include "lichen/result.h"
#include "mechanisms/distillation/capture.h"
#include "mechanisms/distillation/training/chat_examples.h"

namespace lichen::training {

/// What an example has of a teacher's odds.
enum class TeacherOdds : std::uint8_t {
  none,    // the text alone
  pieces,  // of the student's tokens
  sorted,  // of whichever, the likeliest first: for losses that compare ranks (uld)
};

struct CaptureExamples {
  ChatExamples chats = {};
  std::int64_t tokens = 0;     // of all answers, with their ends
  std::int64_t with_odds = 0;  // of these with a teacher's odds; the others are as sure as text is
};

/// The student writes an answer in its own tokens. Where one of them begins at a token of the
/// teacher's, the teacher's odds are the target: of a piece that the student has no token for, its
/// first token's (UniTE, arXiv 2410.03777, section 3.2), and what has the same first token
/// together. Elsewhere, and where the teacher gave no odds, the target is the text's own token.
/// Rationales are as in ChatExamples. `bad_request`: the capture is damaged, or holds no example
/// that is short enough.
Result<CaptureExamples> read_capture(const mechanisms::CaptureFile& capture,
                                     const model::Tokenizer& tokenizer, const ChatOptions& options,
                                     TeacherOdds odds);

}  // namespace lichen::training
