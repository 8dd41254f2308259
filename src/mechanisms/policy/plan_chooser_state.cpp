// What a PlanChooser knows as text, and back: words between blanks, begun by the form's name and
// version, a hash of all that follows, and a hash of the options that it belongs to.
#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <concepts>
#include <iterator>

#include "mechanisms/policy/plan_chooser.h"
#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

constexpr std::string_view kForm = "lichen-auto-1";
constexpr double kMost = 1e15;  // no count or amount is over it

std::string hexadecimal(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

class Writer {
 public:
  void word(std::string_view word) { (text_ += word) += ' '; }
  void count(std::size_t count) { fmt::format_to(std::back_inserter(text_), "{} ", count); }
  void whole(std::int64_t number) { fmt::format_to(std::back_inserter(text_), "{} ", number); }
  void real(std::floating_point auto number) {
    fmt::format_to(std::back_inserter(text_), "{} ", number);
  }
  template <class Range>
  void reals(const Range& range) {
    for (const auto number : range) real(number);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// After the first word that is not what it should be, everything reads as nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string_view word() {
    const auto end = text_.find(' ');
    if (end == std::string_view::npos) good_ = false;
    if (!good_) return {};
    const auto word = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return word;
  }
  double real(double min, double max) {
    const double number = parsed<double>();
    return within(number >= min && number <= max) ? number : 0;  // not so for NaN
  }
  std::int64_t whole(std::int64_t min, std::int64_t max) {
    const auto number = parsed<std::int64_t>();
    return within(number >= min && number <= max) ? number : 0;
  }
  std::size_t count(std::size_t most) {
    return static_cast<std::size_t>(whole(0, static_cast<std::int64_t>(most)));
  }
  bool flag() { return whole(0, 1) == 1; }
  bool good() const { return good_; }
  bool at_end() const { return good_ && text_.empty(); }

 private:
  template <class Number>
  Number parsed() {
    const auto text = word();
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    within(error == std::errc{} && end == text.data() + text.size());
    return number;
  }
  bool within(bool fine) { return good_ = good_ && fine; }

  std::string_view text_;
  bool good_ = true;
};

}  // namespace

/// What it was learned under: of other plans, or with another budget, it would mean nothing.
std::string PlanChooser::setting() const {
  std::string text = fmt::format("{} {} {}", kSketchVersion, kSketchSize, options_.safe);
  for (const auto& arm : options_.arms) text += " " + arm;
  if (options_.budget_per_hour) text += " in " + options_.budget_unit;
  if (options_.p95_ms) text += fmt::format(" under {} ms", *options_.p95_ms);
  return hexadecimal(hash_of(text));
}

std::string PlanChooser::state() const {
  std::unique_lock lock(mutex_);
  const Known known = known_;  // writing takes longer than copying
  lock.unlock();

  Writer out;
  out.word(setting());
  out.whole(known.choices);
  out.whole(known.explored);
  out.real(known.tail.price());
  out.real(known.budget.price());
  out.real(known.budget.paced_at());
  out.count(known.budget.slots().size());
  for (const HourlyBudget::Slot& slot : known.budget.slots()) {
    out.whole(slot.number);
    out.real(slot.amount);
  }
  for (const Arm& arm : known.arms) {
    out.reals(arm.scores.numbers());
    out.whole(arm.settled);
    out.whole(arm.timed);
    out.reals(
        std::initializer_list<double>{arm.usd, arm.budget, arm.slow, arm.seconds, arm.dearest});
    out.count(arm.outcomes.size());
    for (const Outcome& outcome : arm.outcomes) {
      out.word(hexadecimal(outcome.request));
      out.count(outcome.lost ? 1 : 0);
    }
  }
  out.count(known.pending.size());
  for (const Pending& pending : known.pending) {
    out.word(pending.request);
    out.count(pending.arm);
    out.count(pending.best ? 1 : 0);
    out.count(pending.score ? 1 : 0);
    out.real(pending.score.value_or(0));
    out.count(pending.by_user ? 1 : 0);
    out.reals(pending.sketch);
  }
  return fmt::format("{} {} {}", kForm, hexadecimal(hash_of(out.text())), out.text());
}

Result<void> PlanChooser::restore(std::string_view state) {
  const auto wrong = [](std::string_view what) {
    return fail(Errc::bad_model, fmt::format("what `auto` had learned {}", what));
  };
  Reader head(state);
  const auto form = head.word();
  const auto hash = head.word();
  if (!head.good() || form != kForm) return wrong("has another form");
  const auto body = state.substr(kForm.size() + hash.size() + 2);
  if (hash != hexadecimal(hash_of(body))) return wrong("is damaged");
  Reader in(body);
  if (in.word() != setting()) return wrong("is of other plans or options");

  constexpr auto kMostCount = static_cast<std::int64_t>(kMost);
  Known known = nothing_known();
  known.choices = in.whole(0, kMostCount);
  known.explored = in.whole(0, kMostCount);
  known.tail.restore(in.real(0, kMost));
  const double price = in.real(0, kMost);
  const double paced_at = in.real(0, kMost);
  std::deque<HourlyBudget::Slot> slots(in.count(1'000));
  for (HourlyBudget::Slot& slot : slots) {
    slot.number = in.whole(-kMostCount, kMostCount);
    slot.amount = in.real(0, kMost);
  }
  known.budget.restore(price, paced_at, std::move(slots));
  for (Arm& arm : known.arms) {
    std::vector<double> numbers(arm.scores.numbers().size());
    for (double& number : numbers) number = in.real(-kMost, kMost);
    if (!in.good()) break;
    if (Result<void> restored = arm.scores.restore(numbers); !restored) {
      return wrong("cannot be: " + restored.error().detail);
    }
    arm.settled = in.whole(0, kMostCount);
    arm.timed = in.whole(0, kMostCount);
    for (double* number : {&arm.usd, &arm.budget, &arm.slow, &arm.seconds, &arm.dearest}) {
      *number = in.real(0, kMost);
    }
    arm.outcomes.resize(in.count(1'000));
    for (Outcome& outcome : arm.outcomes) {
      const auto text = in.word();
      std::from_chars(text.data(), text.data() + text.size(), outcome.request, 16);
      outcome.lost = in.flag();
    }
    arm.allowed = keeps_risk(arm);
  }
  known.pending.resize(in.count(kMostPending));
  for (Pending& pending : known.pending) {
    pending.request = in.word();
    pending.arm = in.count(known.arms.size() - 1);
    pending.best = in.flag();
    const bool scored = in.flag();
    const double score = in.real(0, 1);
    if (scored) pending.score = score;
    pending.by_user = in.flag();
    for (float& number : pending.sketch) number = static_cast<float>(in.real(-kMost, kMost));
  }
  if (!in.at_end()) return wrong("breaks off, or holds what it cannot");

  std::lock_guard lock(mutex_);
  known_.arms = std::move(known.arms);
  known_.pending = std::move(known.pending);
  known_.choices = known.choices;
  known_.explored = known.explored;
  known_.tail = known.tail;
  known_.budget.restore(known.budget.price(), known.budget.paced_at(), known.budget.slots());
  return {};
}

}  // namespace lichen::mechanisms
