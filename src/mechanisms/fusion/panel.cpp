#include "mechanisms/fusion/panel.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "mechanisms/answer_text.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/sampled_answers.h"

namespace lichen::mechanisms {
namespace {

Result<void> read_samples(Options& options, int most, std::vector<Member>& members) {
  std::vector<std::string_view> names;
  for (const Member& member : members) names.push_back(member.name);
  const auto samples = options.some_numbers("samples", names, 1, most);
  if (!samples) return std::unexpected(samples.error());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double count = (*samples)[i].value_or(1);
    if (count != std::floor(count)) {
      return std::unexpected(options.error("samples", "`samples` must be whole numbers"));
    }
    members[i].samples = static_cast<int>(count);
  }
  return {};
}

}  // namespace

std::vector<Seat> Panel::seats() const {
  std::vector<Seat> seats;
  const auto most = std::ranges::max_element(members, {}, &Member::samples);
  for (int sample = 0; most != members.end() && sample < most->samples; ++sample) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (sample < members[i].samples) seats.push_back({.member = i, .sample = sample});
    }
  }
  return seats;
}

Request Panel::request_for(const Seat& seat, const Request& request) const {
  return seat.sample == 0 ? request : sampled(request, temperature, seat.sample);
}

std::string Panel::name_of(const Seat& seat) const {
  const std::string& name = members[seat.member].name;
  return seat.sample == 0 ? name : fmt::format("{}#{}", name, seat.sample + 1);
}

Result<Panel> read_panel(Options& options, int most) {
  constexpr double kTemperature = 0.7;
  Result<std::vector<Operand>> of = options.operands("of");
  if (!of) return std::unexpected(of.error());
  Panel panel;
  for (Operand& operand : *of) {
    if (std::ranges::find(panel.members, operand.name, &Member::name) != panel.members.end()) {
      return std::unexpected(options.error(
          "of", fmt::format("`of` has `{0}` twice: `samples: {{{0}: 2}}` asks one plan twice, and "
                            "two plans need names of their own under `plans:`",
                            operand.name)));
    }
    panel.members.push_back(
        {.name = std::move(operand.name), .answerer = std::move(operand.answerer)});
  }
  if (const auto read = read_samples(options, most, panel.members); !read) {
    return std::unexpected(read.error());
  }
  const std::size_t answers = panel.seats().size();
  if (answers < 2 || answers > static_cast<std::size_t>(most)) {
    return std::unexpected(options.error(
        "of", fmt::format("`of` and `samples` ask for {} answer{}: 2 to {} can be compared",
                          answers, answers == 1 ? "" : "s", most)));
  }
  const Result<double> temperature = options.number("temperature", kTemperature, 0.01, 2);
  if (!temperature) return std::unexpected(temperature.error());
  panel.temperature = static_cast<float>(*temperature);
  return panel;
}

std::string flaw_of(const Result<Answer>& answer, const Request& request) {
  if (!answer) {
    return fmt::format("failed: {}: {}", to_string(answer.error().code), answer.error().detail);
  }
  if (trimmed(said(*answer)).empty()) return "said nothing";
  if (cut_short(*answer, request.max_tokens)) {
    return fmt::format("was cut short after {} tokens", answer->completion_tokens);
  }
  return {};
}

}  // namespace lichen::mechanisms
