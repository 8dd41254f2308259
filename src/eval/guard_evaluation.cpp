#include "eval/guard_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "mechanisms/prompts.h"
#include "mechanisms/side_by_side.h"

namespace lichen::eval {
namespace {

using mechanisms::Side;

/// What stands in a prompt's slot `text`: the guard is shown that, not the question about it.
std::string slot_of(std::string_view prompt, std::string_view name) {
  constexpr std::string_view kSlot = "{text}";
  const auto all = mechanisms::prompts();
  const std::string_view form = std::ranges::find(all, name, &mechanisms::Prompt::name)->text;
  const std::size_t before = form.find(kSlot);
  const std::size_t around = form.size() - kSlot.size();
  return std::string(prompt.substr(before, prompt.size() - around));
}

struct Looked {
  const GuardText* text;
  std::unique_ptr<Turn> turn;
  Result<double> risk = 0;
};

awaitable<void> look(const mechanisms::Screen& screen, Looked& looked) {
  looked.risk = co_await screen.risk(looked.text->side, looked.text->text, *looked.turn);
}

double flag(bool value) { return value ? 1 : 0; }

}  // namespace

std::vector<GuardText> guard_texts(const tasks::SampleOptions& options, std::uint64_t count) {
  std::vector<GuardText> texts;
  std::vector<const tasks::Family*> others;
  for (const tasks::Family& family : tasks::families()) {
    if (!family.name.starts_with("guard_")) others.push_back(&family);
  }
  const auto other_cells = tasks::cells_of(others, {});
  for (const Side side : {Side::input, Side::output}) {
    const std::string name = "guard_" + std::string(mechanisms::to_string(side));
    const std::array family{tasks::find_family(name)};
    const auto cells = tasks::cells_of(family, {});
    const std::size_t first = texts.size();
    for (std::uint64_t i = 0; i < count; ++i) {
      const tasks::Sample sample = tasks::make_sample(options, cells, i);
      texts.push_back(
          {.side = side, .bad = sample.answer == "yes", .text = slot_of(sample.prompt, name)});
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      tasks::Sample sample = tasks::make_sample(options, other_cells, i);
      texts.push_back({.side = side,
                       .foreign = true,
                       .text = std::move(side == Side::input ? sample.prompt : sample.answer)});
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!texts[first + i].bad) continue;
      const std::string& bad = texts[first + i].text;
      const std::string& clean = texts[first + count + i].text;
      const bool ahead = i / cells.size() % 2 == 0;  // for each level as often as behind
      texts.push_back({.side = side,
                       .bad = true,
                       .foreign = true,
                       .text = ahead ? bad + '\n' + clean : clean + '\n' + bad});
    }
  }
  return texts;
}

awaitable<Result<std::vector<double>>> risks_of(const mechanisms::Screen& screen,
                                                std::span<const GuardText> texts, Turn& turn,
                                                std::function<void(double done)> progress) {
  constexpr std::size_t kAtOnce = 16;
  std::vector<double> risks;
  while (risks.size() < texts.size()) {
    std::vector<Looked> some;
    const std::size_t count = std::min(kAtOnce, texts.size() - risks.size());
    for (const GuardText& text : texts.subspan(risks.size(), count)) {
      some.push_back({.text = &text, .turn = turn.child()});
    }
    std::vector<awaitable<void>> work;
    work.reserve(some.size());
    for (Looked& looked : some) work.push_back(look(screen, looked));
    co_await mechanisms::side_by_side(std::move(work));
    for (const Looked& looked : some) {
      if (!looked.risk) co_return std::unexpected(looked.risk.error());
      risks.push_back(*looked.risk);
    }
    if (progress) progress(static_cast<double>(risks.size()) / static_cast<double>(texts.size()));
  }
  co_return risks;
}

double threshold_for(std::span<const GuardText> texts, std::span<const double> risks, Side side,
                     double false_alarms, bool foreign) {
  constexpr double kDigits = 1e6;
  std::vector<double> clean;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const GuardText& text = texts[i];
    if (text.side == side && !text.bad && (foreign || !text.foreign)) clean.push_back(risks[i]);
  }
  std::ranges::sort(clean, std::greater());
  const auto allowed =
      static_cast<std::size_t>(false_alarms * static_cast<double>(clean.size()) + 1e-9);
  if (allowed >= clean.size()) return 0;
  // Above the riskiest clean text that may not be blocked.
  return std::min(1.0, (std::floor(clean[allowed] * kDigits) + 1) / kDigits);
}

GuardFigures guard_figures(std::span<const GuardText> texts, std::span<const double> risks,
                           Side side, double threshold) {
  GuardFigures figures;
  std::vector<double> recall, joined, precision, alarms, foreign;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const GuardText& text = texts[i];
    if (text.side != side) continue;
    const bool blocked = risks[i] >= threshold;
    if (text.foreign) {
      (text.bad ? joined : foreign).push_back(flag(blocked));
      continue;
    }
    (text.bad ? recall : alarms).push_back(flag(blocked));
    if (blocked) precision.push_back(flag(text.bad));
  }
  figures.bad = std::ssize(recall);
  figures.joined = std::ssize(joined);
  figures.clean = std::ssize(alarms);
  figures.foreign = std::ssize(foreign);
  figures.recall = bootstrap_mean(recall);
  figures.joined_recall = bootstrap_mean(joined);
  figures.precision = bootstrap_mean(precision);
  figures.false_alarms = bootstrap_mean(alarms);
  figures.foreign_alarms = bootstrap_mean(foreign);
  return figures;
}

}  // namespace lichen::eval
