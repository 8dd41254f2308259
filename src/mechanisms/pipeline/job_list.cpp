#include "mechanisms/pipeline/job_list.h"

#include <algorithm>
#include <utility>

#include "mechanisms/answer_text.h"

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kMore = "more:";

std::string_view without_mark(std::string_view line) {
  for (const std::string_view mark : {"-", "*", "\u2022"}) {
    const std::string_view rest = line.starts_with(mark) ? line.substr(mark.size()) : line;
    if (rest.empty() || (rest.size() < line.size() && rest.starts_with(' '))) return trimmed(rest);
  }
  const auto digits = line.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > 3) return line;
  const bool numbered =
      line.substr(digits).starts_with(". ") || line.substr(digits).starts_with(") ");
  return numbered ? trimmed(line.substr(digits + 1)) : line;
}

bool same(char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); }

bool begins_with_more(std::string_view line) {
  return line.size() >= kMore.size() &&
         std::ranges::equal(line.substr(0, kMore.size()), kMore, same);
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool white = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
    if (white && (out.empty() || out.back() == ' ')) continue;
    out += white ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto last = out.find_last_not_of(" .,;:!?");
  out.resize(last == std::string::npos ? 0 : last + 1);
  return out;
}

std::string_view job_of(std::string_view line) {
  line = without_mark(trimmed(line));
  return line.size() > kMostJobBytes || line.ends_with(':') ? std::string_view() : line;
}

std::vector<std::string> more_jobs(std::string_view text) {
  std::vector<std::string> jobs;
  text = trimmed(text);
  if (!begins_with_more(text)) return jobs;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (begins_with_more(line)) line.remove_prefix(kMore.size());
    if (const std::string_view job = job_of(line); !job.empty()) jobs.emplace_back(job);
  }
  return jobs;
}

bool may_ask_for_more(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return true;
  const std::string_view head = text.substr(first, kMore.size());
  return std::ranges::equal(head, kMore.substr(0, head.size()), same);
}

awaitable<bool> JobReader::write(Piece piece) {
  bytes_ += piece.text.size();
  line_ += piece.text;
  for (auto end = line_.find('\n'); end != std::string::npos && !full(); end = line_.find('\n')) {
    const std::string line = line_.substr(0, end);
    line_.erase(0, end + 1);
    co_await read(line);
  }
  // A line without an end fills no memory: what is beyond a job's size is not kept.
  if (line_.size() > 2 * kMostJobBytes) line_.resize(2 * kMostJobBytes);
  co_return !full();
}

awaitable<void> JobReader::finish(std::string text) {
  if (bytes_ == 0) {
    Piece whole{.text = std::move(text), .model = {}};
    co_await write(std::move(whole));
  }
  if (!full()) co_await read(std::exchange(line_, {}));
}

awaitable<void> JobReader::read(std::string_view line) {
  const std::string_view job = job_of(line);
  std::string key = folded(job);
  if (key.empty() || std::ranges::find(jobs_, key) != jobs_.end()) co_return;
  jobs_.push_back(std::move(key));
  refused_ = !co_await take_(std::string(job));
}

}  // namespace lichen::mechanisms
