// Threads that share the pieces of one piece of work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "lichen/result.h"

namespace lichen::mechanisms {

class Workers {
 public:
  Workers(int threads, std::stop_token stop) : threads_(threads), stop_(std::move(stop)) {}

  std::size_t count() const { return static_cast<std::size_t>(threads_); }

  using Work = std::function<Result<void>(std::size_t worker, std::uint64_t piece)>;
  /// Calls `work` for each piece once, on at most `count` threads of which one is the caller's; a
  /// worker's calls follow each other. Ends at the first error and returns it (an exception goes on
  /// to the caller); `cancelled` when stopped.
  Result<void> run(std::uint64_t pieces, const Work& work) const;

 private:
  const int threads_;
  const std::stop_token stop_;
};

}  // namespace lichen::mechanisms
