// How a model wants to be spoken to: its chat template, and grammars for the form of its replies.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "lichen/request.h"
#include "lichen/result.h"

namespace lichen::model {

/// Messages and tools as the model's template renders them.
struct RenderedChat {
  std::string prompt;
  std::string grammar = {};             // GBNF that the reply must follow; empty: any text
  std::string begun = {};               // the end of the prompt, where the grammar begins with it
  std::vector<std::string> stops = {};  // further stop strings of this format
  /// A tool call begins with one of these, so what stands before is text. Empty: not known.
  std::vector<std::string> call_starts = {};
  // How to read tool calls out of the reply; opaque.
  std::string parser = {};
  std::string generation_prompt = {};
  int format = 0;
};

struct ParsedReply {
  std::string content;
  boost::json::array tool_calls = {};  // OpenAI's form
};

/// Immutable, hence safe from any thread.
class ChatFormat {
 public:
  virtual ~ChatFormat() = default;
  /// `unsupported` when the model has no chat template, or the template fails on these messages or
  /// drops the tools. `bad_request` when `tool_choice` names a tool that is not there.
  virtual Result<RenderedChat> render(const Request& request) const = 0;
  /// Splits a finished reply into text and tool calls.
  virtual Result<ParsedReply> parse(const RenderedChat& chat, const std::string& reply) const = 0;
  /// GBNF for a format that is not free. `bad_request` when a schema cannot be turned into one.
  virtual Result<std::string> grammar(const Format& format) const = 0;
};

}  // namespace lichen::model
