// The one idea: everything that answers is an Answerer. A model is one; a mechanism is one that
// holds others; a plan is an expression of them.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"
#include "lichen/result.h"
#include "lichen/turn.h"

namespace lichen {

enum class Finish : std::uint8_t { stop, length, tool_calls, content_filter };

std::string_view to_string(Finish finish);
/// Whether a limit or a content filter ended an answer, and not its author.
constexpr bool ended_early(Finish finish) {
  return finish == Finish::length || finish == Finish::content_filter;
}

/// A place in the request's document that an answer was written from.
struct Citation {
  std::string text;        // what was found there, in the words of the model that read it
  std::int64_t begin = 0;  // bytes of the document, from here ...
  std::int64_t end = 0;    // ... up to here
  int page = 0;            // of `begin`, from 1 on; 0: the document has no pages (form feeds)
};

struct Answer {
  std::string text;
  boost::json::array tool_calls = {};  // OpenAI's form
  std::string reasoning = {};          // what the model thought first, where it tells
  Finish finish = Finish::stop;
  std::string stop_string = {};  // of the request's, the one that ended the answer, where known
  /// Tokens with log-probabilities: always there from local models, from remote ones when the
  /// request asked for them and the endpoint gave them, else empty.
  std::vector<AnswerToken> tokens = {};
  std::vector<Stretch> authors = {};  // who wrote which part of `text`, in order
  std::vector<Citation> citations = {};
  /// The prompt's and the answer's size as the answering model counts them: the `usage` of the
  /// reply. What the whole turn cost is in the receipt.
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t completion_tokens = 0;
  /// Guesses that the answering model has checked, and of these the ones that stand in `text`.
  std::int64_t drafted_tokens = 0;
  std::int64_t accepted_tokens = 0;
};

class Answerer {
 public:
  virtual ~Answerer() = default;
  /// Answers `request`, streaming into `turn` as far as the mechanism allows, and adds its steps
  /// and decisions to `turn.receipt`. Runs on the caller's executor and comes back to it. Text
  /// once emitted stays: it is a prefix of the answer's text.
  virtual awaitable<Result<Answer>> answer(Request request, Turn& turn) = 0;
};

using AnswererPtr = std::shared_ptr<Answerer>;

/// Unit-length vectors, one for each text, all of one width.
using Embeddings = std::vector<std::vector<float>>;

/// Weights that answer: `LocalModel` (libllama) or `RemoteModel` (HTTP). Safe to use from any
/// thread; lives as long as the plans that hold it.
class Model : public Answerer {
 public:
  virtual const std::string& name() const = 0;
  virtual bool local() const = 0;
  /// Prompt and answer together, in tokens; 0 when the endpoint does not say.
  virtual std::int64_t context_length() const = 0;
  /// Whether it can go on with an answer that another has begun (`Request::begun`).
  virtual bool continues() const { return local(); }
  /// Tokens of the request's prompt, however long. Without a tokenizer an estimate: four bytes
  /// each.
  virtual awaitable<Result<std::int64_t>> count_tokens(Request request);
  /// `unsupported` where the model or endpoint offers no embeddings.
  virtual awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) = 0;
};

using ModelPtr = std::shared_ptr<Model>;

}  // namespace lichen
