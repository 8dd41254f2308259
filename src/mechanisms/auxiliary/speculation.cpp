#include "mechanisms/auxiliary/speculation.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace lichen::mechanisms {
namespace {

/// Of the time of all rounds, the share that may go into guesses that do not seem worth it: how
/// else would it be noticed that they have become so?
constexpr double kTrials = 0.005;
/// The typical answer is the mean of the first so many, and follows the later ones as slowly.
constexpr double kTypicalAnswers = 20;

}  // namespace

Speculation::Speculation(SpeculatePlan& plan, model::PreparedRequest job,
                         std::optional<std::vector<Token>> draft_prompt, Turn& turn)
    : plan_(plan),
      job_(std::move(job)),
      turn_(turn),
      session_(plan.target->open_session(turn)),
      writer_(job_.form, plan.target->chat(), turn),
      of_drafter_(plan.of_drafter),
      of_copies_(plan.of_copies),
      by_drafter_{.author = plan.drafter ? plan.drafter->name() : ""},
      by_copies_{.author = "copy"} {
  if (plan.drafter != nullptr && draft_prompt) {
    drafter_.emplace(*plan.drafter, plan.shared.get(), *std::move(draft_prompt), job_.sampling,
                     turn);
  }
  if (plan.copies) copies_.read(job_.prompt);
}

awaitable<Result<Answer>> Speculation::answer() {
  const Result<void> written = co_await write();
  const std::int64_t tokens = writer_.tokens();
  Result<Answer> answer = std::unexpected(written ? Error{} : written.error());
  if (written) answer = co_await writer_.finish();
  write_receipt(tokens);
  if (!answer) co_return answer;
  plan_.answers = std::min(plan_.answers + 1, kTypicalAnswers);
  plan_.answer_tokens += (static_cast<double>(tokens) - plan_.answer_tokens) / plan_.answers;
  answer->prompt_tokens = static_cast<std::int64_t>(job_.prompt.size());
  answer->cached_tokens = session_.stats().tokens_cached;
  answer->drafted_tokens = by_drafter_.drafted + by_copies_.drafted;
  answer->accepted_tokens = by_drafter_.accepted + by_copies_.accepted;
  if (answer->authors.empty()) answer->authors = {{.model = plan_.target->name()}};
  co_return answer;
}

awaitable<Result<void>> Speculation::write() {
  Result<std::vector<Row>> rows = co_await session_.decode(job_.prompt, job_.want());
  Result<Round> round;
  for (;;) {
    if (!rows) co_return std::unexpected(std::move(rows.error()));
    const std::size_t accepted = std::min(rows->size() - 1, round->guesses.size());
    const std::int64_t before = writer_.tokens();
    learn(*round, accepted);
    const Result<bool> more = co_await add(*std::move(rows));
    count(*round, std::min(static_cast<std::int64_t>(accepted), writer_.tokens() - before));
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return Result<void>{};
    round = co_await next_round();
    if (!round) co_return std::unexpected(round.error());
    rows = co_await check(*round);
  }
}

/// Whoever makes the answer grow fastest guesses; nobody, where the target alone does.
awaitable<Result<Speculation::Round>> Speculation::next_round() {
  const bool drafts = drafter_ && !drafter_error_ && drafter_->has_room(tokens_.size());
  const bool even = plan_.target->open_sessions() > 1;
  if (even || plan_.fixed) {
    const std::size_t guesses =
        std::min(plan_.fixed.value_or(common_guesses(drafts)), free_cells());
    if (guesses > 0 || plan_.fixed) co_return co_await even_round(guesses, drafts);
  }
  const std::size_t most = most_guesses();
  if (most == 0) co_return Round{};
  const double plain = 1 / costs(By::copies).check(0);
  const CopyDrafter::Match match = plan_.copies ? copies_.find() : CopyDrafter::Match{};
  const std::size_t copied = std::min(most, match.next.size());
  if (!even) {
    const double by_copies =
        copied == 0 ? 0
                    : best_rate(costs(By::copies), of_copies_.chance(match.confidence(0)), copied);
    const double by_drafter =
        drafts ? best_rate(costs(By::drafter), of_drafter_.typical(), most) : 0;
    if (by_copies > plain && by_copies >= by_drafter) co_return copy(match, copied, false);
    if (by_drafter > plain && pays_to_read(plain, by_drafter)) {
      co_return co_await ask_drafter(DraftLength(costs(By::drafter), of_drafter_.typical(), most));
    }
  }
  const DraftCosts checking = costs(By::copies);
  const double check_ms = checking.check(1) - checking.check(0);
  if (copied > 0 && may_try(check_ms)) co_return copy(match, 1, true);
  if (drafts && may_try(check_ms + unread_ms())) co_return co_await ask_drafter(DraftLength(1));
  co_return Round{};
}

