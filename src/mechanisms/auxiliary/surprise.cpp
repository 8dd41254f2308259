#include "mechanisms/auxiliary/surprise.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// Texts in progress at once: a long prompt must not crowd out other requests.
constexpr std::size_t kAtOnce = 16;

/// What small's template puts before a user's message; a line break where it has none.
Result<std::vector<Token>> head_of(const model::LocalModel& model) {
  static constexpr std::string_view kMark = "lichen-message";
  const auto chat = model.chat().render({.messages = {{"user", std::string(kMark)}}});
  const std::size_t at = chat ? chat->prompt.find(kMark) : std::string::npos;
  const bool has_head = at != std::string::npos && at > 0;
  return model.vocabulary().tokenize(has_head ? chat->prompt.substr(0, at) : "\n", true);
}

}  // namespace

/// All texts of one call; several coroutines take the next one in turn. On the lane.
struct Surprise::Work {
  struct Text {
    std::size_t group, index;
  };
  std::vector<TextsBehind> groups;
  std::vector<Session> before = {};  // of each group, without its last token
  std::vector<Text> texts = {};
  std::vector<Surprises> surprises = {};
  std::size_t next = 0;
  std::int64_t tokens = 0;  // read
  SessionStats cost = {};
  std::optional<Error> error = {};

  void add_cost(const Session& session, std::size_t read) {
    tokens += static_cast<std::int64_t>(read);
    cost.queued_ms = std::max(cost.queued_ms, session.stats().queued_ms);
    if (const auto joules = session.stats().joules) cost.joules = cost.joules.value_or(0) + *joules;
  }
};

Surprise::Surprise(std::shared_ptr<model::LocalModel> model)
    : model_(std::move(model)), head_(head_of(*model_)) {}

awaitable<Result<std::vector<Surprises>>> Surprise::of(std::vector<TextsBehind> groups,
                                                       std::string role, Turn& turn) const {
  if (!head_) co_return std::unexpected(head_.error());
  const auto context = static_cast<std::size_t>(model_->context_length());
  for (TextsBehind& group : groups) {
    group.before.insert(group.before.begin(), head_->begin(), head_->end());
    for (const std::vector<Token>& text : group.texts) {
      if (group.before.size() + text.size() <= context) continue;
      co_return fail(Errc::context_overflow,
                     "a text of " + std::to_string(text.size()) + " tokens behind " +
                         std::to_string(group.before.size()) + " is longer than the context of " +
                         model_->name() + ", which holds " + std::to_string(context));
    }
  }
  co_return co_await asio::co_spawn(model_->lane().executor(),
                                    on_lane(std::move(groups), std::move(role), turn),
                                    asio::use_awaitable);
}

awaitable<Result<std::vector<Surprises>>> Surprise::on_lane(std::vector<TextsBehind> groups,
                                                            std::string role, Turn& turn) const {
  const auto begun = Clock::now();
  Work work{.groups = std::move(groups)};
  for (std::size_t group = 0; group < work.groups.size(); ++group) {
    const TextsBehind& texts = work.groups[group];
    work.surprises.emplace_back(texts.texts.size());
    for (std::size_t i = 0; i < texts.texts.size(); ++i) work.texts.push_back({group, i});
    work.before.push_back(model_->open_session(turn));
    const std::span<const Token> before = std::span(texts.before).first(texts.before.size() - 1);
    if (before.empty() || work.error) continue;
    const auto rows = co_await work.before.back().decode(before, {.rows = Want::Rows::none});
    if (!rows) work.error = rows.error();
    work.add_cost(work.before.back(), before.size());
  }
  std::vector<awaitable<void>> readers;
  for (std::size_t i = 0; i < std::min(kAtOnce, work.texts.size()); ++i) {
    readers.push_back(read_some(work, turn));
  }
  co_await side_by_side(std::move(readers));

  // Sessions side by side share passes, so their times are not added up.
  const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
  Step step = model_->step_of(work.before.front(), std::move(role), work.tokens, 0);
  step.queued_ms = work.cost.queued_ms;
  step.prefill_ms = std::max(0.0, took.count() - step.queued_ms);
  step.decode_ms = 0;
  step.joules = work.cost.joules;
  turn.receipt.steps.push_back(std::move(step));
  if (work.error) co_return std::unexpected(*std::move(work.error));
  co_return std::move(work.surprises);
}

awaitable<void> Surprise::read_some(Work& work, Turn& turn) const {
  while (work.next < work.texts.size() && !work.error) {
    const auto [group, index] = work.texts[work.next++];
    const std::vector<Token>& before = work.groups[group].before;
    const std::vector<Token>& text = work.groups[group].texts[index];
    std::vector<Token> tokens{before.back()};
    tokens.insert(tokens.end(), text.begin(), text.end());
    Session session = before.size() == 1 ? model_->open_session(turn) : work.before[group].fork();
    const Want want{.rows = Want::Rows::all, .input_logprobs = true};
    const auto rows = co_await session.decode(tokens, want);
    work.add_cost(session, tokens.size());
    if (!rows) {
      work.error = rows.error();
      co_return;
    }
    std::vector<float>& surprises = work.surprises[group][index];
    for (std::size_t i = 0; i < text.size(); ++i) {
      surprises.push_back(-(*rows)[i].input_logprob);
    }
  }
}

}  // namespace lichen::mechanisms
