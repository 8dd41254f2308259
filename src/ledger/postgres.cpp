#include "ledger/postgres.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/ascii.h"
#include "base/utf8.h"

namespace lichen::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kOldestServer = 12'00'00;  // as PQserverVersion has it

constexpr const char* kGoodUrl = "`url` must be like postgresql://user@host:5432/database";
constexpr const char* kNoPassword =
    "`url` must have no password in it: put it into the environment, as PGPASSWORD or as the "
    "variable "
    "that `password_env` names, or into a passfile (~/.pgpass)";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

/// What the url says. Errors do not quote it: it may have a password in it.
Result<Options> parse(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    return fail(Errc::bad_config, kGoodUrl);
  }
  Options options(PQconninfoParse(url.c_str(), nullptr));
  if (!options) return fail(Errc::bad_config, kGoodUrl);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && option->dispchar[0] == '*') {
      return fail(Errc::bad_config, kNoPassword);
    }
  }
  return options;
}

Result<std::string> read_password(const std::string& variable) {
  if (variable.empty()) return std::string();
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') {
    return fail(Errc::bad_config, "the ledger's `password_env` names the environment variable " +
                                      variable + ", which is not set");
  }
  return std::string(value);
}

/// libpq's keywords and values; of one that stands there twice the last counts.
class Parameters {
 public:
  void add(const char* keyword, std::string value) {
    keywords_.push_back(keyword);
    values_.push_back(std::move(value));
  }
  PGconn* start() const {
    std::vector<const char*> keywords = keywords_, values;
    for (const std::string& value : values_) values.push_back(value.c_str());
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(keywords.data(), values.data(), 0);
  }

 private:
  std::vector<const char*> keywords_;  // literals, or libpq's own
  std::vector<std::string> values_;
};

/// As several lines of libpq's become one.
std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
    if (part.empty() || part.starts_with("LOCATION:")) continue;
    line += (line.empty() ? "" : "; ") + std::string(part);
  }
  return line;
}

/// The SQLSTATE in the text of a connection that was refused ("FATAL:  28P01: password ..."), which
/// libpq tells in no other way; cut out of the text.
std::string take_state(std::string& text) {
  constexpr std::size_t kLength = 5;
  for (std::size_t at = text.find(":  "); at != text.npos; at = text.find(":  ", at + 1)) {
    const std::string state = text.substr(at + 3, kLength);
    const bool whole = state.size() == kLength && text.compare(at + 3 + kLength, 2, ": ") == 0;
    if (whole &&
        std::ranges::all_of(state, [](char c) { return base::is_digit(c) || base::is_upper(c); })) {
      text.erase(at + 2, kLength + 2);
      return state;
    }
  }
  return {};
}

Errc errc(std::string_view state) {
  if (state.starts_with("22") || state.starts_with("23")) return Errc::bad_request;
  if (state == "54000") return Errc::bad_request;  // too long for an index, say
  if (state.starts_with("28") || state.starts_with("3D") || state.starts_with("3F") ||
      state.starts_with("42")) {
    return Errc::bad_config;
  }
  return Errc::storage;
}

template <class T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string shortest(double value) {
  char digits[32];
  const auto [end, problem] = std::to_chars(std::begin(digits), std::end(digits), value);
  return std::string(digits, end);
}

}  // namespace

std::string storable(std::string_view text) {
  std::string good = base::valid_utf8(text) ? std::string(text) : base::replace_invalid_utf8(text);
  for (std::size_t at = good.find('\0'); at != good.npos; at = good.find('\0', at)) {
    good.replace(at, 1, "\xEF\xBF\xBD");
  }
  return good;
}

void Column::add(std::int64_t value) {
  separate();
  text_ += std::to_string(value);
}

void Column::add(double value) {
  if (std::isnan(value)) return add_null();
  separate();
  text_ += shortest(value);
}