/// What suits the plan's typical answer now. One number holds for some passes of the target, since
/// each session that differs costs all of them a pass. At first and from time to time there are no
/// guesses, so that what the passes take without them is known as well as with them.
std::size_t Speculation::common_guesses(bool drafts) {
  constexpr std::uint64_t kPasses = 4;  // for which a number holds
  constexpr int kPlainOne = 40;         // of so many numbers one is 0
  SpeculatePlan::Common& common = plan_.common;
  const std::uint64_t passes = plan_.target->stats().batches;
  if (passes >= common.until) {
    common.until = passes + kPasses;
    const bool by_drafter = drafts && plan_.drafter != nullptr;
    const std::size_t best =
        by_drafter ? best_length(costs(By::drafter), plan_.of_drafter.typical(), plan_.longest)
                   : best_length(costs(By::copies), plan_.of_copies.typical(), plan_.longest);
    common.guesses = common.numbers++ % kPlainOne == 0 ? 0 : best;
  }
  return common.guesses;
}

/// A round of just so many guesses. Where there are fewer, others' sessions would wait for a pass
/// of their own all the same, so it is filled up.
awaitable<Result<Speculation::Round>> Speculation::even_round(std::size_t guesses, bool drafts) {
  const CopyDrafter::Match match = plan_.copies ? copies_.find() : CopyDrafter::Match{};
  const std::size_t copied = std::min(guesses, match.next.size());
  const double by_copies = copied == 0 ? 0 : of_copies_.chance(match.confidence(0));
  Round round;
  if (copied > 0 && (!drafts || by_copies > of_drafter_.typical())) {
    round = copy(match, copied, true);
  } else if (drafts && (plan_.fixed || drafter_->reads() || pays_to_read_for(guesses))) {
    Result<Round> asked = co_await ask_drafter(DraftLength(guesses));
    if (!asked) co_return asked;
    round = *std::move(asked);
  }
  round.tokens = guesses + 1;
  co_return round;
}

Speculation::Round Speculation::copy(const CopyDrafter::Match& match, std::size_t most, bool all) {
  DraftLength length(costs(By::copies), of_copies_.typical(), most);
  Round round{.by = By::copies};
  for (std::size_t i = 0; i < most; ++i) {
    const double confidence = match.confidence(i);
    const double chance = of_copies_.chance(confidence);
    length.add(chance);
    of_copies_.guessed(chance);
    round.guesses.push_back({.token = match.next[i], .confidence = confidence});
  }
  round.guesses.resize(all ? most : length.worth_checking());
  return round;
}

awaitable<Result<Speculation::Round>> Speculation::ask_drafter(DraftLength length) {
  Round round{.by = By::drafter};
  Result<std::vector<Guess>> guesses = co_await drafter_->guess(tokens_, length, of_drafter_);
  if (!guesses) {
    if (turn_.stopped()) co_return std::unexpected(std::move(guesses.error()));
    drafter_error_ = std::move(guesses.error());  // the answer does not depend on it
    co_return round;
  }
  round.guesses = *std::move(guesses);
  const DraftCosts spent = costs(By::drafter);
  plan_.rounds_ms += spent.draft(round.guesses.size()) / spent.sessions;
  round.guesses.resize(length.worth_checking());
  co_return round;
}

awaitable<Result<std::vector<Row>>> Speculation::check(const Round& round) {
  std::vector<Guess> guesses = round.guesses;
  if (guesses.size() + 1 < round.tokens) {
    const Token last = guesses.empty() ? tokens_.back() : guesses.back().token;
    guesses.resize(round.tokens - 1, Guess{.token = last});
  }
  std::vector<Token> tokens = {tokens_.back()};
  for (const Guess& guess : guesses) tokens.push_back(guess.token);
  Want want = job_.want();
  std::optional<DraftCheck> draft;
  if (!guesses.empty()) {
    want.rows = Want::Rows::agreed;
    if (job_.sampler != nullptr) want.sampler = &draft.emplace(*job_.sampler, guesses);
  }
  co_return co_await session_.decode(tokens, want);
}

