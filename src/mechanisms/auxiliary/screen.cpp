#include "mechanisms/auxiliary/screen.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "mechanisms/auxiliary/text_windows.h"
#include "mechanisms/prompts.h"
#include "mechanisms/side_by_side.h"
#include "mechanisms/verdict.h"

namespace lichen::mechanisms {
namespace {

/// Windows in progress at once: a long text must not crowd out other requests.
constexpr std::size_t kAtOnce = 16;

struct Window {
  std::string prompt;
  std::unique_ptr<Turn> turn;
  Result<double> risk = fail(Errc::internal, "not asked");
};

awaitable<void> judge_one(AnswererPtr judge, Window& window) {
  window.risk = co_await ask_verdict(std::move(judge), std::move(window.prompt), VerdictWords(),
                                     "guard", *window.turn);
}

}  // namespace

std::string_view to_string(Side side) { return side == Side::input ? "input" : "output"; }

awaitable<Result<double>> Screen::risk(Side side, std::string text, Turn& turn) const {
  const std::string_view name = side == Side::input ? "guard_input" : "guard_output";
  const std::vector<std::string_view> texts = windows_of(text, window_);
  double largest = 0;
  for (std::size_t first = 0; first < texts.size(); first += kAtOnce) {
    std::vector<Window> windows;
    const std::size_t count = std::min(kAtOnce, texts.size() - first);
    for (std::size_t i = first; i < first + count; ++i) {
      Result<std::string> prompt = render(name, {{"text", texts[i]}});
      if (!prompt) co_return std::unexpected(std::move(prompt).error());
      windows.push_back({.prompt = *std::move(prompt), .turn = turn.child()});
    }
    std::vector<awaitable<void>> work;
    work.reserve(windows.size());
    for (Window& window : windows) work.push_back(judge_one(judge_, window));
    co_await side_by_side(std::move(work));
    for (const Window& window : windows) turn.absorb(*window.turn);
    for (const Window& window : windows) {
      if (!window.risk) co_return std::unexpected(window.risk.error());
      largest = std::max(largest, *window.risk);
    }
  }
  co_return largest;
}

}  // namespace lichen::mechanisms
