// Models with scripted answers: what tests use in a real model's place. Everything a mechanism can
// meet can be scripted: text, log-probabilities, delays, failures before or within the text.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::mechanisms {

/// One answer as a model would give it. Its tokens are the words of `text`, each with the white
/// space before it.
struct Script {
  std::string text = {};
  std::string reasoning = {};  // comes first, in one piece
  float logprob = -0.01f;      // of every token
  bool logprobs = true;        // false: as an endpoint that gives none
  Finish finish = Finish::stop;
  boost::json::array tool_calls = {};
  std::chrono::milliseconds first_token_after{0};
  std::chrono::milliseconds between_tokens{0};
  bool never_ends = false;          // says no more after its last token, until the turn is stopped
  std::optional<Error> error = {};  // fails with it ...
  int error_after = 0;              // ... after this many tokens
};

/// Streams piece by piece, counts a word as a token, adds a step with the role "answer" (whether it
/// fails or not), and stops with the turn. Safe to use from any thread.
class ScriptedModel : public Model {
 public:
  struct Traits {
    bool local = true;
    bool continues = true;
    std::int64_t context_length = 0;  // a longer prompt is a context_overflow; 0: no limit
    std::optional<Price> price = {};
    int embedding_width = 0;  // 0: offers none
  };

  /// Gives the answers of `script` in order, the last one from then on. An empty script is an
  /// empty answer.
  explicit ScriptedModel(std::string name, std::vector<Script> script = {});
  ScriptedModel(std::string name, std::vector<Script> script, Traits traits);
  /// Asks `respond` for each answer; it is called by one request at a time.
  ScriptedModel(std::string name, std::function<Script(const Request&)> respond, Traits traits);

  const std::string& name() const override { return name_; }
  bool local() const override { return traits_.local; }
  std::int64_t context_length() const override { return traits_.context_length; }
  bool continues() const override { return traits_.continues; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override;
  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override;

  /// What it was asked so far.
  std::vector<Request> requests() const;

 private:
  const std::string name_;
  const Traits traits_;
  mutable std::mutex mutex_;
  std::function<Script(const Request&)> respond_;  // guarded by mutex_
  std::vector<Request> requests_;                  // guarded by mutex_
};

/// Keeps what it receives. Refuses further pieces once it has `limit`.
class CollectingSink : public Sink {
 public:
  explicit CollectingSink(std::size_t limit = SIZE_MAX) : limit_(limit) {}

  awaitable<bool> write(Piece piece) override {
    if (pieces.size() >= limit_) co_return false;
    pieces.push_back(std::move(piece));
    co_return true;
  }
  std::string text() const {
    std::string all;
    for (const Piece& piece : pieces) all += piece.text;
    return all;
  }

  std::vector<Piece> pieces;

 private:
  const std::size_t limit_;
};

/// What each step of the turn was, "MODEL:ROLE".
inline std::vector<std::string> roles(const Turn& turn) {
  std::vector<std::string> roles;
  for (const Step& step : turn.receipt.steps) roles.push_back(step.model + ":" + step.role);
  return roles;
}

/// Runs one coroutine to its end on an io_context of its own.
template <class T>
T run(awaitable<T> work) {
  boost::asio::io_context io;
  std::optional<T> result;
  boost::asio::co_spawn(io, std::move(work), [&result](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result = std::move(value);
  });
  io.run();
  return *std::move(result);
}

}  // namespace lichen::mechanisms
