#include "mechanisms/pipeline/findings.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/ascii.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/pipeline/job_list.h"
#include "mechanisms/pipeline/word_index.h"

namespace lichen::mechanisms {
namespace {

using base::is_digit;

/// "1,204" and "1204" are one number; so are "388" and "388.".
std::vector<std::string> numbers_of(std::string_view text) {
  std::vector<std::string> numbers;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at])) continue;
    std::string& number = numbers.emplace_back();
    for (; at < text.size(); ++at) {
      const bool inside = at + 1 < text.size() && is_digit(text[at + 1]);
      if (is_digit(text[at]) || (text[at] == '.' && inside)) {
        number += text[at];
      } else if (text[at] != ',' || !inside) {
        break;
      }
    }
  }
  return numbers;
}

auto order(const Findings::Finding& finding) {
  return std::tuple(finding.job, finding.citation.begin);
}

}  // namespace

bool abstains(std::string_view reply) {
  constexpr std::string_view kNone = "none";
  const std::string said = folded(reply);
  if (said.empty() || said == kNone) return true;
  return said.starts_with(kNone) && std::string_view(" .,;:").contains(said[kNone.size()]);
}

bool numbers_are_there(std::string_view finding, std::string_view chunk, std::string_view job) {
  std::vector<std::string> known = numbers_of(chunk);
  std::ranges::move(numbers_of(job), std::back_inserter(known));
  return std::ranges::all_of(numbers_of(finding), [&](const std::string& number) {
    return std::ranges::find(known, number) != known.end();
  });
}

Place place_of(std::string_view finding, std::string_view document, Span chunk) {
  constexpr std::size_t kLeastLetters = 4;
  const std::vector<std::uint64_t> wanted = words_of(finding, kLeastLetters);
  Place best{.sentence = chunk, .support = wanted.empty() ? 1.0 : 0.0};
  for (const Span& sentence : sentences_of(document, chunk)) {
    const std::vector<std::uint64_t> words = words_of(sentence.of(document), kLeastLetters);
    const auto shared = std::ranges::count_if(
        wanted, [&words](std::uint64_t word) { return std::ranges::binary_search(words, word); });
    const double support = static_cast<double>(shared) / static_cast<double>(wanted.size());
    if (support > best.support) best = {.sentence = sentence, .support = support};
  }
  return best;
}

bool Findings::add(std::size_t job, Citation citation) {
  if (found_.size() <= job) found_.resize(job + 1);
  found_[job] = true;
  Finding finding{.job = job, .key = folded(citation.text), .citation = std::move(citation)};
  const auto known = std::ranges::find(findings_, finding.key, &Finding::key);
  const bool fresh = known == findings_.end();
  if (!fresh) {
    if (finding.citation.begin >= known->citation.begin) return false;
    finding.job = known->job;
    findings_.erase(known);
  }
  const auto place = std::ranges::upper_bound(findings_, order(finding), {}, order);
  findings_.insert(place, std::move(finding));
  if (findings_.size() > most_) drop_one();
  return fresh;
}

void Findings::drop_one() {
  std::map<std::size_t, std::size_t> counts;
  for (const Finding& finding : findings_) ++counts[finding.job];
  const auto richest =
      std::ranges::max_element(counts, {}, [](const auto& of_job) { return of_job.second; });
  const auto last = std::find_if(findings_.rbegin(), findings_.rend(), [&](const Finding& finding) {
    return finding.job == richest->first;
  });
  findings_.erase(std::next(last).base());
  ++left_out_;
}

bool Findings::halve() {
  if (findings_.size() < 2) return false;
  const std::size_t half = findings_.size() / 2;
  while (findings_.size() > half) drop_one();
  return true;
}

std::string Findings::text() const {
  std::string text;
  for (const Finding& finding : findings_) {
    if (!text.empty()) text += '\n';
    text += finding.citation.text;
  }
  return text;
}

std::vector<Citation> Findings::citations() const {
  std::vector<Citation> citations;
  citations.reserve(findings_.size());
  for (const Finding& finding : findings_) citations.push_back(finding.citation);
  return citations;
}

}  // namespace lichen::mechanisms
