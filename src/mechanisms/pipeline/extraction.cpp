#include "mechanisms/pipeline/extraction.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "base/format.h"
#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/pipeline/job_list.h"
#include "mechanisms/pipeline/more_watch.h"
#include "mechanisms/prompts.h"
#include "mechanisms/routing/question.h"
#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

constexpr int kTokensPerJob = 48;  // that large may write

bool any_remote(const Receipt& receipt) {
  return std::ranges::any_of(receipt.steps, &Step::remote);
}

}  // namespace

Extraction::Extraction(std::vector<AnswererPtr> writers, AnswererPtr small,
                       const ExtractOptions& options, const CutDocument& document, Request question,
                       Turn& turn, asio::any_io_executor strand)
    : writers_(std::move(writers)),
      options_(options),
      document_(document),
      question_(std::move(question)),
      turn_(turn),
      strand_(std::move(strand)),
      findings_(options.findings),
      reader_(std::move(small), document, options.reading, findings_, turn, strand_) {}

awaitable<Result<Answer>> Extraction::run() {
  Result<Answer> answer = co_await rounds();
  decide("read", reader_.summary());
  say_what_left();
  if (!answer) co_return std::unexpected(with_progress(std::move(answer).error()));
  co_return answer;
}

awaitable<Result<Answer>> Extraction::rounds() {
  Result<void> read = co_await first_round();
  for (int round = 1; read; ++round) {
    Result<Answer> answer = co_await ask_for_answer();
    if (!answer) co_return answer;
    std::vector<std::string> wanted = more_jobs(answer->text);
    if (wanted.empty()) co_return answer;
    std::vector<std::string> fresh = not_done(wanted);
    if (round == options_.rounds || fresh.empty()) co_return co_await not_found(std::move(wanted));
    decide("more", fmt::format("large asks for {}", fmt::join(fresh, "; ")));
    read = co_await next_round(std::move(fresh));
  }
  co_return std::unexpected(read.error());
}

awaitable<Result<void>> Extraction::first_round() {
  std::vector<awaitable<void>> work;
  work.push_back(write_jobs());
  for (int i = 0; i < options_.reading.at_once; ++i) work.push_back(reader_.work());
  co_await side_by_side(std::move(work));
  reader_.settle();
  if (!jobs_written_) co_return jobs_written_;
  co_return reader_.ended();
}

awaitable<Result<void>> Extraction::next_round(std::vector<std::string> jobs) {
  first_of_round_ = reader_.jobs();
  for (std::string& job : jobs) reader_.add(std::move(job));
  std::vector<awaitable<void>> work;
  for (int i = 0; i < options_.reading.at_once; ++i) work.push_back(reader_.work());
  co_await side_by_side(std::move(work));
  reader_.settle();
  co_return reader_.ended();
}

awaitable<void> Extraction::write_jobs() {
  jobs_written_ = co_await ask_for_jobs();
  if (jobs_written_ && reader_.jobs() == 0) {
    decide("question", "large wrote no job, so the question is the job");
    reader_.add(std::string(question(question_)));
  }
  if (!jobs_written_) reader_.fail_with(jobs_written_.error());  // nobody will want its findings
  reader_.close();
}

awaitable<Result<void>> Extraction::ask_for_jobs() {
  Result<std::string> prompt = render("extract_jobs", {{"question", question(question_)}});
  if (!prompt) co_return std::unexpected(std::move(prompt).error());
  Result<Request> request = reworded(plain_request(question_), *std::move(prompt), "extract");
  if (!request) co_return std::unexpected(std::move(request).error());
  request->max_tokens = kTokensPerJob * static_cast<int>(options_.jobs);
  for (;; ++writer_) {
    JobReader jobs(options_.jobs, [this](std::string job) { return hand_over(std::move(job)); });
    const std::unique_ptr<Turn> child = turn_.child(&jobs);
    const Result<Answer> answer = co_await writers_[writer_]->answer(*request, *child);
    const bool cut_off = answer && answer->finish == Finish::length && jobs.jobs() > 0;
    if (answer && !cut_off) co_await jobs.finish(answer->text);
    large_is_remote_ = large_is_remote_ || any_remote(child->receipt);
    const bool done = answer || jobs.full();
    absorb_as(turn_, *child, done ? "jobs" : "failed");
    if (done) co_return Result<void>{};
    if (is_final(answer.error(), turn_)) co_return std::unexpected(answer.error());
    decide(writer_ + 1 < writers_.size() ? "fallback" : "none",
           fmt::format("large failed while it wrote jobs: {}: {}", to_string(answer.error().code),
                       answer.error().detail));
    if (reader_.jobs() > 0) co_return Result<void>{};  // those that are there must do
    if (writer_ + 1 == writers_.size()) co_return std::unexpected(answer.error());
  }
}

/// From the thread on which large writes.
awaitable<bool> Extraction::hand_over(std::string job) {
  co_return co_await asio::co_spawn(strand_, add_job(std::move(job)), asio::use_awaitable);
}

awaitable<bool> Extraction::add_job(std::string job) { co_return reader_.add(std::move(job)); }

