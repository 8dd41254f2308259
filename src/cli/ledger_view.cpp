#include "cli/ledger_view.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <boost/json/array.hpp>
#include <charconv>

#include "cli/table.h"
#include "cli/view.h"

namespace lichen::cli {
namespace {

template <class Format>
std::string cell(const std::optional<double>& value, Format format) {
  return value ? format(*value) : "-";
}

boost::json::value or_null(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

boost::json::object to_json(const ledger::Usage& usage) {
  boost::json::object object;
  if (!usage.name.empty()) object["name"] = usage.name;
  object["requests"] = usage.requests;
  object["failures"] = usage.failures;
  object["steps"] = usage.steps;
  object["tokens_in"] = usage.tokens_in;
  object["tokens_out"] = usage.tokens_out;
  object["tokens_cached"] = usage.tokens_cached;
  object["answer_tokens"] = usage.answer_tokens;
  object["bytes_sent"] = usage.bytes_sent;
  object["usd"] = or_null(usage.usd);
  object["priced_steps"] = usage.priced_steps;
  object["joules"] = or_null(usage.joules);
  object["measured_steps"] = usage.measured_steps;
  object["request_share"] = usage.request_share;
  object["output_token_share"] = usage.output_token_share;
  object["answer_token_share"] = usage.answer_token_share;
  object["p50_ms"] = or_null(usage.p50_ms);
  object["p95_ms"] = or_null(usage.p95_ms);
  return object;
}

/// UTC, to the second; what cannot be a date stays at its bounds.
std::string timestamp(SystemTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string usage_table(std::string title, std::span<const ledger::Usage> group,
                        const Terminal& terminal) {
  Table table({{std::move(title), Table::Align::left},
               {"requests"},
               {"failed"},
               {"tokens in"},
               {"cached"},
               {"out"},
               {"in answers"},
               {"USD"},
               {"joules"},
               {"p50"},
               {"p95"}});
  for (const auto& usage : group) {
    table.row({usage.name, format_count(usage.requests), format_count(usage.failures),
               format_count(usage.tokens_in), format_count(usage.tokens_cached),
               format_count(usage.tokens_out),
               fmt::format("{} ({})", format_count(usage.answer_tokens),
                           format_percent(usage.answer_token_share)),
               cell(usage.usd, format_usd), cell(usage.joules, format_joules),
               cell(usage.p50_ms, format_ms), cell(usage.p95_ms, format_ms)});
  }
  return table.text(terminal);
}

}  // namespace

Result<SystemTime> parse_since(std::string_view text, SystemTime now) {
  if (text == "all") return SystemTime{};
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  std::chrono::seconds second_count{0};
  const char letter = error == std::errc{} && end - unit == 1 ? *unit : '\0';
  switch (letter) {
    case 's': second_count = std::chrono::seconds(1); break;
    case 'm': second_count = std::chrono::minutes(1); break;
    case 'h': second_count = std::chrono::hours(1); break;
    case 'd': second_count = std::chrono::hours(24); break;
    default: break;
  }
  constexpr std::int64_t kMost = 1'000'000'000;  // seconds: 31 years
  if (number <= 0 || second_count.count() == 0 || number > kMost / second_count.count()) {
    return fail(Errc::bad_request, "--since " + std::string(text) +
                                       " is no time span; 90s, 30m, 24h, 7d or all would be");
  }
  return now - number * second_count;
}

std::string totals_text(const ledger::Totals& totals, std::string_view since,
                        const Terminal& terminal) {
  if (totals.all.requests == 0) {
    return since == "all" ? "no requests yet\n"
                          : fmt::format("no requests in the last {}\n", since);
  }
  ledger::Usage all = totals.all;
  all.name = "all";
  auto plans = totals.plans;
  plans.push_back(std::move(all));
  std::string out =
      usage_table("plan", plans, terminal) + "\n" + usage_table("model", totals.models, terminal);
  if (totals.all.bytes_sent > 0) {
    out +=
        "\nleft this device: " + format_bytes(static_cast<std::uint64_t>(totals.all.bytes_sent)) +
        "\n";
  }
  return out;
}

std::string receipts_table(std::span<const Receipt> receipts, const Terminal& terminal) {
  using enum Table::Align;
  Table table({{"started (UTC)", left},
               {"receipt", left},
               {"plan", left},
               {"end", left},
               {"in"},
               {"out"},
               {"time"},
               {"USD"}});
  for (const Receipt& receipt : receipts) {
    const Totals sum = totals(receipt);
    table.row({timestamp(receipt.started), receipt.id, receipt.plan,
               receipt.error.empty() ? receipt.finish : terminal.styled(receipt.error, Style::red),
               format_count(sum.tokens_in), format_count(sum.tokens_out),
               format_ms(receipt.total_ms), cell(sum.usd, format_usd)});
  }
  return table.empty() ? "no requests yet\n" : table.text(terminal);
}

boost::json::object to_json(const ledger::Totals& totals, SystemTime since) {
  const auto group = [](std::span<const ledger::Usage> usages) {
    boost::json::array array;
    for (const auto& usage : usages) array.push_back(to_json(usage));
    return array;
  };
  return {{"since", timestamp(since)},
          {"all", to_json(totals.all)},
          {"plans", group(totals.plans)},
          {"models", group(totals.models)}};
}

}  // namespace lichen::cli
