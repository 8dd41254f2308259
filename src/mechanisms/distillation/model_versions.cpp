#include "mechanisms/distillation/model_versions.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/replace_file.h"
#include "base/sha256.h"

namespace lichen::mechanisms {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string now() {
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

int number_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number != nullptr && *number >= 0 && *number <= 1'000'000 ? static_cast<int>(*number) : -1;
}

/// Copies piece by piece into a file that has its name when it is whole and on the disk.
Result<void> copy_whole(const fs::path& from, const fs::path& to) {
  Result<base::File> in = base::File::open(from);
  if (!in) return std::unexpected(in.error());
  const Result<std::uint64_t> size = in->size();
  if (!size) return std::unexpected(size.error());
  Result<base::File> out = base::File::open_to_write(to.string() + ".new");
  if (!out) return std::unexpected(out.error());
  Result<void> done = out->resize(0);
  std::vector<std::byte> piece(1 << 20);
  for (std::uint64_t at = 0; done && at < *size; at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(piece.size(), *size - at));
    done = in->read(at, piece);
    if (done) done = out->write(at, piece);
  }
  if (done) done = out->sync();
  if (done) return out->rename(to);
  std::error_code error;
  fs::remove(out->path(), error);
  return done;
}

}  // namespace

fs::path ModelVersions::file_of(const fs::path& folder) { return folder / "versions.json"; }

Result<ModelVersions> ModelVersions::open(const fs::path& folder) {
  ModelVersions versions(folder);
  std::ifstream stream(file_of(folder), std::ios::binary);
  if (!stream) return versions;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto damaged = [&] {
    return fail(Errc::bad_config, file_of(folder).string() +
                                      ": damaged; it is made by `lichen "
                                      "distill promote`");
  };
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* list = object == nullptr ? nullptr : object->if_contains("versions");
  if (list == nullptr || !list->is_array()) return damaged();
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) return damaged();
    const json::object& version = item.get_object();
    const fs::path adapter = text_in(version, "adapter");
    if (number_in(version, "number") != static_cast<int>(versions.all_.size()) + 1 ||
        adapter.empty() || adapter.has_parent_path()) {
      return damaged();
    }
    versions.all_.push_back({.number = number_in(version, "number"),
                             .adapter = folder / adapter,
                             .base = text_in(version, "base"),
                             .made = text_in(version, "made"),
                             .note = text_in(version, "note")});
  }
  versions.current_ = number_in(*object, "current");
  if (versions.current_ < 0 || versions.current_ > std::ssize(versions.all_)) return damaged();
  return versions;
}

const ModelVersion* ModelVersions::current() const {
  return current_ == 0 ? nullptr : &all_[static_cast<std::size_t>(current_ - 1)];
}

Result<const ModelVersion*> ModelVersions::find(std::optional<int> number) const {
  if (!number) return current();
  if (*number == 0) return nullptr;
  if (*number > 0 && *number <= std::ssize(all_)) {
    return &all_[static_cast<std::size_t>(*number - 1)];
  }
  return not_there(*number);
}

Result<int> ModelVersions::keep(const fs::path& adapter, std::string base, std::string note) {
  if (!all_.empty()) {
    const auto last = base::file_identity(all_.back().adapter);
    const auto added = base::file_identity(adapter);
    if (last && added && *last == *added) return all_.back().number;
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  const int number = static_cast<int>(all_.size()) + 1;
  ModelVersion version{.number = number,
                       .adapter = folder_ / fmt::format("{:04}.gguf", number),
                       .base = std::move(base),
                       .made = now(),
                       .note = std::move(note)};
  if (Result<void> copied = copy_whole(adapter, version.adapter); !copied) {
    return std::unexpected(copied.error());
  }
  std::vector<ModelVersion> versions = all_;
  versions.push_back(std::move(version));
  if (Result<void> written = write(versions, current_); !written) {
    return std::unexpected(written.error());
  }
  return number;
}

Result<int> ModelVersions::add(const fs::path& adapter, std::string base, std::string note) {
  const Result<int> number = keep(adapter, std::move(base), std::move(note));
  if (!number) return number;
  if (Result<void> used = use(*number); !used) return std::unexpected(used.error());
  return number;
}

Result<void> ModelVersions::use(int number) {
  if (auto found = find(number); !found) return std::unexpected(found.error());
  return write(all_, number);
}

std::unexpected<Error> ModelVersions::not_there(int number) const {
  return fail(Errc::not_found, fmt::format("there is no version {} in {}; there are 0 to {}",
                                           number, folder_.string(), all_.size()));
}

Result<void> ModelVersions::write(const std::vector<ModelVersion>& versions, int number) {
  json::array list;
  for (const ModelVersion& version : versions) {
    list.push_back(json::object{{"number", version.number},
                                {"adapter", version.adapter.filename().string()},
                                {"base", version.base},
                                {"made", version.made},
                                {"note", version.note}});
  }
  const json::object all{{"current", number}, {"versions", std::move(list)}};
  Result<void> written = base::replace_file(file_of(folder_), json::serialize(all) + "\n");
  if (!written) return written;
  all_ = versions;
  current_ = number;
  return {};
}

}  // namespace lichen::mechanisms
