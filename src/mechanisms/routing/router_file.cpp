#include "mechanisms/routing/router_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/replace_file.h"
#include "base/sha256.h"

namespace lichen::mechanisms {
namespace {

namespace json = boost::json;
static_assert(std::endian::native == std::endian::little, "the tables are written as they lie");

constexpr std::string_view kMagic = "LICHENRT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPrefixBytes = kMagic.size() + 2 * sizeof(std::uint32_t);
constexpr std::size_t kMaxFileBytes = 256u << 20;
constexpr std::size_t kMaxHeaderBytes = 4u << 20;
constexpr std::size_t kMaxGrid = 10'000;
constexpr std::int64_t kMaxPrefillWidth = 1 << 20;
constexpr std::int64_t kMaxPrefillUnits = 1 << 10;
constexpr std::int64_t kMaxCount = kMostCalibrated;
constexpr std::string_view kKindNames[] = {"linear", "knn", "mf", "ensemble", "prefill"};
constexpr std::string_view kEncodingNames[] = {"f32", "i8"};

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T>
T read_at(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

constexpr float kMostI8 = 127;

void append_table(std::string& bytes, const Table& table) {
  if (table.encoding == Table::Encoding::f32) {
    bytes.append(reinterpret_cast<const char*>(table.values.data()),
                 table.values.size() * sizeof(float));
    return;
  }
  float largest = 0;
  for (const float value : table.values) largest = std::max(largest, std::abs(value));
  const float scale = largest / kMostI8;
  append(bytes, scale);
  for (const float value : table.values) {
    append(bytes, static_cast<std::int8_t>(scale > 0 ? std::lround(value / scale) : 0));
  }
}

std::size_t table_bytes(Table::Encoding encoding, std::size_t count) {
  return encoding == Table::Encoding::f32 ? count * sizeof(float) : sizeof(float) + count;
}

json::object grid_json(const Calibration& calibration) {
  json::array grid;
  for (const GridPoint& point : calibration.grid) {
    grid.push_back(json::array{point.threshold, point.by_small, point.losses, point.unlike});
  }
  return {{"n", calibration.n}, {"data_hash", calibration.data_hash}, {"grid", std::move(grid)}};
}

json::object header_of(const RouterFile& router) {
  json::array tables;
  for (const Table& table : router.tables) {
    tables.push_back(json::object{{"name", table.name},
                                  {"count", table.values.size()},
                                  {"encoding", kEncodingNames[static_cast<int>(table.encoding)]}});
  }
  json::object header{
      {"kind", to_string(router.kind)},
      {"features", json::object{{"hash_bits", router.features.hash_bits},
                                {"word_ngrams", router.features.word_ngrams},
                                {"char_ngrams", router.features.char_ngrams}}},
      {"origin", json::object{{"data_hash", router.origin.data_hash},
                              {"examples", router.origin.examples},
                              {"seed", router.origin.seed},
                              {"small", router.origin.small},
                              {"large", router.origin.large},
                              {"small_hash", router.origin.small_hash},
                              {"large_hash", router.origin.large_hash}}},
      {"thresholds", json::array(router.thresholds.begin(), router.thresholds.end())},
      {"tables", std::move(tables)}};
  if (router.kind == RouterKind::prefill) {
    header["prefill"] = json::object{{"schema", router.prefill.schema},
                                     {"width", router.prefill.width},
                                     {"units", router.prefill.units}};
  }
  if (!router.origin.embedder_hash.empty()) {
    header["embedder_hash"] = router.origin.embedder_hash;
  }
  if (router.calibration) header["calibration"] = grid_json(*router.calibration);
  return header;
}

/// Reads a header's members; the first that is not as it should be sticks.
class Header {
 public:
  explicit Header(const json::object& object) : object_(object) {}

  std::int64_t integer(const json::object& in, std::string_view key, std::int64_t min,
                       std::int64_t max) {
    const json::value* value = in.if_contains(key);
    std::int64_t number = min;
    if (value != nullptr && value->is_int64()) {
      number = value->get_int64();
    } else if (value != nullptr && value->is_uint64() &&
               value->get_uint64() <= static_cast<std::uint64_t>(max)) {
      number = static_cast<std::int64_t>(value->get_uint64());
    } else {
      complain(key);
    }
    if (number < min || number > max) complain(key);
    return std::clamp(number, min, max);
  }
  std::string text(const json::object& in, std::string_view key) {
    const json::value* value = in.if_contains(key);
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
    complain(key);
    return {};
  }
  const json::object& object(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    if (value != nullptr && value->is_object()) return value->get_object();
    complain(key);
    return empty_object_;
  }
  const json::array& array(const json::object& in, std::string_view key, std::size_t most) {
    const json::value* value = in.if_contains(key);
    if (value != nullptr && value->is_array() && value->get_array().size() <= most) {
      return value->get_array();
    }
    complain(key);
    return empty_array_;
  }
  double number(const json::value& value, std::string_view key) {
    const double number = value.is_double()  ? value.get_double()
                          : value.is_int64() ? static_cast<double>(value.get_int64())
                                             : NAN;
    if (!std::isfinite(number)) complain(key);
    return number;
  }
  std::int64_t count(const json::value& value, std::string_view key, std::int64_t max) {
    if (value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= max) {
      return value.get_int64();
    }
    complain(key);
    return 0;
  }
  void complain(std::string_view key) {
    if (wrong_.empty()) wrong_ = key;
  }
  bool has(std::string_view key) const { return object_.contains(key); }
  const std::string& wrong() const { return wrong_; }

 private:
  const json::object& object_;
  const json::object empty_object_;
  const json::array empty_array_;
  std::string wrong_;
};

Calibration read_calibration(Header& header) {
  const json::object& object = header.object("calibration");
  Calibration calibration{.n = header.integer(object, "n", 0, kMaxCount),
                          .data_hash = header.text(object, "data_hash")};
  for (const json::value& value : header.array(object, "grid", kMaxGrid)) {
    if (!value.is_array() || value.get_array().size() != 4) {
      header.complain("grid");
      return calibration;
    }
    const json::array& point = value.get_array();
    calibration.grid.push_back({.threshold = header.number(point[0], "grid"),
                                .by_small = header.count(point[1], "grid", calibration.n),
                                .losses = header.count(point[2], "grid", calibration.n),
                                .unlike = header.count(point[3], "grid", calibration.n)});
    const GridPoint& last = calibration.grid.back();
    if (last.losses > last.unlike || last.unlike > last.by_small) header.complain("grid");
  }
  const auto less = [](const GridPoint& a, const GridPoint& b) {
    return a.threshold <= b.threshold && a.by_small <= b.by_small && a.losses <= b.losses &&
           a.unlike <= b.unlike;
  };
  for (std::size_t i = 1; i < calibration.grid.size(); ++i) {
    if (!less(calibration.grid[i - 1], calibration.grid[i])) header.complain("grid");
  }
  return calibration;
}

/// Everything but the tables' values.
RouterFile read_header(Header& header, const json::object& object) {
  RouterFile router;
  const auto kind = router_kind(header.text(object, "kind"));
  if (!kind) header.complain("kind");
  router.kind = kind.value_or(RouterKind::linear);
  const json::object& features = header.object("features");
  const auto small_integer = [&](std::string_view key, int min, int max) {
    return static_cast<int>(header.integer(features, key, min, max));
  };
  router.features = {.hash_bits = small_integer("hash_bits", kMinHashBits, kMaxHashBits),
                     .word_ngrams = small_integer("word_ngrams", 1, kMaxWordNgrams),
                     .char_ngrams = small_integer("char_ngrams", 0, kMaxCharNgrams)};
  const json::object& origin = header.object("origin");
  router.origin = {.data_hash = header.text(origin, "data_hash"),
                   .examples = header.integer(origin, "examples", 0, kMaxCount),
                   .seed = static_cast<std::uint64_t>(header.integer(origin, "seed", 0, INT64_MAX)),
                   .small = header.text(origin, "small"),
                   .large = header.text(origin, "large"),
                   .small_hash = header.text(origin, "small_hash"),
                   .large_hash = header.text(origin, "large_hash")};
  if (header.has("embedder_hash")) {
    router.origin.embedder_hash = header.text(object, "embedder_hash");
  }
  if (router.kind == RouterKind::prefill) {
    const json::object& prefill = header.object("prefill");
    const auto size = [&](std::string_view key, std::int64_t min, std::int64_t max) {
      return static_cast<std::size_t>(header.integer(prefill, key, min, max));
    };
    router.prefill = {.schema = header.text(prefill, "schema"),
                      .width = size("width", 1, kMaxPrefillWidth),
                      .units = size("units", 0, kMaxPrefillUnits)};
  }
  for (const json::value& value : header.array(object, "thresholds", kMaxGrid)) {
    router.thresholds.push_back(header.number(value, "thresholds"));
  }
  if (!std::ranges::is_sorted(router.thresholds)) header.complain("thresholds");
  if (header.has("calibration")) router.calibration = read_calibration(header);
  return router;
}

}  // namespace

std::string_view to_string(RouterKind kind) { return kKindNames[static_cast<int>(kind)]; }

std::optional<RouterKind> router_kind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == std::end(kKindNames)) return std::nullopt;
  return static_cast<RouterKind>(found - std::begin(kKindNames));
}