awaitable<Result<Answer>> Extraction::ask_for_answer() {
  for (;; ++writer_) {
    const bool last = writer_ + 1 == writers_.size();
    Result<Answer> answer = co_await answer_by(writers_[writer_]);
    if (answer || last) co_return answer;
    if (is_final(answer.error(), turn_) || shown_) co_return answer;
    decide("fallback", fmt::format("large failed: {}: {}", to_string(answer.error().code),
                                   answer.error().detail));
  }
}

awaitable<Result<Answer>> Extraction::answer_by(AnswererPtr writer) {
  for (;;) {
    Result<Request> request = answer_request();
    if (!request) co_return std::unexpected(std::move(request).error());
    findings_to_large_ = std::max(findings_to_large_, findings_.size());
    bytes_to_large_ = std::max(bytes_to_large_, findings_.text().size());
    MoreWatch watch(turn_);
    const std::unique_ptr<Turn> child = turn_.child(turn_.streams() ? &watch : nullptr);
    Result<Answer> answer = co_await writer->answer(*std::move(request), *child);
    large_is_remote_ = large_is_remote_ || any_remote(child->receipt);
    const bool more = answer && !more_jobs(answer->text).empty();
    if (answer && !more) {
      const Result<void> sent = co_await watch.release();
      if (!sent) answer = std::unexpected(sent.error());
    }
    shown_ = watch.shown();
    absorb_as(turn_, *child, !answer ? "failed" : more ? "more" : "answer");
    if (answer && !more) {
      if (!turn_.receipt.first_token_ms && child->receipt.first_token_ms) {
        const std::chrono::duration<double, std::milli> before = child->started - turn_.started;
        turn_.receipt.first_token_ms = before.count() + *child->receipt.first_token_ms;
      }
      answer->citations = findings_.citations();
    }
    const bool too_long = !answer && answer.error().code == Errc::context_overflow;
    if (!too_long || shown_ || !findings_.halve()) co_return answer;
  }
}

Result<Request> Extraction::answer_request() const {
  Result<std::string> prompt =
      render("extract_answer", {{"question", question(question_)}, {"findings", findings_text()}});
  if (!prompt) return std::unexpected(std::move(prompt).error());
  return reworded(question_, *std::move(prompt), "extract");
}

/// From the second round on large is told what was looked for in vain.
std::string Extraction::findings_text() const {
  std::string text = findings_.text();
  for (std::size_t job = first_of_round_; first_of_round_ > 0 && job < reader_.jobs(); ++job) {
    if (findings_.has(job)) continue;
    text += fmt::format("{}{} none", text.empty() ? "" : "\n", reader_.job(job));
  }
  return text.empty() ? "none" : text;
}

std::vector<std::string> Extraction::not_done(const std::vector<std::string>& jobs) const {
  std::vector<std::string> fresh;
  for (const std::string& job : jobs) {
    if (fresh.size() < options_.jobs && !reader_.has_job(job)) fresh.push_back(job);
  }
  return fresh;
}

/// Written by nobody: large has nothing to write an answer from.
awaitable<Result<Answer>> Extraction::not_found(std::vector<std::string> jobs) {
  decide("not found", fmt::format("large still asks for {}", fmt::join(jobs, "; ")));
  Answer answer{.text = fmt::format("Not found in the document: {}", fmt::join(jobs, " ")),
                .citations = findings_.citations()};
  answer.authors = {{.model = "extract", .bytes = static_cast<std::int64_t>(answer.text.size())}};
  const Result<void> sent = co_await emit_whole(answer, false, turn_);
  if (!sent) co_return std::unexpected(sent.error());
  co_return answer;
}

Error Extraction::with_progress(Error error) const {
  if (error.code == Errc::context_overflow) error.detail += "; a smaller `chunk` may fit";
  error.detail += fmt::format("; until then `extract` had done {}", reader_.summary());
  return error;
}

void Extraction::decide(std::string choice, std::string reason) {
  turn_.receipt.decisions.push_back(
      {.mechanism = "extract", .choice = std::move(choice), .reason = std::move(reason)});
}

void Extraction::say_what_left() {
  const std::size_t size = document_.text.size();
  std::string reason = fmt::format(
      "large read {} of {} bytes, {} of the document's {}", counted(findings_to_large_, "finding"),
      base::format_count(static_cast<std::int64_t>(bytes_to_large_)),
      base::format_percent(static_cast<double>(bytes_to_large_) / static_cast<double>(size)),
      base::format_count(static_cast<std::int64_t>(size)));
  if (findings_.left_out() > 0) {
    reason += fmt::format("; {} more had no room", findings_.left_out());
  }
  reason += reader_.sent_away()    ? "; `by` is remote, so the document itself left this device"
            : !large_is_remote_    ? "; nothing of it left this device"
            : bytes_to_large_ == 0 ? "; it is remote, and nothing of the document left this device"
                                   : "; it is remote, and nothing else of the document left this "
                                     "device";
  decide("findings", std::move(reason));
}

}  // namespace lichen::mechanisms
