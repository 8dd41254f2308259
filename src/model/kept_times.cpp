#include "model/kept_times.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/replace_file.h"
#include "base/sha256.h"

namespace lichen::model {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kVersion = 1;
constexpr const char* kFormat = "lichen_pass_times";
constexpr std::uintmax_t kMaxFileBytes = 64u << 10;
constexpr std::size_t kMaxFiles = 64;
constexpr std::int64_t kMaxTokens = 1 << 20, kMaxThreads = 1 << 12;
constexpr double kMaxMs = 1e7;

std::string content_of(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) > kMaxFileBytes) return {};
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

json::object to_json(const MeasuredPasses& measured) {
  json::array passes;
  for (const StepTimes::Pass& pass : measured.steps.passes) {
    passes.push_back({{"tokens", pass.tokens}, {"ms", pass.ms}, {"threads", pass.threads}});
  }
  return {{"behind", measured.behind},
          {"passes", std::move(passes)},
          {"seconds_per_token", json::value_from(measured.threads)}};
}

/// A whole number of an object, from `least` to `most`.
std::optional<int> whole(const json::object& object, const char* key, std::int64_t least,
                         std::int64_t most) {
  const json::value* value = object.if_contains(key);
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number < least || *number > most) return std::nullopt;
  return static_cast<int>(*number);
}

/// The pass after one over `before` tokens.
std::optional<StepTimes::Pass> read_pass(const json::value& value, int before) {
  const json::object* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto tokens = whole(*object, "tokens", before + 1, kMaxTokens);
  const auto threads = whole(*object, "threads", 1, kMaxThreads);
  const json::value* ms = object->if_contains("ms");
  if (!tokens || !threads || ms == nullptr || !ms->is_double()) return std::nullopt;
  if (!(ms->get_double() > 0 && ms->get_double() < kMaxMs)) return std::nullopt;
  return StepTimes::Pass{.tokens = *tokens, .ms = ms->get_double(), .threads = *threads};
}

std::optional<MeasuredPasses> from_json(const json::object& object) {
  const auto behind = whole(object, "behind", 0, kMaxTokens);
  const json::value* passes = object.if_contains("passes");
  const json::value* threads = object.if_contains("seconds_per_token");
  if (!behind || passes == nullptr || !passes->is_array() || threads == nullptr) {
    return std::nullopt;
  }
  MeasuredPasses measured{.behind = *behind};
  for (const json::value& value : passes->get_array()) {
    const auto& known = measured.steps.passes;
    const auto pass = read_pass(value, known.empty() ? 0 : known.back().tokens);
    if (!pass) return std::nullopt;
    measured.steps.passes.push_back(*pass);
  }
  auto times = json::try_value_to<ThreadChoice::Times>(*threads);
  if (!times || measured.steps.passes.empty()) return std::nullopt;
  measured.threads = *std::move(times);
  return measured;
}

}  // namespace

KeptTimes::KeptTimes(fs::path folder, std::string subject)
    : folder_(std::move(folder)),
      subject_(std::move(subject)),
      file_(folder_ / (base::sha256_hex(subject_).substr(0, 32) + ".json")) {}

std::optional<MeasuredPasses> KeptTimes::read() const {
  boost::system::error_code wrong;
  const json::value value = json::parse(content_of(file_), wrong);
  const json::object* object = wrong ? nullptr : value.if_object();
  if (object == nullptr || whole(*object, kFormat, kVersion, kVersion) != kVersion) {
    return std::nullopt;
  }
  const json::value* subject = object->if_contains("subject");
  if (subject == nullptr || *subject != json::value(subject_)) return std::nullopt;
  std::optional<MeasuredPasses> measured = from_json(*object);
  std::error_code ignored;
  if (measured) fs::last_write_time(file_, fs::file_time_type::clock::now(), ignored);
  return measured;
}

Result<void> KeptTimes::write(const MeasuredPasses& measured) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail(Errc::storage, folder_.string() + ": " + error.message());
  json::object object = to_json(measured);
  object[kFormat] = kVersion;
  object["subject"] = subject_;
  Result<void> written = base::replace_file(file_, json::serialize(object) + '\n');
  if (written) remove_oldest();
  return written;
}

/// What others delete meanwhile is gone all the same; what writers that died have left goes, too.
void KeptTimes::remove_oldest() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder_, ignored), end; entry != end;
       entry.increment(ignored)) {
    std::error_code gone;
    const fs::file_time_type used = entry->last_write_time(gone);
    if (!gone) files.emplace_back(used, entry->path());
  }
  if (files.size() <= kMaxFiles) return;
  std::ranges::sort(files, std::greater());
  for (std::size_t i = kMaxFiles; i < files.size(); ++i) fs::remove(files[i].second, ignored);
}

}  // namespace lichen::model