void Speculation::learn(const Round& round, std::size_t accepted) {
  const DraftCosts spent = costs(round.by);
  plan_.rounds_ms += spent.check(round.guesses.size()) / spent.sessions;
  for (std::size_t i = 0; i < round.guesses.size() && i <= accepted; ++i) {
    acceptance(round.by).checked(round.guesses[i].confidence, i < accepted);
  }
}

void Speculation::count(const Round& round, std::int64_t accepted) {
  DraftCount& count = round.by == By::drafter ? by_drafter_ : by_copies_;
  count.drafted += static_cast<std::int64_t>(round.guesses.size());
  count.accepted += accepted;
}

awaitable<Result<bool>> Speculation::add(std::vector<Row> rows) {
  for (Row& row : rows) {
    tokens_.push_back(row.token);
    if (plan_.copies) copies_.read(std::span(&row.token, 1));
    const Result<bool> more =
        co_await writer_.write(std::move(row), plan_.target->vocabulary(), plan_.target->name());
    if (!more || !*more) co_return more;
  }
  co_return true;
}

/// What the context leaves room for, beside the target's own token.
std::size_t Speculation::free_cells() const {
  const std::int64_t cells = plan_.target->session_length() - session_.size() - 1;
  return static_cast<std::size_t>(std::max<std::int64_t>(cells, 0));
}

/// And what the length of the answer does.
std::size_t Speculation::most_guesses() const {
  const std::int64_t left = std::max<std::int64_t>(job_.form.max_tokens - writer_.tokens() - 1, 0);
  return std::min({static_cast<std::size_t>(left), free_cells(), plan_.longest});
}

DraftCosts Speculation::costs(By by) const {
  DraftCosts costs{.target = &plan_.target->pass_times(),
                   .sessions = static_cast<double>(std::max(1, plan_.target->open_sessions()))};
  if (by == By::drafter && plan_.drafter->pass_times().known()) {
    costs.drafter = &plan_.drafter->pass_times();
  }
  return costs;
}

/// What it takes the drafter to catch up.
double Speculation::unread_ms() const {
  const DraftCosts with = costs(By::drafter);
  if (with.drafter == nullptr) return 0;
  return with.drafter->ms(static_cast<double>(drafter_->unread(tokens_)));
}

/// Whether what the guesses will save makes up for the drafter's reading first.
bool Speculation::pays_to_read(double plain, double rate) const {
  const auto written = static_cast<double>(tokens_.size());
  const double left = std::min(std::max(plan_.answer_tokens - written, plan_.answer_tokens / 4),
                               static_cast<double>(job_.form.max_tokens) - written);
  const double one = costs(By::drafter).draft(1);  // is part of the rate
  return left * (1 / plain - 1 / rate) > unread_ms() - one;
}

bool Speculation::pays_to_read_for(std::size_t guesses) const {
  const DraftCosts with = costs(By::drafter);
  const double plain = 1 / with.check(0);
  return pays_to_read(plain, best_rate(with, of_drafter_.typical(), guesses));
}

bool Speculation::may_try(double ms) {
  if (plan_.trials_ms + ms > kTrials * plan_.rounds_ms) return false;
  plan_.trials_ms += ms;
  return true;
}

void Speculation::write_receipt(std::int64_t tokens) {
  Receipt& receipt = turn_.receipt;
  std::string reason;
  for (const DraftCount& count : {by_drafter_, by_copies_}) {
    if (count.drafted == 0) continue;
    add_drafts(receipt, count);
    reason += fmt::format("{}{} of {} tokens by {} accepted", reason.empty() ? "" : ", ",
                          count.accepted, count.drafted, count.author);
  }
  const bool drafted = !reason.empty();
  if (!drafted) reason = "no guess seemed worth its time";
  if (drafter_error_) {
    reason += fmt::format("; {} gave up: {}", by_drafter_.author, drafter_error_->detail);
  }
  receipt.decisions.push_back({.mechanism = "speculate",
                               .choice = drafted ? "drafted" : "plain",
                               .reason = std::move(reason)});
  if (drafter_) {
    if (auto step = drafter_->step()) receipt.steps.push_back(*std::move(step));
  }
  receipt.steps.push_back(plan_.target->step_of(
      session_, "answer", static_cast<std::int64_t>(job_.prompt.size()), tokens));
}

}  // namespace lichen::mechanisms
