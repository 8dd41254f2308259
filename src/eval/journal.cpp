#include "eval/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/cache_folder.h"

namespace lichen::eval {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kMark = "{\"lichen_eval\":1,";

std::unexpected<Error> trouble(const fs::path& file, std::string_view what) {
  return fail(Errc::storage, file.string() + " " + std::string(what) + ": " +
                                 std::generic_category().message(errno));
}

std::unexpected<Error> no_journal(const fs::path& file) {
  return fail(Errc::bad_request, file.string() +
                                     " is not a journal of `lichen eval`, and is left as it is; "
                                     "name another file");
}

std::string header_line(const Identity& identity) {
  return json::serialize(json::object{{"lichen_eval", 1},
                                      {"fingerprint", identity.fingerprint},
                                      {"suite", identity.suite},
                                      {"plans", json::value_from(identity.plans)}}) +
         "\n";
}

/// What the first line of another measurement says of it.
std::string described(std::string_view header) {
  boost::system::error_code error;
  const auto value = json::parse(header, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* suite = object == nullptr ? nullptr : object->if_contains("suite");
  const auto* plans = object == nullptr ? nullptr : object->if_contains("plans");
  if (suite == nullptr || plans == nullptr) return "";
  return " (suite " + json::serialize(*suite) + ", plans " + json::serialize(*plans) + ")";
}

/// The outcome of a whole line, or nothing.
std::optional<Outcome> outcome_of(std::string_view line) {
  boost::system::error_code error;
  const auto value = json::parse(line, error);
  if (error) return std::nullopt;
  auto outcome = outcome_from(value);
  if (!outcome) return std::nullopt;
  return std::move(*outcome);
}

Result<std::string> content_of(int descriptor, const fs::path& file) {
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const auto count =
        ::pread(descriptor, buffer, sizeof buffer, static_cast<off_t>(content.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return trouble(file, "cannot be read");
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

Journal::Journal(fs::path file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}

Journal::Journal(Journal&& other) noexcept
    : file_(other.file_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      found_(std::move(other.found_)) {}

Journal::~Journal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Journal> Journal::open(const fs::path& file, const Identity& identity, bool fresh) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  if (fs::exists(file, error) && !fs::is_regular_file(file, error)) return no_journal(file);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return trouble(file, "cannot be opened");
  Journal journal(file, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::overloaded, file.string() +
                                      ": another process is at work on this measurement; wait for "
                                      "it, or name another journal");
  }
  if (auto done = journal.read(identity, fresh); !done) return std::unexpected(done.error());
  return journal;
}

Result<void> Journal::read(const Identity& identity, bool fresh) {
  const auto content = content_of(descriptor_, file_);
  if (!content) return std::unexpected(content.error());
  std::string_view rest = *content;
  // Also what a process left that was killed while it wrote the first line.
  const bool empty = !rest.contains('\n') && (rest.starts_with(kMark) || kMark.starts_with(rest));
  if (!empty && !rest.starts_with(kMark)) {
    return no_journal(file_);
  }
  const auto header = header_line(identity);
  std::size_t whole = 0;  // bytes that are kept
  if (!empty && !fresh) {
    if (!rest.starts_with(header)) {
      return fail(Errc::bad_request,
                  file_.string() + " is the journal of another measurement" +
                      described(rest.substr(0, rest.find('\n'))) +
                      ": suite, plans, models, configuration, options or program differ; name "
                      "another file, or start over with --fresh");
    }
    whole = header.size();
    std::set<std::pair<std::string, std::size_t>> seen;
    while (true) {
      const auto end = rest.find('\n', whole);
      if (end == std::string_view::npos) break;
      auto outcome = outcome_of(rest.substr(whole, end - whole));
      if (!outcome) break;
      if (seen.emplace(outcome->plan, outcome->task).second) found_.push_back(std::move(*outcome));
      whole = end + 1;
    }
  }
  if (whole < content->size() && ::ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
    return trouble(file_, "cannot be cut to its whole lines");
  }
  if (whole == 0) return write(header);
  return {};
}

Result<void> Journal::append(const Outcome& outcome) {
  return write(json::serialize(to_json(outcome)) + "\n");
}

Result<void> Journal::write(const std::string& line) {
  for (std::size_t written = 0; written < line.size();) {
    const auto count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return trouble(file_, "cannot be written");
    written += static_cast<std::size_t>(count);
  }
  return {};
}

Result<void> Journal::remove() {
  std::error_code error;
  fs::remove(file_, error);
  if (error) return fail(Errc::storage, file_.string() + " cannot be removed: " + error.message());
  return {};
}

fs::path journal_folder() {
  if (const fs::path cache = base::cache_folder(); !cache.empty()) return cache / "eval";
  std::error_code error;
  return fs::temp_directory_path(error) / "lichen-eval";
}

}  // namespace lichen::eval
