// One question about one document in progress.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/pipeline/chunk_reader.h"
#include "mechanisms/pipeline/findings.h"

namespace lichen::mechanisms {

struct ExtractOptions {
  std::size_t chunk = 200;   // tokens
  std::size_t overlap = 25;  // tokens
  std::size_t jobs = 8;
  int rounds = 2;
  std::size_t findings = 64;
  std::size_t max_bytes = 0;     // of a document
  bool allow_undivided = false;  // see asked_document
  ReadingOptions reading = {};
};

/// Runs on a strand of its own, and so needs no lock: large's stream, which comes from elsewhere,
/// hands each job over to it.
class Extraction {
 public:
  /// `writers`: large, and what takes its place when it fails. `question`: the request without its
  /// document.
  Extraction(std::vector<AnswererPtr> writers, AnswererPtr small, const ExtractOptions& options,
             const CutDocument& document, Request question, Turn& turn,
             boost::asio::any_io_executor strand);

  awaitable<Result<Answer>> run();

 private:
  awaitable<Result<Answer>> rounds();
  awaitable<Result<void>> first_round();
  awaitable<Result<void>> next_round(std::vector<std::string> jobs);
  awaitable<void> write_jobs();
  awaitable<Result<void>> ask_for_jobs();
  awaitable<bool> hand_over(std::string job);
  awaitable<bool> add_job(std::string job);

  awaitable<Result<Answer>> ask_for_answer();
  awaitable<Result<Answer>> answer_by(AnswererPtr writer);
  Result<Request> answer_request() const;
  std::string findings_text() const;
  awaitable<Result<Answer>> not_found(std::vector<std::string> jobs);
  std::vector<std::string> not_done(const std::vector<std::string>& jobs) const;

  Error with_progress(Error error) const;
  void decide(std::string choice, std::string reason);
  void say_what_left();

  const std::vector<AnswererPtr> writers_;
  const ExtractOptions& options_;
  const CutDocument& document_;
  const Request question_;
  Turn& turn_;
  const boost::asio::any_io_executor strand_;
  Findings findings_;
  ChunkReader reader_;
  std::size_t writer_ = 0;          // of `writers_`, who is asked
  std::size_t first_of_round_ = 0;  // the first job of the latest round
  Result<void> jobs_written_;       // of the first round
  std::size_t bytes_to_large_ = 0;  // of findings, in the largest prompt
  std::size_t findings_to_large_ = 0;
  bool large_is_remote_ = false;
  bool shown_ = false;  // text of the answer has been
};

}  // namespace lichen::mechanisms
