// A trained router as one file, so that it can be copied, compared and checked as one:
//
//   8 bytes    "LICHENRT"
//   u32        version of the format
//   u32        bytes of the header
//   header     JSON: kind of router, features' parameters, where it was trained on what, its
//              calibration, and for each table its name, length and encoding
//   tables     little-endian numbers, in the header's order
//   32 bytes   SHA-256 of all before
//
// Whatever is read is checked before it is used: a foreign, truncated, damaged or inconsistent
// file is an error, never a crash or an allocation beyond the file's own size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/routing/risk.h"
#include "mechanisms/routing/text_features.h"

namespace lichen::mechanisms {

enum class RouterKind : std::uint8_t { linear, knn, mf, ensemble, prefill };
std::string_view to_string(RouterKind kind);
std::optional<RouterKind> router_kind(std::string_view name);

/// Numbers that a kind of router knows by name.
struct Table {
  enum class Encoding : std::uint8_t {
    f32,
    i8,  // a scale, then one byte each: for what bears an error of 0.4 % of the largest
  };
  std::string name;
  Encoding encoding = Encoding::f32;
  std::vector<float> values = {};
};

/// Of `prefill`: the features that it reads and the size of its model.
struct PrefillShape {
  std::string schema = {};
  std::size_t width = 0;  // features
  std::size_t units = 0;  // of the hidden layer
};

/// What the file says of its making. Names and hashes of models may be empty: not told.
struct RouterOrigin {
  std::string data_hash = {};  // SHA-256 of the training data, hexadecimal
  std::int64_t examples = 0;
  std::uint64_t seed = 0;
  std::string small = {};
  std::string large = {};
  std::string small_hash = {};  // LocalModel::file_hash
  std::string large_hash = {};
  std::string embedder_hash = {};  // of the model whose embeddings `knn` reads; empty: the text
};

struct RouterFile {
  RouterKind kind = RouterKind::linear;
  FeatureOptions features = {};
  PrefillShape prefill = {};
  RouterOrigin origin = {};
  std::vector<double> thresholds = {};  // to test in calibration, growing; from training prompts
  std::optional<Calibration> calibration = {};
  std::vector<Table> tables = {};

  const Table* find(std::string_view name) const;
  /// The table of that name if it has just that many values, else `bad_model`.
  Result<std::vector<float>> values(std::string_view name, std::size_t count) const;
};

/// The file's bytes.
std::string serialized(const RouterFile& router);

/// `bad_model` says what is wrong with the bytes; `origin` stands for the file's name in it.
Result<RouterFile> parse_router_file(std::string_view bytes, const std::filesystem::path& origin);

/// `not_found`: no such file; `too_large`: over 256 MiB; else as `parse_router_file`.
Result<RouterFile> load_router_file(const std::filesystem::path& file);

/// Replaces the file at once, so that a reader sees the old or the new one. `storage` on failure.
Result<void> save_router_file(const RouterFile& router, const std::filesystem::path& file);

}  // namespace lichen::mechanisms
