// The routes of the administrator: virtual keys are made, shown, changed and revoked, and the
// configuration is loaded again.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ledger/key_secret.h"
#include "ledger/ledger.h"
#include "serving/api.h"
#include "serving/json_fields.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::system_clock;

constexpr std::string_view kPath = "/v1/admin/keys/";
constexpr std::int64_t kMost = std::int64_t{1} << 53;  // JSON's whole numbers end here
constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxPlans = 256;

/// Fields that a key may be made or changed with. One that is there counts; null takes a limit
/// away.
class KeyFields {
 public:
  explicit KeyFields(const json::object& object) : object_(object), body_(object) {}

  void read(ledger::Key& key) {
    ledger::KeyLimits& limits = key.limits;
    if (has("name")) {
      const auto name = body_.text("name");
      if (!name || name->empty() || name->size() > kMaxName) {
        body_.wrong("name", "must be a text of 1 to 200 bytes");
      }
      key.name = name.value_or("");
    }
    if (has("plans")) read_plans(limits.plans);
    if (has("requests_per_minute")) {
      limits.requests_per_minute = body_.integer("requests_per_minute", 1, kMost);
    }
    if (has("tokens_per_minute")) {
      limits.tokens_per_minute = body_.integer("tokens_per_minute", 1, kMost);
    }
    if (has("requests_at_once")) {
      limits.requests_at_once = body_.integer("requests_at_once", 1, kMost);
    }
    if (has("budget_usd")) limits.budget_usd = body_.number("budget_usd", 0, 1e12);
    if (has("period")) {
      const auto name = body_.choice("period", {"total", "day", "week", "month"});
      limits.period = ledger::budget_period(name.value_or("total")).value_or(limits.period);
    }
    if (has("expires_in")) {
      const auto seconds = body_.integer("expires_in", 1, 100ll * 366 * 86'400);
      key.expires.reset();
      if (seconds) key.expires = system_clock::now() + std::chrono::seconds(*seconds);
    }
    for (const auto& [name, value] : object_) {
      if (!known(name)) body_.wrong(name, "is not a field of a key");
    }
  }
  JsonFields& body() { return body_; }

 private:
  bool has(std::string_view name) const { return object_.contains(name); }
  static bool known(std::string_view name) {
    static constexpr std::string_view kNames[] = {
        "name",       "plans",  "requests_per_minute", "tokens_per_minute", "requests_at_once",
        "budget_usd", "period", "expires_in"};
    return std::ranges::find(kNames, name) != std::end(kNames);
  }
  void read_plans(std::vector<std::string>& plans) {
    plans.clear();
    const json::array* list = body_.array("plans", kMaxPlans);
    if (list == nullptr) return;
    for (const json::value& plan : *list) {
      if (!plan.is_string() || plan.get_string().empty()) {
        return body_.wrong("plans", "must be a list of names of plans and models");
      }
      plans.emplace_back(plan.get_string());
    }
  }

  const json::object& object_;
  JsonFields body_;
};

/// What is asked for must be there: a key for a plan that is misspelt opens nothing.
void check_plans(const Runtime& runtime, const ledger::Key& key, JsonFields& body) {
  for (const std::string& plan : key.limits.plans) {
    if (const auto found = runtime.find(plan); !found) {
      return body.wrong("plans", found.error().detail);
    }
  }
}

/// With what its budget's present period has used.
Result<json::object> shown(ledger::Ledger& ledger, const ledger::Key& key) {
  const auto used = ledger::used_in_period(ledger, key);
  if (!used) return std::unexpected(used.error());
  return ledger::to_json(key, *used);
}

json::object to_json(const policy::ReloadReport::Names& names) {
  const auto list = [](const auto& words) { return json::array(words.begin(), words.end()); };
  return {{"added", list(names.added)},
          {"removed", list(names.removed)},
          {"changed", list(names.changed)},
          {"kept", list(names.kept)}};
}

awaitable<Result<json::object>> run(std::function<Result<json::object>()> work) {
  co_return work();
}

}  // namespace

awaitable<void> Api::administer(Exchange& exchange, std::function<Result<json::object>()> work,
                                unsigned status) {
  auto done = co_await asio::co_spawn(ledger_users_, run(std::move(work)), asio::use_awaitable);
  co_await tell(exchange, std::move(done), status);
}

