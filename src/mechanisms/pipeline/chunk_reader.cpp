#include "mechanisms/pipeline/chunk_reader.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/format.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/pipeline/job_list.h"
#include "mechanisms/prompts.h"
#include "mechanisms/sampled_answers.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

constexpr int kMostFailuresInARow = 8;

std::string number(std::size_t count) {
  return base::format_count(static_cast<std::int64_t>(count));
}

}  // namespace

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", number(count), what, count == 1 ? "" : "s");
}

ChunkReader::ChunkReader(AnswererPtr small, const CutDocument& document,
                         const ReadingOptions& options, Findings& findings, Turn& turn,
                         const asio::any_io_executor& executor)
    : small_(std::move(small)),
      document_(document),
      options_(options),
      findings_(findings),
      turn_(turn),
      wake_(executor, asio::steady_timer::time_point::max()) {}

bool ChunkReader::add(std::string job) {
  if (over()) return false;
  const std::size_t all = document_.chunks.size();
  std::vector<bool> chunks = document_.words
                                 ? document_.words->chunks_with_rare_words(job, options_.rare)
                                 : std::vector<bool>(all, true);
  const auto count = static_cast<std::size_t>(std::ranges::count(chunks, true));
  counts_.wanted += count;
  counts_.skipped += all - count;
  jobs_.push_back({.text = std::move(job), .chunks = std::move(chunks)});
  wake_.cancel();
  return true;
}

void ChunkReader::close() {
  closed_ = true;
  wake_.cancel();
}

bool ChunkReader::has_job(std::string_view job) const {
  return std::ranges::any_of(jobs_,
                             [&](const Job& known) { return folded(known.text) == folded(job); });
}

awaitable<void> ChunkReader::work() {
  while (!over()) {
    if (const std::optional<Item> item = next()) {
      co_await read(*item);
    } else if (closed_) {
      co_return;
    } else {
      co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
}

/// The lowest chunk that any job has still to do: a job that comes late catches up first.
std::optional<ChunkReader::Item> ChunkReader::next() {
  std::optional<Item> best;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    Job& job = jobs_[i];
    while (job.next < job.chunks.size() && !job.chunks[job.next]) ++job.next;
    if (job.next == job.chunks.size()) continue;
    if (!best || job.next < best->chunk) best = Item{.job = i, .chunk = job.next};
  }
  if (best) ++jobs_[best->job].next;
  return best;
}

Result<Request> ChunkReader::request_for(Item item) const {
  const std::string_view chunk = trimmed(document_.chunks[item.chunk].of(document_.text));
  Result<std::string> prompt =
      render("extract_chunk", {{"chunk", chunk}, {"job", jobs_[item.job].text}});
  if (!prompt) return std::unexpected(std::move(prompt).error());
  return Request{.messages = {{.role = "user", .content = *std::move(prompt)}},
                 .sampling = {.temperature = 0.0F},
                 .max_tokens = options_.max_tokens};
}

/// Again as long as what small finds is not what the chunk says (MinionS' repeated sampling, with a
/// check): a small model that picks the wrong one of several figures picks another the next time.
awaitable<void> ChunkReader::read(Item item) {
  const Result<Request> request = request_for(item);
  if (!request) co_return fail_with(request.error());
  for (int i = 0; i < options_.samples && !over(); ++i) {
    Result<Answer> reply =
        co_await ask(i == 0 ? *request : sampled(*request, options_.temperature, i));
    ++counts_.prompts;
    if (take(item, reply, i == 0)) break;
  }
  ++counts_.done;
  if (turn_.progress) {
    turn_.progress("reading the document",
                   static_cast<double>(counts_.done) / static_cast<double>(counts_.wanted));
  }
}

awaitable<Result<Answer>> ChunkReader::ask(Request request) {
  const std::unique_ptr<Turn> child = turn_.child();
  costs_.begin();
  Result<Answer> reply = co_await small_->answer(std::move(request), *child);
  costs_.end();
  costs_.add(*child, "extract", turn_);
  const auto remote = std::ranges::find(child->receipt.steps, true, &Step::remote);
  if (remote == child->receipt.steps.end()) co_return reply;
  sent_away_ = true;
  if (options_.allow_remote) co_return reply;
  co_return fail(Errc::refused,
                 fmt::format("`by` has sent a part of the document to `{}`, which is "
                             "remote; `allow_remote: true` says that it may",
                             remote->model));
}

/// Whether that settles the job on this chunk: "none" does where nothing was found before.
bool ChunkReader::take(Item item, const Result<Answer>& reply, bool first) {
  if (!reply) {
    ++counts_.failed;
    last_error_ = reply.error();
    const bool hopeless = is_final(reply.error(), turn_) ||
                          reply.error().code == Errc::context_overflow ||
                          ++failures_in_a_row_ >= kMostFailuresInARow;
    if (hopeless) fail_with(reply.error());
    return true;
  }
  failures_in_a_row_ = 0;
  if (abstains(reply->text)) return first;
  if (reply->finish != Finish::length) return take_finding(item, trimmed(reply->text));
  ++counts_.cut_off;
  return false;
}

bool ChunkReader::take_finding(Item item, std::string_view reply) {
  const Span chunk = document_.chunks[item.chunk];
  const std::string_view document = document_.text;
  const auto [sentence, support] = place_of(reply, document, chunk);
  if (support < options_.support ||
      !numbers_are_there(reply, chunk.of(document), jobs_[item.job].text)) {
    ++counts_.unsupported;
    return false;
  }
  findings_.add(item.job, {.text = std::string(reply),
                           .begin = static_cast<std::int64_t>(sentence.begin),
                           .end = static_cast<std::int64_t>(sentence.end),
                           .page = page_of(document, sentence.begin)});
  ++counts_.findings;
  return true;
}

void ChunkReader::fail_with(Error error) {
  if (!failure_) failure_ = std::move(error);
  wake_.cancel();
}

Result<void> ChunkReader::ended() const {
  if (const std::optional<Error> stopped = turn_.stopped()) return std::unexpected(*stopped);
  if (failure_) return std::unexpected(*failure_);
  if (counts_.prompts > 0 && counts_.failed == counts_.prompts)
    return std::unexpected(*last_error_);
  return {};
}

std::string ChunkReader::summary() const {
  std::string text =
      fmt::format("{} on {}: {}", counted(jobs_.size(), "job"),
                  counted(document_.chunks.size(), "chunk"), counted(counts_.prompts, "prompt"));
  const auto add = [&text](std::size_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", number(count), what);
  };
  add(counts_.skipped, "skipped");
  text += ", " + counted(counts_.findings, "finding");
  add(counts_.cut_off, "cut off at max_tokens");
  add(counts_.unsupported, "that the chunk does not say");
  add(counts_.failed, "failed");
  if (last_error_) {
    text += fmt::format(" ({}: {})", to_string(last_error_->code), last_error_->detail);
  }
  return text;
}

}  // namespace lichen::mechanisms