void Column::add(std::string_view value) {
  separate();
  text_ += '"';
  for (const char c : storable(value)) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void Column::add_null() {
  separate();
  text_ += "NULL";
}

std::string Column::take() {
  std::string text = text_.empty() ? "{}" : std::move(text_) + "}";
  text_.clear();
  return text;
}

void Command::bind(double value) {
  std::isnan(value) ? values_.emplace_back() : values_.emplace_back(shortest(value));
}

std::string_view ReplyRow::raw(int column) const {
  return {PQgetvalue(result_, row_, column),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::int64_t ReplyRow::integer(int column) const { return number<std::int64_t>(raw(column)); }

double ReplyRow::real(int column) const {
  const std::string_view text = raw(column);
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return number<double>(text);
}

std::optional<double> ReplyRow::maybe_real(int column) const {
  if (null(column)) return std::nullopt;
  return real(column);
}

std::optional<std::int64_t> ReplyRow::maybe_integer(int column) const {
  if (null(column)) return std::nullopt;
  return integer(column);
}

std::int64_t Reply::changes() const { return number<std::int64_t>(PQcmdTuples(result_.get())); }

Result<void> check(const Server& server) {
  const Result<Options> options = parse(server.url);
  if (!options) return std::unexpected(options.error());
  return {};
}

Result<Connection> Connection::open(const Server& server, milliseconds timeout) {
  const Result<Options> options = parse(server.url);
  if (!options) return std::unexpected(options.error());
  Result<std::string> password = read_password(server.password_env);
  if (!password) return std::unexpected(password.error());

  const std::string ms = std::to_string(timeout.count());
  Parameters parameters;
  parameters.add("application_name", "lichen");
  parameters.add("tcp_user_timeout", ms);
  parameters.add("keepalives_idle", "30");
  parameters.add("keepalives_interval", "10");
  parameters.add("keepalives_count", "3");
  std::string settings;
  std::ptrdiff_t hosts = 1;
  for (const PQconninfoOption* option = options->get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "options") settings = std::string(option->val) + " ";
    if (keyword == "host" || keyword == "hostaddr") {
      hosts = std::max(hosts, 1 + std::ranges::count(std::string_view(option->val), ','));
    }
    parameters.add(option->keyword, option->val);
  }
  // A transaction that is left open, because this program hangs, may hold up others.
  settings += "-c search_path=lichen -c statement_timeout=" + ms +
              " -c idle_in_transaction_session_timeout=" + ms +
              " -c extra_float_digits=1 -c client_min_messages=error";
  parameters.add("options", settings);
  parameters.add("client_encoding", "UTF8");
  if (!password->empty()) parameters.add("password", *std::move(password));

  Connection connection(parameters.start(), "ledger " + server.url, timeout);
  if (!connection.handle_) return fail(Errc::storage, connection.name_ + ": out of memory");
  if (Result<void> greeted = connection.greet(timeout * hosts); !greeted) {
    return std::unexpected(greeted.error());
  }
  return connection;
}

Result<void> Connection::greet(milliseconds patience) {
  PGconn* handle = handle_.get();
  const auto deadline = steady_clock::now() + patience;
  PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);  // with the SQLSTATE
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(handle) == CONNECTION_BAD) return std::unexpected(broken());
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) return std::unexpected(broken());
    const bool write = status == PGRES_POLLING_WRITING;
    if (Result<void> ready = wait(!write, write, deadline); !ready) return ready;
    status = PQconnectPoll(handle);
  }
  if (PQserverVersion(handle) < kOldestServer) {
    return fail(Errc::bad_config, name_ + ": the server is older than PostgreSQL 12");
  }
  PQsetnonblocking(handle, 1);
  return {};
}

