// lichen keys: the virtual keys that a server lets in.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/ledger_file.h"
#include "cli/ledger_view.h"
#include "cli/table.h"
#include "ledger/key_secret.h"
#include "policy/nearest.h"

namespace lichen::cli {
namespace {

using std::chrono::system_clock;

struct KeysOptions {
  std::string key;  // an id, or a name that one key has
  std::string name;
  ledger::KeyLimits limits;
  std::string period;
  std::string expires;
  std::vector<std::string> unlimited;  // limits to take away
  bool json = false;
};

void print_json(const boost::json::value& value) {
  Terminal::of(stdout).write(boost::json::serialize(value) + "\n");
}

/// "30d" from now; "never" is none.
Result<std::optional<system_clock::time_point>> expiry(const std::string& text) {
  if (text == "never") return std::nullopt;
  const auto now = system_clock::now();
  const auto before = parse_since(text, now);  // the same words, the other way
  if (!before || text == "all") {
    return fail(Errc::bad_request,
                "--expires: `" + text + "` is no time: 90s, 30m, 24h, 30d, never");
  }
  return now + (now - *before);
}

/// Reads what was given into the key; what was not stays.
Result<void> apply(const KeysOptions& options, ledger::Key& key) {
  ledger::KeyLimits& limits = key.limits;
  const ledger::KeyLimits& given = options.limits;
  if (!given.plans.empty()) limits.plans = given.plans;
  if (given.requests_per_minute) limits.requests_per_minute = given.requests_per_minute;
  if (given.tokens_per_minute) limits.tokens_per_minute = given.tokens_per_minute;
  if (given.requests_at_once) limits.requests_at_once = given.requests_at_once;
  if (given.budget_usd) limits.budget_usd = given.budget_usd;
  if (!options.period.empty()) {
    limits.period = ledger::budget_period(options.period).value_or(limits.period);
  }
  for (const std::string& what : options.unlimited) {
    if (what == "plans") limits.plans.clear();
    if (what == "requests-per-minute") limits.requests_per_minute.reset();
    if (what == "tokens-per-minute") limits.tokens_per_minute.reset();
    if (what == "requests-at-once") limits.requests_at_once.reset();
    if (what == "budget") limits.budget_usd.reset();
  }
  if (options.expires.empty()) return {};
  const auto expires = expiry(options.expires);
  if (!expires) return std::unexpected(expires.error());
  key.expires = *expires;
  return {};
}

/// A misspelt name would open nothing.
Result<void> check_plans(const std::vector<std::string>& plans, const Invocation& invocation) {
  if (plans.empty()) return {};
  const auto config = load_chosen_config(invocation.config);
  if (!config) return std::unexpected(config.error());
  std::vector<std::string> names;
  for (const auto& plan : config->plans) names.push_back(plan.name);
  for (const auto& model : config->models) names.push_back(model.name);
  for (const std::string& plan : plans) {
    if (std::ranges::find(names, plan) != names.end()) continue;
    return fail(Errc::bad_request, "there is no plan or model `" + plan + "`" +
                                       policy::did_you_mean(plan, names) +
                                       "; there are: " + policy::list(names));
  }
  return {};
}

Result<ledger::Key> find_key(const ledger::Ledger& ledger, const std::string& wanted) {
  const auto keys = ledger.keys();
  if (!keys) return std::unexpected(keys.error());
  std::vector<ledger::Key> found;
  for (const ledger::Key& key : *keys) {
    if (key.id == wanted) return key;
    if (key.name == wanted && !key.revoked) found.push_back(key);
  }
  if (found.size() == 1) return found.front();
  return fail(found.empty() ? Errc::not_found : Errc::bad_request,
              found.empty() ? "there is no key `" + wanted + "`; `lichen keys` lists them"
                            : "several keys are called `" + wanted + "`: give the id");
}

std::string date(const std::optional<system_clock::time_point>& time) {
  return time ? base::rfc3339(*time).substr(0, 10) : "";
}

std::string state(const ledger::Key& key) {
  if (key.revoked) return "revoked " + date(key.revoked);
  if (!ledger::valid(key, system_clock::now())) return "expired " + date(key.expires);
  return key.expires ? "until " + date(key.expires) : "valid";
}

std::string count(const std::optional<std::int64_t>& number) {
  return number ? format_count(*number) : "-";
}

std::string budget(const ledger::KeyLimits& limits) {
  if (!limits.budget_usd) return "-";
  const std::string usd = format_usd(*limits.budget_usd);
  if (limits.period == ledger::BudgetPeriod::total) return usd;
  return usd + " a " + std::string(to_string(limits.period));
}

int list_keys(const KeysOptions& options, const Invocation& invocation) {
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  const auto keys = (*opened)->keys();
  if (!keys) return report_error(keys.error());
  Table table({{"id", Table::Align::left},
               {"name", Table::Align::left},
               {"state", Table::Align::left},
               {"requests/min"},
               {"tokens/min"},
               {"at once"},
               {"budget"},
               {"spent"},
               {"requests"},
               {"plans", Table::Align::left}});
  boost::json::array list;
  for (const ledger::Key& key : *keys) {
    const auto used = ledger::used_in_period(**opened, key);
    if (!used) return report_error(used.error());
    list.push_back(to_json(key, *used));
    const ledger::KeyLimits& limits = key.limits;
    table.row({key.id, key.name, state(key), count(limits.requests_per_minute),
               count(limits.tokens_per_minute), count(limits.requests_at_once), budget(limits),
               format_usd(used->usd), format_count(used->requests),
               limits.plans.empty() ? "all" : policy::list(limits.plans)});
  }
  if (options.json) {
    print_json(list);
    return kOk;
  }
  const auto out = Terminal::of(stdout);
  out.write(table.empty() ? "There are no keys yet: `lichen keys make NAME` makes one.\n"
                          : table.text(out));
  return kOk;
}

int make_key(const KeysOptions& options, const Invocation& invocation) {
  if (auto known = check_plans(options.limits.plans, invocation); !known) {
    return report_error(known.error());
  }
  auto made = ledger::new_key(options.name, {});
  if (!made) return report_error(made.error());
  if (auto applied = apply(options, made->key); !applied) return report_error(applied.error());
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  if (auto kept = (*opened)->put(made->key); !kept) return report_error(kept.error());
  if (options.json) {
    auto object = ledger::to_json(made->key);
    object["key"] = made->text;
    print_json(object);
    return kOk;
  }
  // The key alone on stdout, so that it can go into a file or variable.
  Terminal::of(stderr).write("made " + made->key.id +
                             "; this is shown once, and only its hash is kept:\n");
  Terminal::of(stdout).write(made->text + "\n");
  return kOk;
}

/// Changes a key by `change` and shows it.
template <class Change>
int change_key(const KeysOptions& options, const Invocation& invocation, Change&& change) {
  const auto opened = open_ledger(invocation.config);
  if (!opened) return report_error(opened.error());
  auto key = find_key(**opened, options.key);
  if (!key) return report_error(key.error());
  if (Result<void> changed = change(*key); !changed) return report_error(changed.error());
  if (auto kept = (*opened)->put(*key); !kept) return report_error(kept.error());
  if (options.json) {
    print_json(ledger::to_json(*key));
  } else {
    Terminal::of(stdout).write(key->id + " " + key->name + ": " + state(*key) + "\n");
  }
  return kOk;
}

void add_limits(CLI::App& command, KeysOptions& options) {
  ledger::KeyLimits& limits = options.limits;
  command.add_option("-p,--plan", limits.plans, "A plan or model that it may ask; may be repeated")
      ->type_name("NAME");
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const auto positive = CLI::Range(std::int64_t{1}, kMost).description("");
  command.add_option("--requests-per-minute", limits.requests_per_minute, "Requests a minute")
      ->type_name("N")
      ->check(positive);
  command
      .add_option("--tokens-per-minute", limits.tokens_per_minute,
                  "Tokens of prompts and answers a minute")
      ->type_name("N")
      ->check(positive);
  command.add_option("--requests-at-once", limits.requests_at_once, "Requests at the same time")
      ->type_name("N")
      ->check(positive);
  command.add_option("--budget", limits.budget_usd, "USD that it may spend")
      ->type_name("USD")
      ->check(CLI::Range(0.0, 1e12).description(""));
  command.add_option("--period", options.period, "How long the budget is for")
      ->type_name("PERIOD")
      ->check(CLI::IsMember({"total", "day", "week", "month"}));
  command.add_option("--expires", options.expires, "When it ends: 90s, 24h, 30d, or never")
      ->type_name("TIME");
}

}  // namespace

void add_keys(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<KeysOptions>();
  auto* command = app.add_subcommand("keys", "Virtual keys: who may ask, what and how much");
  command->require_subcommand(0, 1);
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Without a subcommand: all keys, with what their budget's present period has used. A server\n"
      "with `serve: {keys: true}` lets them in; it notices changes within a second.\n"
      "\n"
      "Examples:\n"
      "  lichen keys make laptop --plan default --budget 5 --period month\n"
      "  lichen keys make ci --requests-per-minute 60 --expires 30d --json\n"
      "  lichen keys change laptop --budget 10 --unlimited requests-per-minute\n"
      "  lichen keys revoke laptop");
  command->callback([&invocation, options] {
    if (invocation.action) return;  // a subcommand's
    invocation.action = [&invocation, options] { return list_keys(*options, invocation); };
  });

