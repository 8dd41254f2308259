#include "mechanisms/routing/sealed_json.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "base/replace_file.h"
#include "base/sha256.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;

constexpr int kVersion = 1;
constexpr std::size_t kMaxFileBytes = 4u << 20;
constexpr std::size_t kHashDigits = 64;

}  // namespace

std::unexpected<Error> bad_sealed(const std::filesystem::path& file, const SealedFormat& format,
                                  std::string_view what) {
  return fail(Errc::bad_model,
              fmt::format("{}: {}; `{}` makes one", file.string(), what, format.command));
}

Result<json::object> load_sealed(const std::filesystem::path& file, const SealedFormat& format) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return fail(Errc::not_found,
                fmt::format("{}: is not there; `{}` makes it", file.string(), format.command));
  }
  if (std::filesystem::file_size(file, error) > kMaxFileBytes || error) {
    return fail(Errc::too_large,
                fmt::format("{}: a {} has at most 4 MiB", file.string(), format.what));
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (!bytes.starts_with(fmt::format("{{\"{}\":", format.key))) {
    return bad_sealed(file, format, fmt::format("is no {}", format.what));
  }
  const std::size_t end = bytes.find('\n');
  const std::string_view line = std::string_view(bytes).substr(0, end);
  if (end == std::string::npos || bytes.substr(end + 1, kHashDigits) != base::sha256_hex(line)) {
    return bad_sealed(file, format, "is damaged or cut short: its checksum is wrong");
  }
  boost::system::error_code wrong;
  json::value value = json::parse(line, wrong);
  if (wrong || !value.is_object()) return bad_sealed(file, format, "is no JSON object");
  if (value.get_object().at(format.key) != json::value(kVersion)) {
    return bad_sealed(file, format, "is of another version");
  }
  return std::move(value.get_object());
}

Result<void> save_sealed(const json::object& content, const std::filesystem::path& file,
                         const SealedFormat& format) {
  json::object object{{format.key, kVersion}};
  for (const auto& [key, value] : content) object[key] = value;
  const std::string line = json::serialize(object);
  return base::replace_file(file, line + '\n' + base::sha256_hex(line) + '\n');
}

}  // namespace lichen::mechanisms
