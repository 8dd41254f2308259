// What a session and a step of it are, between session.cpp and the batcher.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lichen/session.h"
#include "model/kv_cache.h"

namespace lichen {

namespace model {
class Batcher;
struct PendingStep;
}  // namespace model

/// Lane's thread only.
struct Session::State {
  std::shared_ptr<model::Batcher> batcher;
  Turn* turn;
  std::uint64_t arrival;  // earlier sessions go before later ones
  model::Sequence sequence = {};
  model::SavedSequence saved = {};     // while preempted
  model::PendingStep* step = nullptr;  // waiting for a batch
  SessionStats stats = {};
};

namespace model {

/// One `Session::decode` in progress; lives in the coroutine that waits for it.
struct PendingStep {
  Session::State* session;
  std::span<const Token> tokens;
  Want want;
  Clock::time_point asked = Clock::now();
  bool opens = false;    // the session's first
  bool started = false;  // a batch has taken tokens of it
  /// Of `Batcher::places_`, when it last found none.
  std::uint64_t turned_away = 0;
  std::size_t done = 0;  // tokens decoded, those that the prefix cache had included
  bool differs = false;  // Rows::agreed: the last row chose another token than the input has
  std::vector<Row> rows = {};
  std::optional<Error> error = {};
  std::move_only_function<void()> resume = {};

  std::span<const Token> rest() const { return tokens.subspan(done); }
};

}  // namespace model
}  // namespace lichen
