// What a GGUF file consists of, as ggml defines it.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::model::gguf {

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

inline constexpr std::string_view kMagic = "GGUF";
inline constexpr std::uint32_t kNewestVersion = 3;
inline constexpr std::uint64_t kDefaultAlignment = 32;
inline constexpr std::size_t kMaxDimensions = 4;
inline constexpr std::size_t kMaxTensorName = 63;

// Far above any real file. libllama compares each key and each tensor name with all before it and
// holds some 150 bytes for each token, so without a bound a file of a few MB costs it hours.
inline constexpr std::uint64_t kMaxKeys = 8'192;
inline constexpr std::uint64_t kMaxTensors = 65'536;
inline constexpr std::uint64_t kMaxTokens = 1u << 22;

// From ggml: weights in memory-mapped buffers must be aligned to 32 bytes.
inline constexpr std::uint64_t kLeastAlignment = 32;
inline constexpr std::uint64_t kGreatestAlignment = 1u << 16;

struct TensorType {
  std::string_view name;  // empty: this number is not in use
  std::uint32_t block;    // elements in one block
  std::uint32_t bytes;    // of one block
  bool weights = true;    // ggml can multiply by such a matrix
};

/// By ggml's number, as of libllama 0.5.0.
// clang-format off
inline constexpr TensorType kTensorTypes[] = {
    {"f32", 1, 4}, {"f16", 1, 2}, {"q4_0", 32, 18}, {"q4_1", 32, 20}, {}, {}, {"q5_0", 32, 22},
    {"q5_1", 32, 24}, {"q8_0", 32, 34}, {"q8_1", 32, 36, false}, {"q2_K", 256, 84},
    {"q3_K", 256, 110}, {"q4_K", 256, 144}, {"q5_K", 256, 176}, {"q6_K", 256, 210},
    {"q8_K", 256, 292, false}, {"iq2_xxs", 256, 66}, {"iq2_xs", 256, 74}, {"iq3_xxs", 256, 98},
    {"iq1_s", 256, 50}, {"iq4_nl", 32, 18}, {"iq3_s", 256, 110}, {"iq2_s", 256, 82},
    {"iq4_xs", 256, 136}, {"i8", 1, 1, false}, {"i16", 1, 2, false}, {"i32", 1, 4, false},
    {"i64", 1, 8, false}, {"f64", 1, 8, false}, {"iq1_m", 256, 56}, {"bf16", 1, 2}, {}, {}, {},
    {"tq1_0", 256, 54}, {"tq2_0", 256, 66}, {}, {}, {}, {"mxfp4", 32, 17}, {"nvfp4", 64, 36},
    {"q1_0", 128, 18}, {"q2_0", 64, 18},
};
// clang-format on

/// general.file_type.
inline constexpr std::string_view kFileTypes[] = {
    "F32",   "F16",     "Q4_0",   "Q4_1",   "",       "",        "",       "Q8_0",   "Q5_0",
    "Q5_1",  "Q2_K",    "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S",  "Q4_K_M", "Q5_K_S", "Q5_K_M",
    "Q6_K",  "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S",
    "IQ3_M", "IQ2_S",   "IQ2_M",  "IQ4_XS", "IQ1_M",  "BF16",    "",       "",       "",
    "TQ1_0", "TQ2_0",   "MXFP4",  "NVFP4",  "Q1_0",   "Q2_0"};

// clang-format off
enum class Kind : std::uint32_t {
  u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64
};
// clang-format on

struct KindFacts {
  std::string_view name;
  std::size_t bytes;  // at least
};

inline constexpr KindFacts kKinds[] = {
    {"u8", 1},   {"i8", 1},     {"u16", 2},   {"i16", 2}, {"u32", 4}, {"i32", 4}, {"f32", 4},
    {"bool", 1}, {"string", 8}, {"array", 0}, {"u64", 8}, {"i64", 8}, {"f64", 8}};

inline const KindFacts& facts(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

/// A value in the file, which stays mapped while this is used.
struct Value {
  Kind kind = Kind::u8;  // of an array: of its elements
  bool array = false;
  std::uint64_t count = 1;
  std::string_view bytes = {};  // of a string without its length, of an array's strings with it

  std::string type_name() const {
    return array ? "array of " + std::string(facts(kind).name) : std::string(facts(kind).name);
  }
  bool is(Kind wanted) const { return kind == wanted && !array; }
  bool is_array_of(Kind wanted) const { return kind == wanted && array; }
  /// Element `i`; T must have the kind's size.
  template <class T>
  T at(std::uint64_t i = 0) const {
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    return number;
  }
};

struct Tensor {
  std::string_view name;
  const TensorType* type = nullptr;
  std::array<std::uint64_t, kMaxDimensions> shape = {1, 1, 1, 1};
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  // of the data, from the beginning of the file
  std::size_t part = 0;      // of a split model: in which file
};

struct Header {
  std::uint32_t version = 0;
  std::map<std::string_view, Value> values;
  std::vector<Tensor> tensors;

  const Value* find(std::string_view key) const {
    const auto found = values.find(key);
    return found == values.end() ? nullptr : &found->second;
  }
};

}  // namespace lichen::model::gguf