Result<std::vector<Reply>> Connection::run(std::span<const Command> commands) {
  PGconn* handle = handle_.get();
  bool sent = PQenterPipelineMode(handle) == 1;
  for (const Command& command : commands) {
    std::vector<const char*> values;
    for (const auto& value : command.values()) values.push_back(value ? value->c_str() : nullptr);
    sent = sent && PQsendQueryParams(handle, command.sql().c_str(), static_cast<int>(values.size()),
                                     nullptr, values.data(), nullptr, nullptr, 0) == 1;
  }
  if (!sent || PQpipelineSync(handle) != 1) return std::unexpected(broken());

  // Each statement has a result, and after it none; after all of them the end of the pipeline.
  std::vector<Reply> replies;
  std::optional<Error> error;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Result<Reply> reply = next(timeout_);
    if (!reply) return std::unexpected(reply.error());
    const ExecStatusType status = PQresultStatus(reply->get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !error) error = refused(*reply);
    if (PQstatus(handle) == CONNECTION_BAD) return std::unexpected(error ? *error : broken());
    replies.push_back(*std::move(reply));
    if (Result<Reply> end = next(timeout_); !end) return std::unexpected(end.error());
  }
  if (Result<Reply> end = next(timeout_); !end) return std::unexpected(end.error());
  if (PQexitPipelineMode(handle) != 1) return std::unexpected(broken());
  if (error) return std::unexpected(*error);
  return replies;
}

Result<Reply> Connection::run(const Command& command) {
  Result<std::vector<Reply>> replies = run(std::span(&command, 1));
  if (!replies) return std::unexpected(replies.error());
  return std::move(replies->front());
}

Result<void> Connection::script(const std::string& sql) {
  if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return std::unexpected(broken());
  std::optional<Error> error;
  while (true) {
    Result<Reply> reply = next(std::nullopt);
    if (!reply) return std::unexpected(reply.error());
    if (reply->get() == nullptr) break;
    if (PQresultStatus(reply->get()) == PGRES_FATAL_ERROR && !error) error = refused(*reply);
    if (PQstatus(handle_.get()) == CONNECTION_BAD) {
      return std::unexpected(error ? *error : broken());
    }
  }
  if (error) return std::unexpected(*error);
  return {};
}

Result<Reply> Connection::next(std::optional<milliseconds> patience) {
  PGconn* handle = handle_.get();
  while (true) {
    const int unsent = PQflush(handle);
    if (unsent < 0) return std::unexpected(broken());
    if (unsent == 0 && PQisBusy(handle) == 0) return Reply(PQgetResult(handle));
    const auto deadline =
        patience ? steady_clock::now() + *patience : steady_clock::time_point::max();
    if (Result<void> ready = wait(true, unsent > 0, deadline); !ready) {
      return std::unexpected(ready.error());
    }
    if (PQconsumeInput(handle) != 1) return std::unexpected(broken());
  }
}

Result<void> Connection::wait(bool read, bool write, steady_clock::time_point deadline) {
  pollfd socket{.fd = PQsocket(handle_.get()),
                .events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)),
                .revents = 0};
  while (true) {
    int ms = -1;
    if (deadline != steady_clock::time_point::max()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
    }
    const int ready = poll(&socket, 1, ms);
    if (ready > 0) return {};
    if (ready == 0) {
      return fail(Errc::storage, name_ + ": the server has not answered for " +
                                     std::to_string(timeout_.count()) + " ms");
    }
    if (errno != EINTR) return fail(Errc::storage, name_ + ": its socket cannot be waited for");
  }
}

bool Connection::alive() {
  if (PQstatus(handle_.get()) != CONNECTION_OK) return false;
  // A server that says something unasked says goodbye, as a rule.
  pollfd socket{.fd = PQsocket(handle_.get()), .events = POLLIN, .revents = 0};
  return poll(&socket, 1, 0) == 0;
}

Error Connection::broken() {
  std::string text = one_line(PQerrorMessage(handle_.get()));
  const std::string state = take_state(text);
  const bool needs_password = PQconnectionNeedsPassword(handle_.get()) != 0;
  return {needs_password ? Errc::bad_config : errc(state),
          name_ + ": " + (text.empty() ? "the connection is lost" : text)};
}

Error Connection::refused(const Reply& reply) const {
  const char* state = PQresultErrorField(reply.get(), PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(reply.get(), PG_DIAG_MESSAGE_PRIMARY);
  if (text == nullptr) text = PQresultErrorMessage(reply.get());
  std::string detail = one_line(text);
  if (detail.empty()) detail = "the connection is lost";
  return {errc(state == nullptr ? "" : state), name_ + ": " + detail};
}

}  // namespace lichen::ledger
