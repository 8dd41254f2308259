// Continuous batching of one model: puts the waiting steps of all its sessions into one batch at a
// time.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/energy.h"
#include "lichen/session.h"
#include "model/backend.h"
#include "model/kv_cache.h"
#include "model/pass_sharing.h"
#include "model/pass_times.h"
#include "model/session_state.h"

namespace lichen::model {

struct BatcherOptions {
  /// Sessions that are writing wait about this long at most for a batch that also reads prompts:
  /// longer finishes prompts sooner, shorter lets the others' next token come sooner.
  std::chrono::milliseconds prefill_patience{100};
  /// A background step that has waited this long counts as interactive, so that none starves.
  std::chrono::milliseconds background_patience{1'000};
  /// Memory for finished sequences that later prompts may begin like. -1: a quarter of the KV
  /// cache's own, and room for one sequence of full length at least; 0: none.
  std::int64_t prefix_cache_bytes = -1;
  /// Where the processor's energy counters are.
  std::filesystem::path powercap = "/sys/class/powercap";
};

/// Counters since the start; read from any thread.
struct BatcherStats {
  std::uint64_t batches = 0;
  std::uint64_t tokens = 0;         // decoded, prompts included
  std::uint64_t cached_tokens = 0;  // supplied by the prefix cache
  std::uint64_t preemptions = 0;
  std::int64_t sessions = 0;  // open now
  std::int64_t waiting = 0;   // steps waiting at the last batch
  std::int64_t used_cells = 0;
  std::int64_t prefix_cache_bytes = 0;
  std::int64_t preempted_bytes = 0;  // memory of sessions that were moved out of the KV cache
};

/// Lane's thread only, except `stats`, `vocabulary` and `limits`.
///
/// A batch takes, in this order: steps of sessions that are writing, then prompts; interactive ones
/// before background ones; earlier sessions before later ones. Where a pass costs each sequence as
/// much as the longest (`shared_pass`), texts of different length take turns instead. When KV cells
/// run short, sessions that have no step waiting, then the latest ones, are saved to memory and
/// come back by themselves. The earliest session can always displace all others, so every session
/// gets on whose tokens fit into the cache alone.
///
/// An exception on the way (no memory, a grammar that libllama gives up on) fails the steps that it
/// hit, as `internal`, and no others.
class Batcher : public std::enable_shared_from_this<Batcher> {
 public:
  Batcher(std::unique_ptr<Backend> backend, const BatcherOptions& options, const StepTimes& times,
          boost::asio::io_context::executor_type executor);
  ~Batcher();

  /// A new, empty session for `turn`, which must outlive it.
  Session open(Turn& turn, int adapter = 0);
  const Vocabulary& vocabulary() const { return backend_->vocabulary(); }
  const Backend::Limits& limits() const { return backend_->limits(); }
  Backend& backend() { return *backend_; }
  BatcherStats stats() const;
  const PassTimes& pass_times() const { return pass_times_; }
  /// Sessions that are open: as many as will share passes, by and by.
  int open_sessions() const { return static_cast<int>(sessions_.size()); }

  bool waiting() const { return !waiting_.empty(); }
  /// A step waits that other models' wait for (`Want::first`).
  bool first_waiting() const;
  bool interactive_waiting() const;
  /// Decodes one batch of waiting steps. Background steps sit out while `interactive` ones wait on
  /// the lane. False when no step could be taken.
  bool run_batch(bool interactive);
  /// Destroys whatever waits, at the lane's end.
  void drop_waiting();

  // For Session.
  void enqueue(PendingStep& step);
  void truncate(Session::State& session, int size);
  Session fork(Session::State& session);
  void close(Session::State& session);

 private:
  struct Part {  // what a batch holds of a step
    PendingStep* step;
    std::size_t count;
  };

  void finish_stopped();
  void sort_waiting();
  void form_batch(bool interactive);
  void form_batch(bool interactive, const CellRange& lengths);
  CellRange lengths_of_next_pass(bool interactive) const;
  std::size_t take(PendingStep& step, std::size_t room);
  bool bring_in(PendingStep& step);
  bool begins_like_one_in_batch(const PendingStep& step) const;
  bool make_room(const Session::State& session, int cells, bool number);
  Session::State* victim(const Session::State& session, bool displace) const;
  bool displace_one(const Session::State& session, bool displace);
  void close_gaps();
  void preempt(Session::State& session);
  void fail_parts(const Error& error);
  void drop_saved(Session::State& session);
  int reserved() const;
  std::size_t prefill_chunk() const;
  bool decode_batch();
  void layout();
  void read_rows();
  void read_row(PendingStep& step, std::size_t offset, int index);
  void account(Clock::time_point begun);
  void complete(PendingStep& step);
  bool in_batch(const Session::State& session) const;
  bool interactive(const PendingStep& step) const;
  void publish();

  const std::unique_ptr<Backend> backend_;
  const BatcherOptions options_;
  const boost::asio::io_context::executor_type executor_;
  KvCache cache_;
  std::optional<base::EnergyMeter> energy_;
  std::vector<Session::State*> sessions_;
  std::vector<PendingStep*> waiting_;
  std::vector<Part> parts_;  // of the batch being formed
  std::vector<BatchToken> batch_;
  PendingStep* admitting_ = nullptr;  // the step that is being given its place in the cache
  std::int64_t preempted_bytes_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t places_ = 1;    // that have come free, one more
  Clock::time_point now_ = {};  // the current batch's start
  double prompt_token_ms_ = 0;  // in batches that read prompts, a moving average; 0: not known
  PassTimes pass_times_;        // of batches that read none

  struct Counters {
    std::atomic<std::uint64_t> batches = 0, tokens = 0, cached_tokens = 0, preemptions = 0;
    std::atomic<std::int64_t> sessions = 0, waiting = 0, used_cells = 0, prefix_cache_bytes = 0,
                              preempted_bytes = 0;
  };
  Counters counters_;
};

}  // namespace lichen::model
