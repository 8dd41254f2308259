#include "privacy/kept_database.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/cache_folder.h"
#include "base/replace_file.h"
#include "base/sha256.h"

namespace lichen::privacy {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtension = ".patterns";
constexpr std::size_t kSealBytes = 64;  // the hexadecimal SHA-256 of what follows
constexpr std::uintmax_t kMostBytes = 1u << 30;

}  // namespace

fs::path usual_database_folder() {
  const fs::path cache = base::cache_folder();
  return cache.empty() ? cache : cache / "privacy";
}

KeptDatabase::KeptDatabase(fs::path folder, std::string_view subject)
    : folder_(std::move(folder)),
      file_(folder_ / (base::sha256_hex(subject).substr(0, 32) + std::string(kExtension))) {}

std::string KeptDatabase::read() const {
  std::error_code error;
  if (!fs::is_regular_file(file_, error) || fs::file_size(file_, error) > kMostBytes) return {};
  std::ifstream stream(file_, std::ios::binary);
  const std::string kept{std::istreambuf_iterator<char>(stream), {}};
  if (kept.size() <= kSealBytes) return {};
  std::string bytes = kept.substr(kSealBytes);
  if (kept.compare(0, kSealBytes, base::sha256_hex(bytes)) != 0) return {};
  fs::last_write_time(file_, fs::file_time_type::clock::now(), error);
  return bytes;
}

void KeptDatabase::write(std::string_view bytes) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return;
  fs::permissions(folder_, fs::perms::owner_all, error);
  if (error) return;
  if (base::replace_file(file_, base::sha256_hex(bytes).append(bytes))) remove_oldest();
}

void KeptDatabase::remove_oldest() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != kExtension) continue;
    std::error_code gone;
    const auto used = entry->last_write_time(gone);
    if (!gone) kept.emplace_back(used, entry->path());
  }
  if (kept.size() <= kMostKept) return;
  std::ranges::sort(kept, std::greater());
  for (std::size_t i = kMostKept; i < kept.size(); ++i) fs::remove(kept[i].second, error);
}

}  // namespace lichen::privacy