  auto* make = command->add_subcommand("make", "Make a key; it is shown once");
  make->add_option("name", options->name, "Whose it is")->type_name("NAME")->required();
  add_limits(*make, *options);
  make->add_flag("--json", options->json, "As JSON");
  make->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return make_key(*options, invocation); };
  });

  auto* change = command->add_subcommand("change", "Change what a key may do");
  change->add_option("key", options->key, "Its id, or its name")->type_name("KEY")->required();
  add_limits(*change, *options);
  change->add_option("--unlimited", options->unlimited, "A limit to take away; may be repeated")
      ->type_name("LIMIT")
      ->check(CLI::IsMember(
          {"plans", "requests-per-minute", "tokens-per-minute", "requests-at-once", "budget"}));
  change->add_flag("--json", options->json, "As JSON");
  change->callback([&invocation, options] {
    invocation.action = [&invocation, options] {
      if (auto known = check_plans(options->limits.plans, invocation); !known) {
        return report_error(known.error());
      }
      return change_key(*options, invocation,
                        [&](ledger::Key& key) { return apply(*options, key); });
    };
  });

  auto* revoke = command->add_subcommand("revoke", "Let a key in no more, for ever");
  revoke->add_option("key", options->key, "Its id, or its name")->type_name("KEY")->required();
  revoke->add_flag("--json", options->json, "As JSON");
  revoke->callback([&invocation, options] {
    invocation.action = [&invocation, options] {
      return change_key(*options, invocation, [](ledger::Key& key) -> Result<void> {
        if (!key.revoked) key.revoked = system_clock::now();
        return {};
      });
    };
  });
}

}  // namespace lichen::cli
