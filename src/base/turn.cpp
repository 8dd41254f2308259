#include "lichen/turn.h"

#include <atomic>
#include <mutex>

#include "base/ids.h"

namespace lichen {

/// Set once, then read-only: `set` is published by the atomic flag.
struct Turn::Reason {
  std::mutex mutex;
  std::atomic<bool> set = false;
  Error error;

  void give(Error reason) {
    std::lock_guard lock(mutex);
    if (set.load(std::memory_order_relaxed)) return;
    error = std::move(reason);
    set.store(true, std::memory_order_release);
  }
};

Turn::Turn(std::string plan, Sink* sink) : sink_(sink), reason_(std::make_shared<Reason>()) {
  receipt.id = base::new_id("rcpt_");
  request_id_ = receipt.id;
  receipt.plan = std::move(plan);
  receipt.started = std::chrono::system_clock::now();
}

Turn::~Turn() = default;

std::unique_ptr<Turn> Turn::child(Sink* sink) {
  auto turn = std::make_unique<Turn>(receipt.plan, sink);
  turn->request_id_ = request_id_;
  turn->deadline = deadline;
  turn->priority = priority;
  turn->fresh = fresh;
  turn->receipt.key = receipt.key;
  turn->egress = egress;
  // Runs on whatever thread cancels the parent. Stopping the child may destroy it and this callback
  // with its captures, so what is still needed then is on the stack.
  turn->parent_stop_.emplace(stop_.get_token(),
                             [parent = reason_, child = turn->reason_, source = turn->stop_] {
                               child->give(parent->error);
                               std::stop_source(source).request_stop();
                             });
  return turn;
}

void Turn::absorb(const Turn& child) {
  const Receipt& other = child.receipt;
  receipt.steps.insert(receipt.steps.end(), other.steps.begin(), other.steps.end());
  receipt.decisions.insert(receipt.decisions.end(), other.decisions.begin(), other.decisions.end());
  for (const DraftCount& count : other.drafts) add_drafts(receipt, count);
  later.insert(later.end(), child.later.begin(), child.later.end());
}

awaitable<Result<void>> Turn::emit(Piece piece) {
  if (!receipt.first_token_ms && piece.tokens > 0) {
    receipt.first_token_ms =
        std::chrono::duration<double, std::milli>(Clock::now() - started).count();
  }
  if (sink_ == nullptr) co_return Result<void>{};
  const Stretch shown{.model = piece.model,
                      .tokens = piece.tokens,
                      .bytes = static_cast<std::int64_t>(piece.text.size())};
  if (!co_await sink_->write(std::move(piece))) {
    co_return fail(Errc::cancelled, "the receiver of the stream has gone");
  }
  add_shown(shown);
  co_return Result<void>{};
}

void Turn::add_shown(const Stretch& shown) {
  auto& authors = receipt.authors;
  if (authors.empty() || authors.back().model != shown.model) {
    authors.push_back(shown);
  } else {
    authors.back().tokens += shown.tokens;
    authors.back().bytes += shown.bytes;
  }
}

void Turn::cancel(Errc reason, std::string detail) {
  reason_->give(Error{reason, std::move(detail)});
  stop_.request_stop();
}

std::optional<Error> Turn::stopped() const {
  if (reason_->set.load(std::memory_order_acquire)) return reason_->error;
  if (deadline && Clock::now() >= *deadline) {
    return Error{Errc::deadline_exceeded, "the request's deadline has passed"};
  }
  return std::nullopt;
}

}  // namespace lichen
