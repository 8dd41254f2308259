#include "model/batcher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cassert>
#include <exception>

#include "model/rows.h"

namespace lichen::model {
namespace {

/// Steps of at most this many tokens are a session's writing (one token, or a draft to be checked);
/// longer ones are prompts, which go in chunks.
constexpr std::size_t kWritingTokens = 32;

/// Batches of at least this many tokens tell how fast prompts are read.
constexpr std::size_t kMeasuredTokens = 64;

/// Prompts with a common beginning of at least this length are decoded one after the other, so
/// that the later ones find the beginning in the cache.
constexpr int kWorthWaiting = 32;

double ms(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

bool is_prompt(const PendingStep& step) { return step.tokens.size() > kWritingTokens; }

/// A row is computed for each of the step's tokens.
bool every_row(const PendingStep& step) {
  return step.want.rows == Want::Rows::all || step.want.rows == Want::Rows::agreed;
}

/// Cells of its sequence when the step is done.
int cells_after(const PendingStep& step) {
  return static_cast<int>(step.session->sequence.tokens.size() + step.rest().size());
}

std::int64_t prefix_cache_bytes(const BatcherOptions& options, const Backend::Limits& limits) {
  if (options.prefix_cache_bytes >= 0) return options.prefix_cache_bytes;
  return std::max(limits.cells / 4, limits.length()) * limits.cell_bytes;
}

std::int64_t bytes_of(const SavedSequence& saved) {
  return static_cast<std::int64_t>(saved.state.size());
}

Error internal(std::string_view doing, const std::exception& problem) {
  return {Errc::internal, std::string(doing) + ": " + problem.what()};
}

}  // namespace

Batcher::Batcher(std::unique_ptr<Backend> backend, const BatcherOptions& options,
                 const StepTimes& times, boost::asio::io_context::executor_type executor)
    : backend_(std::move(backend)),
      options_(options),
      executor_(executor),
      cache_(*backend_, prefix_cache_bytes(options, backend_->limits())),
      energy_(base::EnergyMeter::open(options.powercap)),
      pass_times_(times) {
  batch_.reserve(static_cast<std::size_t>(limits().batch));
}

Batcher::~Batcher() = default;

Session Batcher::open(Turn& turn, int adapter) {
  auto state = std::make_unique<Session::State>(
      Session::State{.batcher = shared_from_this(), .turn = &turn, .arrival = arrivals_++});
  state->sequence.origin = {.adapter = adapter, .key = turn.receipt.key};
  sessions_.push_back(state.get());
  cache_.enter(state->sequence);
  counters_.sessions.store(static_cast<std::int64_t>(sessions_.size()), std::memory_order_relaxed);
  return Session(std::move(state));
}

Session Batcher::fork(Session::State& session) {
  Session copy = open(*session.turn, session.sequence.origin.adapter);
  Session::State& state = *sessions_.back();
  const bool shared = session.sequence.resident() && cache_.share(session.sequence, state.sequence);
  if (!shared) {  // it comes in like a preempted session
    state.sequence.tokens = session.sequence.tokens;
    state.saved = session.saved;
    if (session.sequence.resident()) {
      state.saved = {backend_->save(session.sequence.seq),
                     static_cast<int>(session.sequence.tokens.size())};
    }
    preempted_bytes_ += bytes_of(state.saved);
  }
  return copy;
}

void Batcher::close(Session::State& session) {
  std::erase(waiting_, session.step);
  cache_.leave(session.sequence);
  ++places_;
  std::erase(sessions_, &session);
  drop_saved(session);
  try {
    cache_.retire(session.sequence);
  } catch (const std::bad_alloc&) {
    cache_.release(session.sequence);  // not worth an error: it would only have been kept
  }
  counters_.sessions.store(static_cast<std::int64_t>(sessions_.size()), std::memory_order_relaxed);
}

void Batcher::truncate(Session::State& session, int size) {
  cache_.truncate(session.sequence, size);
}

void Batcher::enqueue(PendingStep& step) {
  assert(step.session->step == nullptr && "a session decodes one step at a time");
  step.session->step = &step;
  waiting_.push_back(&step);
}

void Batcher::drop_waiting() {
  // Destroying a handler destroys the coroutine that waits, and with it the step.
  std::vector<std::move_only_function<void()>> handlers;
  for (PendingStep* step : std::exchange(waiting_, {})) {
    step->session->step = nullptr;
    handlers.push_back(std::move(step->resume));
  }
}

BatcherStats Batcher::stats() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  return {.batches = counters_.batches.load(relaxed),
          .tokens = counters_.tokens.load(relaxed),
          .cached_tokens = counters_.cached_tokens.load(relaxed),
          .preemptions = counters_.preemptions.load(relaxed),
          .sessions = counters_.sessions.load(relaxed),
          .waiting = counters_.waiting.load(relaxed),
          .used_cells = counters_.used_cells.load(relaxed),
          .prefix_cache_bytes = counters_.prefix_cache_bytes.load(relaxed),
          .preempted_bytes = counters_.preempted_bytes.load(relaxed)};
}

bool Batcher::interactive(const PendingStep& step) const {
  return step.session->turn->priority == Priority::interactive ||
         now_ - step.asked > options_.background_patience;
}

bool Batcher::first_waiting() const {
  return std::ranges::any_of(waiting_, [](const PendingStep* step) { return step->want.first; });
}

bool Batcher::interactive_waiting() const {
  return std::ranges::any_of(waiting_,
                             [this](const PendingStep* step) { return interactive(*step); });
}

bool Batcher::run_batch(bool interactive) {
  if (waiting_.empty()) return false;
  now_ = Clock::now();
  finish_stopped();
  try {
    form_batch(interactive);
    close_gaps();
    publish();
    if (parts_.empty()) return false;
    if (energy_) energy_->take();  // what was used until now is nobody's here
    const bool decoded = decode_batch();
    if (decoded) read_rows();
    account(now_);
    if (!decoded) fail_parts({Errc::internal, "libllama could not decode the batch"});
  } catch (const std::exception& problem) {
    if (admitting_ != nullptr) parts_.push_back({admitting_, 0});
    fail_parts(internal("decoding a batch", problem));
  }
  admitting_ = nullptr;
  for (const Part& part : parts_) {
    if (part.step->error || part.step->differs || part.step->rest().empty()) complete(*part.step);
  }
  parts_.clear();
  return true;
}

void Batcher::fail_parts(const Error& error) {
  for (const Part& part : parts_) {
    part.step->error = error;
    const Sequence& sequence = part.step->session->sequence;
    if (!sequence.resident()) continue;
    // What the backend has of the batch is not known.
    backend_->truncate(sequence.seq, static_cast<int>(sequence.tokens.size()));
  }
}

void Batcher::finish_stopped() {
  for (std::size_t i = 0; i < waiting_.size();) {
    PendingStep& step = *waiting_[i];
    step.error = step.session->turn->stopped();
    if (step.error) {
      complete(step);  // takes it out of waiting_
    } else {
      ++i;
    }
  }
}

void Batcher::complete(PendingStep& step) {
  std::erase(waiting_, &step);
  step.session->step = nullptr;
  boost::asio::post(executor_, std::move(step.resume));
}

// --- forming a batch ------------------------------------------------------------------------

void Batcher::sort_waiting() {
  auto rank = [this](const PendingStep* step) {
    return std::tuple(!interactive(*step), is_prompt(*step), step->session->arrival);
  };
  std::ranges::sort(waiting_, {}, rank);
}

void Batcher::form_batch(bool interactive_only) {
  sort_waiting();
  const bool alike = limits().split && limits().plain_attention;
  form_batch(interactive_only, alike ? lengths_of_next_pass(interactive_only) : CellRange{});
  // Those whose turn it was may all have found no place in the cache.
  if (alike && parts_.empty()) form_batch(interactive_only, CellRange{});
}

/// Whoever has waited longest since a batch took it says whose turn it is, unless it waits for a
/// place in the cache: others of its length could write then, and nobody else.
CellRange Batcher::lengths_of_next_pass(bool interactive_only) const {
  std::vector<PassCandidate> candidates;
  std::optional<PassCandidate> front;
  Clock::time_point earliest = {};
  for (const PendingStep* step : waiting_) {
    if (interactive_only && !interactive(*step)) break;
    if (step->turned_away == places_) continue;
    const PassCandidate candidate = {.cells = cells_after(*step),
                                     .tokens = static_cast<int>(step->rest().size()),
                                     .seq = step->session->sequence.seq};
    const Clock::time_point since = std::max(step->asked, step->session->sequence.used);
    if (!front || since < earliest) {
      front = candidate;
      earliest = since;
    }
    candidates.push_back(candidate);
  }
  return front ? shared_pass(candidates, *front) : CellRange{};
}

void Batcher::form_batch(bool interactive_only, const CellRange& lengths) {
  parts_.clear();
  std::size_t room = static_cast<std::size_t>(limits().batch);
  std::size_t outputs = static_cast<std::size_t>(limits().outputs);
  std::size_t prompt_room = room;  // until a session that writes is in the batch
  bool closed = false;             // one found no place in the cache, so none behind it gets in
  for (PendingStep* step : waiting_) {
    if (room == 0 || outputs == 0) break;
    if (interactive_only && !interactive(*step)) break;  // sorted: the rest is background too
    if (!parts_.empty() && parts_.front().step->session->sequence.origin.adapter !=
                               step->session->sequence.origin.adapter) {
      continue;  // a batch is computed with one adapter
    }
    if (!lengths.holds(cells_after(*step))) continue;
    std::size_t limit = is_prompt(*step) ? std::min(room, prompt_room) : room;
    if (every_row(*step)) limit = std::min(limit, outputs);
    if (limit == 0) continue;
    if (!step->session->sequence.resident()) {
      if (closed || begins_like_one_in_batch(*step)) continue;
      admitting_ = step;
      closed = !bring_in(*step);
      admitting_ = nullptr;
      if (closed) step->turned_away = places_;
      if (closed) continue;
    }
    const std::size_t count = take(*step, limit);
    if (count == 0) continue;
    room -= count;
    if (every_row(*step)) {
      outputs -= count;
    } else if (step->want.rows == Want::Rows::last) {
      outputs -= 1;
    }
    if (is_prompt(*step)) {
      prompt_room -= std::min(prompt_room, count);
    } else {
      prompt_room = std::min(prompt_room, prefill_chunk());
    }
  }
}

/// Prompt tokens for one batch beside sessions that are writing.
std::size_t Batcher::prefill_chunk() const {
  constexpr double kLeast = 32;
  constexpr double kUntilMeasured = 128;
  const double most = limits().batch;
  if (prompt_token_ms_ == 0) return static_cast<std::size_t>(std::min(kUntilMeasured, most));
  const double wanted = static_cast<double>(options_.prefill_patience.count()) / prompt_token_ms_;
  return static_cast<std::size_t>(std::clamp(wanted, std::min(kLeast, most), most));
}

/// Puts up to `room` tokens of the step into the batch; returns how many.
std::size_t Batcher::take(PendingStep& step, std::size_t room) {
  Session::State& session = *step.session;
  const std::size_t count = std::min(step.rest().size(), room);
  if (!make_room(session, reserved() + static_cast<int>(count), false)) return 0;
  if (!step.started) {
    step.started = true;
    session.stats.queued_ms += ms(now_ - step.asked);
  }
  session.sequence.used = now_;
  parts_.push_back({&step, count});
  return count;
}

/// Gives an absent session its place in the cache: a fresh one with whatever beginning of its
/// prompt is there already, a preempted one with what was saved.
bool Batcher::bring_in(PendingStep& step) {
  Session::State& session = *step.session;
  Sequence& sequence = session.sequence;
  if (sequence.tokens.empty()) {
    drop_saved(session);
    const bool reuse = !every_row(step);
    const auto needed = [&] {  // again each time: a displaced session may have been the source
      return reserved() + cache_.cells_to_admit(step.rest(), sequence.origin, reuse);
    };
    while (!cache_.has_room(needed(), true)) {
      if (!displace_one(session, false)) return false;
    }
    cache_.admit(sequence, step.rest(), reuse);
    step.done += sequence.tokens.size();
    session.stats.tokens_cached += static_cast<std::int64_t>(sequence.tokens.size());
    counters_.cached_tokens.fetch_add(sequence.tokens.size(), std::memory_order_relaxed);
    return true;
  }
  do {
    if (!make_room(session, reserved() + session.saved.size, true)) return false;
    if (cache_.restore(sequence, session.saved)) {
      drop_saved(session);
      return true;
    }
    // There is room by our count, but not in the form that the backend needs.
  } while (displace_one(session, true));
  return false;
}

/// KV cells that the batch being formed will take.
int Batcher::reserved() const {
  int cells = 0;
  for (const Part& part : parts_) cells += static_cast<int>(part.count);
  return cells;
}

bool Batcher::begins_like_one_in_batch(const PendingStep& step) const {
  if (every_row(step)) return false;
  const int cached = cache_.shared_prefix(step.tokens, step.session->sequence.origin);
  return std::ranges::any_of(parts_, [&](const Part& part) {
    const PendingStep& other = *part.step;
    if (other.session->sequence.origin != step.session->sequence.origin) return false;
    if (other.session->sequence.tokens.size() != other.done) return false;  // not its beginning
    const auto common = std::ranges::mismatch(step.tokens, other.tokens).in1 - step.tokens.begin();
    return common >= kWorthWaiting && common > cached;
  });
}

bool Batcher::make_room(const Session::State& session, int cells, bool number) {
  while (!cache_.has_room(cells, number)) {
    if (!displace_one(session, true)) return false;
  }
  return true;
}

/// Moves one session out for `session`. False: none may be.
bool Batcher::displace_one(const Session::State& session, bool displace) {
  Session::State* other = victim(session, displace);
  if (other == nullptr) return false;
  preempt(*other);
  return true;
}

/// Whom to move out for `session`: the least recently used of those that wait for something other
/// than this model, else, where `displace`, the latest of those that come after `session`, else
/// one of lower priority.
Session::State* Batcher::victim(const Session::State& session, bool displace) const {
  Session::State* idle = nullptr;
  Session::State* later = nullptr;
  const bool urgent = interactive(*session.step);
  for (Session::State* other : sessions_) {
    if (other == &session || !other->sequence.resident() || in_batch(*other)) continue;
    if (other->step == nullptr) {
      if (idle == nullptr || other->sequence.used < idle->sequence.used) idle = other;
      continue;
    }
    const bool below = urgent && !interactive(*other->step);
    const bool behind = urgent == interactive(*other->step) && other->arrival > session.arrival;
    if (!below && !(displace && behind)) continue;
    if (later == nullptr || other->arrival > later->arrival) later = other;
  }
  return idle != nullptr ? idle : later;
}

void Batcher::preempt(Session::State& session) {
  session.saved = cache_.save(session.sequence);
  preempted_bytes_ += bytes_of(session.saved);
  counters_.preemptions.fetch_add(1, std::memory_order_relaxed);
}

void Batcher::drop_saved(Session::State& session) {
  preempted_bytes_ -= bytes_of(session.saved);
  session.saved = {};
}

bool Batcher::in_batch(const Session::State& session) const {
  return std::ranges::any_of(parts_,
                             [&](const Part& part) { return part.step->session == &session; });
}

/// With split cells one pass takes sequences with consecutive numbers, in that order; a gap costs a
/// pass more. One sequence is moved into a gap at a time, which is enough: gaps come from sessions
/// that end.
void Batcher::close_gaps() {
  if (!limits().split || parts_.size() < 2) return;
  auto number = [](const Part& part) { return part.step->session->sequence.seq; };
  std::ranges::sort(parts_, {}, number);
  const std::size_t width =
      static_cast<std::size_t>(number(parts_.back()) - number(parts_.front()));
  if (width < parts_.size()) return;
  cache_.move_down(parts_.back().step->session->sequence);
  std::ranges::sort(parts_, {}, number);
}

// --- decoding -------------------------------------------------------------------------------

void Batcher::layout() {
  batch_.clear();
  for (const Part& part : parts_) {
    const PendingStep& step = *part.step;
    const Sequence& sequence = step.session->sequence;
    const bool all = every_row(step);
    const bool last = step.want.rows == Want::Rows::last;
    for (std::size_t i = 0; i < part.count; ++i) {
      const bool output = all || (last && step.done + i + 1 == step.tokens.size());
      batch_.push_back({.token = step.tokens[step.done + i],
                        .position = static_cast<std::int32_t>(sequence.tokens.size() + i),
                        .seq = sequence.seq,
                        .output = output});
    }
  }
}

bool Batcher::decode_batch() {
  backend_->use_adapter(parts_.front().step->session->sequence.origin.adapter);
  backend_->want_hidden(
      std::ranges::any_of(parts_, [](const Part& part) { return part.step->want.hidden; }));
  for (;;) {
    layout();
    switch (backend_->decode(batch_)) {
      case Backend::Outcome::ok: return true;
      case Backend::Outcome::failed: return false;
      case Backend::Outcome::full: break;
    }
    // Our count of cells says that there is room, the backend that there is none in the form it
    // needs. Make more room, or do less at once.
    if (parts_.size() > 1) {
      parts_.pop_back();
    } else if (displace_one(*parts_.front().step->session, true)) {
      continue;
    } else if (parts_.front().count > 1) {
      parts_.front().count /= 2;
    } else {
      return false;
    }
  }
}

void Batcher::read_rows() {
  int index = 0;
  for (const Part& part : parts_) {
    PendingStep& step = *part.step;
    for (std::size_t i = 0; i < part.count; ++i, ++index) {
      if (!batch_[static_cast<std::size_t>(index)].output || step.error || step.differs) continue;
      try {
        read_row(step, step.done + i, index);
      } catch (const std::exception& problem) {
        step.error = internal("choosing a token", problem);
      }
    }
    cache_.grow(step.session->sequence, step.rest().first(part.count));
    step.done += part.count;
    if (step.differs) {
      const std::size_t refused = step.done - step.rows.size();
      cache_.truncate(step.session->sequence,
                      static_cast<int>(step.session->sequence.tokens.size() - refused));
    }
  }
}

/// What the step wants of the batch's row at `index`, which is its token at `offset`.
void Batcher::read_row(PendingStep& step, std::size_t offset, int index) {
  const Want& want = step.want;
  const std::span<const float> logits = backend_->logits(index);
  const bool last = offset + 1 == step.tokens.size();
  const bool next_known = want.input_logprobs && !last;
  Row row;
  if (want.sampler != nullptr && (last || want.rows == Want::Rows::agreed)) {
    Result<Token> sampled = want.sampler->sample(logits);
    if (!sampled) {
      step.error = std::move(sampled.error());
      return;
    }
    row.token = *sampled;
  } else {
    row.token = argmax(logits);
  }
  if (want.logprob || want.top_k > 0 || want.entropy || next_known) {
    const double norm = log_sum_exp(logits);
    auto logprob = [&](Token token) {
      return static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(token)]) -
                                norm);
    };
    row.logprob = logprob(row.token);
    if (next_known) row.input_logprob = logprob(step.tokens[offset + 1]);
    if (want.top_k > 0) row.top = top_k(logits, want.top_k, norm);
    if (want.entropy) row.entropy = static_cast<float>(entropy(logits, norm));
  }
  if (want.logits) row.logits.assign(logits.begin(), logits.end());
  if (want.hidden) {
    const std::span<const float> hidden = backend_->hidden(index);
    row.hidden.assign(hidden.begin(), hidden.end());
  }
  step.differs = want.rows == Want::Rows::agreed && !last && row.token != step.tokens[offset + 1];
  step.rows.push_back(std::move(row));
}

