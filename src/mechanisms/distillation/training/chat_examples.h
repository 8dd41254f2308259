// Chats as examples to learn from: JSON lines, read as the student reads them.
//
//   {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
//   {"prompt": "...", "reference": "..."}      a line of a suite; `answer` goes before `reference`
//
// Each message of an assistant is an example, whose prompt is all that stands before it. Both kinds
// may have a `rationale`, which the student then learns as a second task (distilling step by step,
// arXiv 2305.02301), and a `weight`; other keys are passed over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/result.h"
#include "mechanisms/distillation/training/example.h"
#include "model/open_local_model.h"

namespace lichen::training {

struct ChatOptions {
  std::int64_t longest = 2'048;   // tokens of an example; longer ones are left out
  double rationale_weight = 0.5;  // of a rationale's tokens; 0: none is learned
};

struct ChatExamples {
  std::vector<Example> examples = {};
  std::int64_t left_out = 0;  // for their length
};

/// An answer in the student's tokens, with the one that ends it. `bad_request`: there is no prompt.
Result<Example> chat_example(const model::Tokenizer& tokenizer, const std::vector<Message>& prompt,
                             const std::string& answer, double weight);
/// The way to an answer, which the student is asked for by prompts/rationale.txt.
Result<Example> rationale_example(const model::Tokenizer& tokenizer, std::vector<Message> prompt,
                                  const std::string& rationale, double weight);

/// `not_found`: no such file; `too_large`: over 4 GiB; `bad_request` names file and line.
Result<ChatExamples> load_chats(const std::filesystem::path& file,
                                const model::Tokenizer& tokenizer, const ChatOptions& options);

/// The same from memory. `origin` stands in errors where the file's name would.
Result<ChatExamples> parse_chats(std::string_view jsonl, const std::filesystem::path& origin,
                                 const model::Tokenizer& tokenizer, const ChatOptions& options);

}  // namespace lichen::training
