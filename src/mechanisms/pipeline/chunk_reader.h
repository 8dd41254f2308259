// Small at work on a document: every job on every chunk that may say something to it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/pipeline/document_chunks.h"
#include "mechanisms/pipeline/findings.h"
#include "mechanisms/pipeline/step_sums.h"
#include "mechanisms/pipeline/word_index.h"

namespace lichen::mechanisms {

struct ReadingOptions {
  int at_once = 16;           // prompts of small in progress
  int max_tokens = 64;        // of a finding
  double rare = 0;            // see WordIndex; 0: every chunk is read
  double support = 0;         // that a finding needs, see Place
  int samples = 1;            // at most, of one job on one chunk
  float temperature = 1;      // of all of them but the first
  bool allow_remote = false;  // chunks may leave this device
};

struct CutDocument {
  std::string text;
  std::vector<Span> chunks = {};
  std::optional<WordIndex> words = {};  // where only some chunks are read
};

/// "1 job", "2 jobs".
std::string counted(std::size_t count, std::string_view what);

/// Jobs may come while others are at work. Work goes through the document chunk by chunk, the jobs
/// of a chunk one after the other: their prompts begin with the chunk, and small reads it once.
///
/// All of it on one executor that does one thing at a time. What it is given outlives it.
class ChunkReader {
 public:
  ChunkReader(AnswererPtr small, const CutDocument& document, const ReadingOptions& options,
              Findings& findings, Turn& turn, const boost::asio::any_io_executor& executor);

  /// More to do. False: there was a failure, and nothing more is done.
  bool add(std::string job);
  /// `work` need not wait for more.
  void close();
  /// Ends the reading.
  void fail_with(Error error);
  /// One of `at_once` that run side by side. Ends when all is done and no job can come any more,
  /// when the turn has stopped, or small has failed for good.
  awaitable<void> work();

  /// `refused`: a chunk has left the device that may not; else what small failed with, if that was
  /// final, or it failed on all chunks or eight times in a row.
  Result<void> ended() const;
  std::size_t jobs() const { return jobs_.size(); }
  const std::string& job(std::size_t number) const { return jobs_[number].text; }
  bool has_job(std::string_view job) const;
  /// "2 jobs on 40 chunks: 61 prompts, 19 skipped, 3 findings"
  std::string summary() const;
  /// All of the document may have been sent to somebody.
  bool sent_away() const { return sent_away_; }
  /// Puts what small cost into the receipt.
  void settle() { costs_.settle(turn_); }

 private:
  struct Job {
    std::string text;
    std::vector<bool> chunks;  // which it is for
    std::size_t next = 0;      // the first of them that is still to do
  };
  struct Item {
    std::size_t job = 0;
    std::size_t chunk = 0;
  };
  std::optional<Item> next();
  awaitable<void> read(Item item);
  Result<Request> request_for(Item item) const;
  awaitable<Result<Answer>> ask(Request request);
  bool take(Item item, const Result<Answer>& reply, bool first);
  bool take_finding(Item item, std::string_view reply);
  bool over() const { return failure_.has_value() || turn_.stopped().has_value(); }

  const AnswererPtr small_;
  const CutDocument& document_;
  const ReadingOptions options_;
  Findings& findings_;
  Turn& turn_;
  boost::asio::steady_timer wake_;  // cancelled when there is something new
  std::vector<Job> jobs_;
  bool closed_ = false;
  bool sent_away_ = false;
  std::optional<Error> failure_ = {};
  std::optional<Error> last_error_ = {};
  int failures_in_a_row_ = 0;
  struct Counts {
    std::size_t wanted = 0, skipped = 0, done = 0;  // jobs on chunks
    std::size_t prompts = 0, failed = 0, findings = 0, cut_off = 0, unsupported = 0;
  };
  Counts counts_;
  StepSums costs_;
};

}  // namespace lichen::mechanisms