awaitable<void> Api::tell(Exchange& exchange, Result<json::object> done, unsigned status) {
  if (!done) co_return co_await fail(exchange, ApiError{.error = std::move(done.error())});
  HttpResponse response{.status = status, .body = json::serialize(*done)};
  co_await respond(exchange, std::move(response));
}

awaitable<void> Api::list_keys(Exchange& exchange) {
  return administer(exchange, [this]() -> Result<json::object> {
    const auto keys = runtime_.ledger().keys();
    if (!keys) return std::unexpected(keys.error());
    json::array list;
    for (const ledger::Key& key : *keys) {
      auto object = shown(runtime_.ledger(), key);
      if (!object) return object;
      list.push_back(*std::move(object));
    }
    return json::object{{"object", "list"}, {"data", std::move(list)}};
  });
}

awaitable<void> Api::make_key(Exchange& exchange) {
  auto body = body_object(exchange);
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  auto made = ledger::new_key({}, {});
  if (!made) co_return co_await fail(exchange, ApiError{.error = made.error()});
  KeyFields fields(*body);
  fields.read(made->key);
  if (made->key.name.empty()) fields.body().wrong("name", "is required: whose key it is");
  check_plans(runtime_, made->key, fields.body());
  if (auto read = fields.body().result(0); !read) {
    co_return co_await fail(exchange, std::move(read.error()));
  }
  co_await administer(
      exchange,
      [this, made = *made]() -> Result<json::object> {
        if (Result<void> kept = keys_->ring.put(made.key); !kept) {
          return std::unexpected(kept.error());
        }
        json::object object = ledger::to_json(made.key);
        object["key"] = made.text;
        return object;
      },
      201);
}

awaitable<void> Api::show_key(Exchange& exchange) {
  return administer(exchange, [this, id = last_segment(exchange, kPath)]() -> Result<json::object> {
    const auto key = keys_->ring.read(id);
    if (!key) return std::unexpected(key.error());
    return shown(runtime_.ledger(), *key);
  });
}

awaitable<void> Api::change_key(Exchange& exchange) {
  auto body = body_object(exchange);
  if (!body) co_return co_await fail(exchange, std::move(body.error()));
  ledger::Key checked;
  KeyFields fields(*body);
  fields.read(checked);
  check_plans(runtime_, checked, fields.body());
  if (auto read = fields.body().result(0); !read) {
    co_return co_await fail(exchange, std::move(read.error()));
  }
  co_await administer(exchange,
                      [this, id = last_segment(exchange, kPath),
                       changes = *std::move(body)]() -> Result<json::object> {
                        const auto key = keys_->ring.change(
                            id, [&](ledger::Key& key) { KeyFields(changes).read(key); });
                        if (!key) return std::unexpected(key.error());
                        return shown(runtime_.ledger(), *key);
                      });
}

awaitable<void> Api::revoke_key(Exchange& exchange) {
  return administer(exchange, [this, id = last_segment(exchange, kPath)]() -> Result<json::object> {
    const auto key = keys_->ring.change(id, [](ledger::Key& key) {
      if (!key.revoked) key.revoked = system_clock::now();
    });
    if (!key) return std::unexpected(key.error());
    return shown(runtime_.ledger(), *key);
  });
}

awaitable<void> Api::reload(Exchange& exchange) {
  const auto work = [load = options_.reload]() -> Result<json::object> {
    if (!load) {
      return lichen::fail(Errc::unsupported, "this server cannot load its configuration again");
    }
    const auto report = load();
    if (!report) return std::unexpected(report.error());
    return json::object{{"models", to_json(report->models)},
                        {"plans", to_json(report->plans)},
                        {"blocks", json::array(report->blocks.begin(), report->blocks.end())},
                        {"took_ms", report->took.count()}};
  };
  // Models may take minutes to load, and others wait for the ledger's thread.
  asio::thread_pool loader(1);
  auto done = co_await asio::co_spawn(loader, run(work), asio::use_awaitable);
  co_await tell(exchange, std::move(done), 200);
}

}  // namespace lichen::serving
