#include "mechanisms/pipeline/review.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/pipeline/draft.h"

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kOk = "OK";

std::string_view without_blanks_before(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

/// Whether the text may yet become OK.
bool is_begun_ok(std::string_view text) {
  return text.size() < kOk.size() && kOk.starts_with(text);
}

/// For the receipt: not the whole of a long line.
std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 80;
  if (text.size() <= kMost) return std::string(text);
  const std::size_t whole = base::complete_utf8_prefix(text.substr(0, kMost));
  return fmt::format("{}...", text.substr(0, whole));
}

}  // namespace

void OkProbability::take(const AnswerToken& token) {
  if (told_) return;
  const auto behind = [this](std::string_view next) {
    return std::string(without_blanks_before(said_ + std::string(next)));
  };
  const std::string now = behind(token.text);
  if (now.empty()) return;  // blanks
  const bool goes_on = is_begun_ok(now);
  double ok = 0;
  const auto add = [&](std::string_view text, float logprob) {
    const std::string then = behind(text);
    if (then.empty() || (goes_on && then == now)) return;
    if (then.starts_with(kOk) || is_begun_ok(then)) ok += std::exp(static_cast<double>(logprob));
  };
  for (const TokenLogprob& other : token.top) add(other.text, other.logprob);
  // Endpoints may leave the token itself out of its alternatives.
  if (std::ranges::find(token.top, token.text, &TokenLogprob::text) == token.top.end()) {
    add(token.text, token.logprob);
  }
  ok_ += through_ * ok;
  through_ *= std::exp(static_cast<double>(token.logprob));
  said_ = now;
  told_ = !goes_on;
}

std::optional<double> OkProbability::value() const {
  if (!told_) return std::nullopt;
  return std::min(ok_, 1.0);
}

Review::Review(std::string_view draft, const ReviewOptions& options)
    : options_(options),
      first_tokens_tell_(draft.find(kOk) == std::string_view::npos),
      mending_(draft) {}

awaitable<bool> Review::write(Piece piece) {
  for (const AnswerToken& token : piece.logprobs) ok_.take(token);
  tokens_ += piece.logprobs.size();
  said_ += piece.text;
  said_tokens_ += piece.tokens;
  author_ = piece.model;
  judge(false);
  const bool ends_by_itself = !options_.hang_up && says_ok(said_);
  co_return verdict_ == Verdict::none || ends_by_itself;
}

void Review::finish(const Answer& answer) {
  for (; tokens_ < answer.tokens.size(); ++tokens_) ok_.take(answer.tokens[tokens_]);
  if (said_.size() < answer.text.size()) {  // it was not streamed
    said_ = answer.text;
    said_tokens_ = answer.completion_tokens;
    if (!answer.authors.empty()) author_ = answer.authors.front().model;
  }
  if (verdict_ == Verdict::none && ended_early(answer.finish)) judge(false);
  if (verdict_ == Verdict::none && ended_early(answer.finish)) {
    decide(Verdict::useless, "large's edits were cut off");
  }
  judge(true);
}

Answer Review::mended(const Answer& draft, const std::vector<std::string>& stops) {
  for (const std::string& stop : stops) {
    if (!stop.empty()) mending_.truncate(mending_.text().find(stop));
  }
  Answer answer{.text = mending_.text(),
                .finish = draft.finish,
                .prompt_tokens = draft.prompt_tokens,
                .cached_tokens = draft.cached_tokens};
  const std::string drafter = main_author(draft);
  for (const auto& [fresh, bytes] : mending_.runs()) {
    const std::int64_t tokens =
        fresh ? share_of_tokens(said_tokens_, bytes, said_.size())
              : share_of_tokens(draft.completion_tokens, bytes, draft.text.size());
    answer.authors.push_back({.model = fresh ? author_ : drafter,
                              .tokens = tokens,
                              .bytes = static_cast<std::int64_t>(bytes)});
    answer.completion_tokens += tokens;
  }
  return answer;
}

void Review::judge(bool ended) {
  if (verdict_ == Verdict::none && !judge_ok(ended)) carry_out(ended);
}

/// True: what was said is, or may become, a verdict, and is no edit.
bool Review::judge_ok(bool ended) {
  const std::string_view said = without_blanks_before(said_);
  if (!first_tokens_tell_) {
    if (!ended) return says_ok(said) || !options_.edits;
    if (says_ok(said)) {
      decide(Verdict::accepted, "large says OK");
    } else if (!options_.edits) {
      decide(Verdict::unsure, "large does not say OK");
    }
    return verdict_ != Verdict::none;
  }
  const std::optional<double> ok = ok_.value();
  const bool says = said.starts_with(kOk);
  if (ok ? *ok >= options_.accept : says) {
    decide(Verdict::accepted,
           ok ? fmt::format("P(OK) {:.3f} reaches accept {:.4g}", *ok, options_.accept)
              : "large says OK, without log-probabilities");
  } else if (says || (!options_.edits && !is_begun_ok(said))) {
    decide(Verdict::unsure,
           ok ? fmt::format("P(OK) {:.3f} under accept {:.4g}", *ok, options_.accept)
              : "large does not say OK");
  }
  return verdict_ != Verdict::none || (!ended && is_begun_ok(said));
}

void Review::carry_out(bool ended) {
  while (verdict_ == Verdict::none && read_ < said_.size()) {
    const std::size_t end = said_.find('\n', read_);
    if (end == std::string::npos && !ended) return;
    const std::string_view line = trimmed(std::string_view(said_).substr(read_, end - read_));
    read_ = end == std::string::npos ? said_.size() : end + 1;
    if (line.empty()) continue;
    const Result<void> applied = mending_.apply(line);
    if (!applied) decide(Verdict::useless, shortened(applied.error().detail));
    ++edits_;
  }
  if (verdict_ != Verdict::none || !ended) return;
  if (edits_ == 0) {
    decide(Verdict::useless, "large said nothing of the draft");
  } else {
    decide(Verdict::mended, fmt::format("{} edit{} by large", edits_, edits_ == 1 ? "" : "s"));
  }
}

void Review::decide(Verdict verdict, std::string reason) {
  verdict_ = verdict;
  reason_ = std::move(reason);
}

}  // namespace lichen::mechanisms