const Table* RouterFile::find(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &Table::name);
  return found == tables.end() ? nullptr : &*found;
}

Result<std::vector<float>> RouterFile::values(std::string_view name, std::size_t count) const {
  const Table* table = find(name);
  if (table == nullptr) return fail(Errc::bad_model, fmt::format("has no table `{}`", name));
  if (table->values.size() == count) return table->values;
  return fail(Errc::bad_model, fmt::format("the table `{}` has {} numbers instead of {}", name,
                                           table->values.size(), count));
}

std::string serialized(const RouterFile& router) {
  const std::string header = json::serialize(header_of(router));
  std::string bytes(kMagic);
  append(bytes, kVersion);
  append(bytes, static_cast<std::uint32_t>(header.size()));
  bytes += header;
  for (const Table& table : router.tables) append_table(bytes, table);
  const base::Sha256 digest = base::sha256(bytes);
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return bytes;
}

Result<RouterFile> parse_router_file(std::string_view bytes, const std::filesystem::path& origin) {
  const auto bad = [&](std::string_view what) {
    return fail(Errc::bad_model, fmt::format("{}: {}", origin.string(), what));
  };
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return bad("is no router file; `lichen route train` makes one");
  }
  if (bytes.size() < kPrefixBytes + sizeof(base::Sha256)) return bad("is cut short");
  const auto version = read_at<std::uint32_t>(bytes, kMagic.size());
  if (version != kVersion) {
    return bad(fmt::format("is of version {}, and this program reads version {}; train it anew",
                           version, kVersion));
  }
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(base::Sha256));
  const base::Sha256 digest = base::sha256(content);
  if (std::memcmp(digest.data(), bytes.data() + content.size(), digest.size()) != 0) {
    return bad("is damaged or cut short: its checksum is wrong");
  }
  const auto header_bytes = read_at<std::uint32_t>(bytes, kMagic.size() + sizeof(version));
  if (header_bytes > kMaxHeaderBytes || header_bytes > content.size() - kPrefixBytes) {
    return bad("its header is longer than the file");
  }
  boost::system::error_code error;
  const json::value value = json::parse(content.substr(kPrefixBytes, header_bytes), error);
  if (error || !value.is_object()) return bad("its header is no JSON object");
  const json::object& object = value.get_object();
  Header header(object);
  RouterFile router = read_header(header, object);
  constexpr std::size_t kMaxTables = 64;
  std::string_view rest = content.substr(kPrefixBytes + header_bytes);
  for (const json::value& item : header.array(object, "tables", kMaxTables)) {
    if (!item.is_object()) return bad("`tables` in its header is not as it should be");
    const json::object& entry = item.get_object();
    const std::string encoding = header.text(entry, "encoding");
    const auto known = std::ranges::find(kEncodingNames, encoding);
    if (known == std::end(kEncodingNames)) header.complain("encoding");
    const auto count = static_cast<std::size_t>(
        header.integer(entry, "count", 0, static_cast<std::int64_t>(kMaxFileBytes)));
    Table table{.name = header.text(entry, "name")};
    if (!header.wrong().empty()) break;
    table.encoding = static_cast<Table::Encoding>(known - std::begin(kEncodingNames));
    const std::size_t size = table_bytes(table.encoding, count);
    if (size > rest.size()) return bad(fmt::format("its table `{}` is cut short", table.name));
    table.values.resize(count);
    if (table.encoding == Table::Encoding::f32) {
      if (count > 0) std::memcpy(table.values.data(), rest.data(), size);
    } else {
      const auto scale = read_at<float>(rest, 0);
      for (std::size_t i = 0; i < count; ++i) {
        table.values[i] = scale * read_at<std::int8_t>(rest, sizeof(float) + i);
      }
    }
    if (!std::ranges::all_of(table.values, [](float v) { return std::isfinite(v); })) {
      return bad(fmt::format("its table `{}` holds what is no number", table.name));
    }
    rest.remove_prefix(size);
    router.tables.push_back(std::move(table));
  }
  if (!header.wrong().empty()) {
    return bad(fmt::format("`{}` in its header is not as it should be", header.wrong()));
  }
  if (!rest.empty()) return bad("has bytes after its last table");
  return router;
}

Result<RouterFile> load_router_file(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return fail(Errc::not_found, file.string() + ": is not there, or is no file");
  }
  const auto size = std::filesystem::file_size(file, error);
  if (error) return fail(Errc::not_found, file.string() + ": " + error.message());
  if (size > kMaxFileBytes) {
    return fail(Errc::too_large, file.string() + ": a router's file has at most 256 MiB");
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return fail(Errc::not_found, file.string() + ": cannot be read");
  return parse_router_file(bytes, file);
}

Result<void> save_router_file(const RouterFile& router, const std::filesystem::path& file) {
  return base::replace_file(file, serialized(router));
}

}  // namespace lichen::mechanisms