void Batcher::account(Clock::time_point begun) {
  const double took = ms(Clock::now() - begun);
  if (batch_.size() >= kMeasuredTokens) {
    const double token_ms = took / static_cast<double>(batch_.size());
    prompt_token_ms_ += (prompt_token_ms_ == 0 ? 1 : 0.2) * (token_ms - prompt_token_ms_);
  }
  // Parts of different size are computed in several passes.
  const std::size_t each = parts_.empty() ? 0 : parts_.front().count;
  if (std::ranges::all_of(parts_, [each](const Part& part) {
        return part.count == each && !is_prompt(*part.step);
      })) {
    pass_times_.took(static_cast<int>(parts_.size()), static_cast<int>(each), took);
  }
  const std::optional<double> joules = energy_ ? energy_->take() : std::nullopt;
  for (const Part& part : parts_) {
    SessionStats& stats = part.step->session->stats;
    (part.step->opens ? stats.prefill_ms : stats.decode_ms) += took;
    if (joules) {
      const double share = static_cast<double>(part.count) / static_cast<double>(batch_.size());
      stats.joules = stats.joules.value_or(0) + *joules * share;
    }
  }
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  counters_.tokens.fetch_add(batch_.size(), std::memory_order_relaxed);
}

void Batcher::publish() {
  counters_.waiting.store(static_cast<std::int64_t>(waiting_.size()), std::memory_order_relaxed);
  counters_.used_cells.store(cache_.cells() - cache_.free_cells(), std::memory_order_relaxed);
  counters_.prefix_cache_bytes.store(cache_.kept_bytes(), std::memory_order_relaxed);
  counters_.preempted_bytes.store(preempted_bytes_, std::memory_order_relaxed);
}

}  // namespace lichen::model
