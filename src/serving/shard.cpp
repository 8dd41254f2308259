#include "serving/shard.h"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <ctime>
#include <vector>

#include "serving/http_connection.h"

namespace lichen::serving {
namespace {

namespace asio = boost::asio;

/// RFC 9110, section 5.6.7; strftime would follow the locale.
std::string http_date(std::time_t time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts = {};
  gmtime_r(&time, &parts);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                                 kMonths.at(static_cast<std::size_t>(parts.tm_mon)),
                                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

/// For clients to take the end of a turn that was cancelled, when the server stops.
constexpr auto kLastWords = std::chrono::seconds(5);

}  // namespace

void run_io(asio::io_context& io) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& problem) {
      spdlog::error("I/O thread: {}", problem.what());
    }
  }
}

Shard::Shard(HttpServer& server, asio::io_context& io)
    : server_(server),
      io_(io),
      ticker_(io),
      date_time_(std::time(nullptr)),
      date_(http_date(date_time_)) {}

Shard::Shard(HttpServer& server)
    : server_(server),
      own_io_(std::in_place, 1),
      io_(*own_io_),
      work_(asio::make_work_guard(*own_io_)),
      ticker_(io_),
      date_time_(std::time(nullptr)),
      date_(http_date(date_time_)) {}

Shard::~Shard() = default;

void Shard::start() {
  asio::post(io_, [this] { tick(); });
  if (own_io_) thread_ = std::thread([this] { run_io(io_); });
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

const Connection* Shard::make_room() {
  // All are looked at, which is little beside what opening a connection costs, unless there are
  // tens of thousands.
  const auto now = Clock::now();
  Connection* victim = nullptr;
  std::optional<Connection::Standing> first;
  for (Connection* connection : connections_) {
    const auto standing = connection->standing(now);
    if (!standing || (first && *first <= *standing)) continue;
    first = standing;
    victim = connection;
  }
  if (victim == nullptr) return nullptr;
  victim->cut();
  server_.count_evicted();
  return victim;
}

void Shard::stop(Clock::time_point until) {
  const bool draining = cancel_at_.has_value();
  cancel_at_ = until;
  if (draining) return;
  for (Connection* connection : connections_) connection->drain();
}

void Shard::end() {
  ended_ = true;
  ticker_.cancel();
  work_.reset();
}

void Shard::tick() {
  if (ended_) return;
  const auto now = Clock::now();
  for (Connection* connection : connections_) connection->tick(now);
  if (cancel_at_ && now >= *cancel_at_) {
    const bool last = now >= *cancel_at_ + kLastWords;
    for (Connection* connection : connections_) last ? connection->cut() : connection->end();
  }
  if (const auto time = std::time(nullptr); time != date_time_) {
    date_time_ = time;
    date_ = http_date(time);
  }
  ticker_.expires_after(server_.options().tick);
  ticker_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) tick();
  });
}

}  // namespace lichen::serving
