#include "model/gguf_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <expected>
#include <iterator>
#include <limits>
#include <sstream>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"

namespace lichen::model {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

// --- Errors -------------------------------------------------------------------------------------

/// Inside this file an error is its text; the path is put before it at the end.
template <class T>
using Checked = std::expected<T, std::string>;

template <class... Parts>
std::unexpected<std::string> bad(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return std::unexpected(std::move(text).str());
}

std::string printable(std::string_view text) {
  std::string clean = base::replace_invalid_utf8(text);
  for (char& c : clean) {
    if ((c >= 0 && c < ' ') || c == '\x7F') c = ' ';
  }
  return clean;
}

/// A name from the file, fit for an error message.
std::string quoted(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  if (name.size() <= kLongest) return "'" + printable(name) + "'";
  return "'" + printable(name.substr(0, base::complete_utf8_prefix(name.substr(0, kLongest)))) +
         "...'";
}

// --- The format ---------------------------------------------------------------------------------

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kNewestVersion = 3;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::size_t kMaxDimensions = 4;
constexpr std::size_t kMaxTensorName = 63;

// Far above any real file. libllama compares each key and each tensor name with all before it and
// holds some 150 bytes for each token, so without a bound a file of a few MB costs it hours.
constexpr std::uint64_t kMaxKeys = 8'192;
constexpr std::uint64_t kMaxTensors = 65'536;
constexpr std::uint64_t kMaxTokens = 1u << 22;

// From ggml: weights in memory-mapped buffers must be aligned to 32 bytes.
constexpr std::uint64_t kLeastAlignment = 32;
constexpr std::uint64_t kGreatestAlignment = 1u << 16;

struct TensorType {
  std::string_view name;  // empty: this number is not in use
  std::uint32_t block;    // elements in one block
  std::uint32_t bytes;    // of one block
  bool weights = true;    // ggml can multiply by such a matrix
};

/// By ggml's number, as of libllama 0.5.0.
// clang-format off
constexpr TensorType kTensorTypes[] = {
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
constexpr std::string_view kFileTypes[] = {
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

constexpr KindFacts kKinds[] = {{"u8", 1},  {"i8", 1},  {"u16", 2},  {"i16", 2},    {"u32", 4},
                                {"i32", 4}, {"f32", 4}, {"bool", 1}, {"string", 8}, {"array", 0},
                                {"u64", 8}, {"i64", 8}, {"f64", 8}};

const KindFacts& facts(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

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

// --- Reading ------------------------------------------------------------------------------------

/// A whole regular file, mapped for reading.
class Mapping {
 public:
  static Checked<Mapping> open(const std::filesystem::path& path) {
    // Not blocking, since opening a FIFO would wait for a writer.
    const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
      const int why = errno;
      if (why == ENOENT) return bad("there is no such file");
      return bad("cannot be opened: ", std::generic_category().message(why));
    }
    Checked<Mapping> mapping = map(file);
    ::close(file);
    return mapping;
  }
  ~Mapping() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::string_view bytes() const { return bytes_; }

 private:
  explicit Mapping(std::string_view bytes) : bytes_(bytes) {}

  static Checked<Mapping> map(int file) {
    struct stat status = {};
    if (::fstat(file, &status) != 0) {
      return bad("cannot be read: ", std::generic_category().message(errno));
    }
    if (S_ISDIR(status.st_mode)) return bad("is a directory; name the GGUF file inside it");
    if (!S_ISREG(status.st_mode)) return bad("is a pipe or device; a GGUF must be a regular file");
    if (status.st_size == 0) return bad("is empty: the download is probably incomplete");
    const auto size = static_cast<std::size_t>(status.st_size);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) {
      return bad("cannot be read: ", std::generic_category().message(errno));
    }
    return Mapping({static_cast<const char*>(address), size});
  }

  std::string_view bytes_;
};

/// Takes values one after the other. Past the end everything is zero or empty and `cut` is true,
/// so it is enough to ask once after each record.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    T value = {};
    const std::string_view raw = take(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::string_view string() { return take(number<std::uint64_t>()); }
  std::string_view take(std::uint64_t size) {
    if (size > left()) {
      cut_ = true;
      at_ = bytes_.size();
      return {};
    }
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::uint64_t left() const { return bytes_.size() - at_; }
  std::uint64_t position() const { return at_; }
  /// Everything taken since `begin`.
  std::string_view since(std::uint64_t begin) const { return bytes_.substr(begin, at_ - begin); }
  bool cut() const { return cut_; }

 private:
  std::string_view bytes_;
  std::uint64_t at_ = 0;
  bool cut_ = false;
};

template <class... Parts>
std::unexpected<std::string> cut_short(const Cursor& cursor, const Parts&... what) {
  return bad("the file's ", cursor.position(), " bytes end within ", what...,
             ": it is truncated (an incomplete download?) or a length in it is wrong");
}

/// Of a file that does not begin like a GGUF: what it seems to be.
std::string_view look(std::string_view bytes) {
  using namespace std::string_view_literals;
  constexpr std::pair<std::string_view, std::string_view> kBeginnings[] = {
      {"version https://git-lfs"sv, "a Git LFS pointer; fetch the file itself with 'git lfs pull'"},
      {"PK\x03\x04"sv, "a zip archive, perhaps a PyTorch checkpoint; convert the model to GGUF"},
      {"\x80\x02"sv, "a Python pickle; convert the model to GGUF"},
      {"\x80\x04"sv, "a Python pickle; convert the model to GGUF"},
      {"\x1F\x8B"sv, "gzip-compressed; unpack it"},
      {"\x28\xB5\x2F\xFD"sv, "zstd-compressed; unpack it"},
      {"<!"sv, "a web page; the download went wrong"},
      {"<html"sv, "a web page; the download went wrong"},
      {"tjgg"sv, "in a format before GGUF; convert the model anew"},
      {"fmgg"sv, "in a format before GGUF; convert the model anew"},
      {"lmgg"sv, "in a format before GGUF; convert the model anew"},
      {"FUGG"sv, "a GGUF with its bytes in reverse order"},
      {"\x7F"
       "ELF"sv,
       "a program"}};
  for (const auto& [beginning, meaning] : kBeginnings) {
    if (bytes.starts_with(beginning)) return meaning;
  }
  // safetensors: the length of a JSON object, then the object.
  if (bytes.size() > 9 && bytes.substr(8, 2) == "{\"") {
    return "safetensors; convert the model to GGUF";
  }
  if (bytes.starts_with("{")) return "JSON; name the GGUF file that belongs to it";
  return "of an unknown kind";
}

Checked<std::uint32_t> read_version(Cursor& cursor, std::string_view bytes) {
  if (cursor.take(kMagic.size()) != kMagic) {
    return bad("is no GGUF file (those begin with 'GGUF'): it is ", look(bytes));
  }
  const auto version = cursor.number<std::uint32_t>();
  if (cursor.cut()) return cut_short(cursor, "the header");
  if (version != 0 && (version & 0xFFFF) == 0) {
    return bad("is a big-endian GGUF; this machine needs a little-endian one");
  }
  if (version < 2)
    return bad("has GGUF version ", version, "; 2 and 3 are supported, convert anew");
  if (version > kNewestVersion) {
    return bad("has GGUF version ", version, "; up to ", kNewestVersion,
               " is supported: the file is newer than this program, or damaged");
  }
  return version;
}

Checked<Value> read_value(Cursor& cursor, std::string_view key) {
  const auto read_kind = [&] { return cursor.number<std::uint32_t>(); };
  std::uint32_t kind = read_kind();
  Value value;
  if (kind == static_cast<std::uint32_t>(Kind::array)) {
    value.array = true;
    kind = read_kind();
    value.count = cursor.number<std::uint64_t>();
    if (kind == static_cast<std::uint32_t>(Kind::array)) {
      return bad("key ", quoted(key), " is an array of arrays; only plain arrays are supported");
    }
  }
  if (cursor.cut()) return cut_short(cursor, "the value of key ", quoted(key));
  if (kind >= std::size(kKinds)) {
    return bad("key ", quoted(key), " has a value of the unknown type ", kind, "; types are 0 to ",
               std::size(kKinds) - 1);
  }
  value.kind = static_cast<Kind>(kind);
  const std::size_t size = facts(value.kind).bytes;
  if (value.count > cursor.left() / size) {
    return bad("key ", quoted(key), " announces ", value.count, " values of type ",
               facts(value.kind).name, ", for which the remaining ", cursor.left(),
               " bytes have no room: the file is truncated (an incomplete download?) or damaged");
  }
  if (value.kind != Kind::string) {
    value.bytes = cursor.take(value.count * size);
  } else if (!value.array) {
    value.bytes = cursor.string();
  } else {
    const std::uint64_t begin = cursor.position();
    for (std::uint64_t i = 0; i < value.count && !cursor.cut(); ++i) cursor.string();
    value.bytes = cursor.since(begin);
  }
  if (cursor.cut()) return cut_short(cursor, "the value of key ", quoted(key));
  return value;
}

Checked<void> read_values(Cursor& cursor, std::uint64_t count, Header& header) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view key = cursor.string();
    if (cursor.cut()) return cut_short(cursor, "key ", i + 1, " of ", count);
    if (key.empty() || key.find('\0') != key.npos) {
      return bad("key ", i + 1, " of ", count, " is empty or has a NUL in it: the file is damaged");
    }
    Checked<Value> value = read_value(cursor, key);
    if (!value) return std::unexpected(std::move(value.error()));
    if (!header.values.emplace(key, *value).second) {
      return bad("has the key ", quoted(key), " twice; keys must be unique");
    }
  }
  return {};
}

Checked<std::uint64_t> alignment_of(const Header& header) {
  const Value* value = header.find("general.alignment");
  if (value == nullptr) return kDefaultAlignment;
  if (!value->is(Kind::u32)) {
    return bad("general.alignment is of type ", value->type_name(), "; it must be u32");
  }
  const auto alignment = value->at<std::uint32_t>();
  if (!std::has_single_bit(alignment) || alignment < kLeastAlignment ||
      alignment > kGreatestAlignment) {
    return bad("general.alignment is ", alignment, "; it must be a power of two from ",
               kLeastAlignment, " to ", kGreatestAlignment);
  }
  return alignment;
}

/// False when the result does not fit.
bool align_up(std::uint64_t& value, std::uint64_t alignment) {
  if (__builtin_add_overflow(value, alignment - 1, &value)) return false;
  value &= ~(alignment - 1);
  return true;
}

/// Name, shape and type; not yet the offset, which comes next.
Checked<Tensor> read_tensor(Cursor& cursor, std::uint64_t index, std::uint64_t count) {
  Tensor tensor;
  tensor.name = cursor.string();
  const auto dimensions = cursor.number<std::uint32_t>();
  if (cursor.cut()) return cut_short(cursor, "the header of tensor ", index + 1, " of ", count);
  const std::string name = "tensor " + quoted(tensor.name);
  if (tensor.name.empty() || tensor.name.size() > kMaxTensorName ||
      tensor.name.find('\0') != tensor.name.npos) {
    return bad(name, " has a name of ", tensor.name.size(), " bytes; 1 to ", kMaxTensorName,
               " without NUL are allowed");
  }
  if (dimensions > kMaxDimensions) {
    return bad(name, " has ", dimensions, " dimensions; at most ", kMaxDimensions, " are allowed");
  }
  tensor.elements = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    tensor.shape[i] = cursor.number<std::uint64_t>();
    if (cursor.cut()) return cut_short(cursor, "the shape of ", name);
    if (tensor.shape[i] == 0) return bad(name, " has no elements: dimension ", i, " is 0");
    if (__builtin_mul_overflow(tensor.elements, tensor.shape[i], &tensor.elements) ||
        tensor.elements > std::numeric_limits<std::int64_t>::max()) {
      return bad(name, " has more elements than 64 bits can count");
    }
  }
  const auto type = cursor.number<std::uint32_t>();
  if (cursor.cut()) return cut_short(cursor, "the type of ", name);
  if (type >= std::size(kTensorTypes) || kTensorTypes[type].name.empty()) {
    return bad(name, " is of type ", type,
               ", which is unknown or no longer supported; known are 0 to ",
               std::size(kTensorTypes) - 1, " (libllama 0.5.0)");
  }
  tensor.type = &kTensorTypes[type];
  if (tensor.shape[0] % tensor.type->block != 0) {
    return bad(name, " has rows of ", tensor.shape[0], " elements; of type ", tensor.type->name,
               " they must be multiples of ", tensor.type->block);
  }
  if (__builtin_mul_overflow(tensor.elements / tensor.type->block, tensor.type->bytes,
                             &tensor.bytes)) {
    return bad(name, " has more bytes than 64 bits can count");
  }
  return tensor;
}

/// libllama wants the data of tensors back to back in the order of their headers, each padded to
/// the alignment; so they cannot overlap, and one running sum checks them all.
Checked<void> read_tensors(Cursor& cursor, std::uint64_t count, Header& header) {
  const Checked<std::uint64_t> alignment = alignment_of(header);
  if (!alignment) return std::unexpected(alignment.error());
  std::unordered_set<std::string_view> names;
  header.tensors.reserve(count);
  std::uint64_t end = 0;  // of the data so far, from the beginning of all data
  for (std::uint64_t i = 0; i < count; ++i) {
    Checked<Tensor> tensor = read_tensor(cursor, i, count);
    if (!tensor) return std::unexpected(std::move(tensor.error()));
    const auto offset = cursor.number<std::uint64_t>();
    const std::string name = "tensor " + quoted(tensor->name);
    if (cursor.cut()) return cut_short(cursor, "the offset of ", name);
    if (!names.insert(tensor->name).second)
      return bad("has two tensors named ", quoted(tensor->name));
    if (!align_up(end, *alignment)) return bad(name, " lies past what 64 bits can address");
    if (offset != end) {
      return bad("the data of ", name, " are said to begin at ", offset,
                 ", but the data before end at ", end, "; they must follow without gap or overlap");
    }
    if (__builtin_add_overflow(end, tensor->bytes, &end)) {
      return bad(name, " lies past what 64 bits can address");
    }
    header.tensors.push_back(*tensor);
  }
  if (count == 0) return {};
  std::uint64_t begin = cursor.position();
  const std::uint64_t size = cursor.position() + cursor.left();
  if (!align_up(begin, *alignment) || __builtin_add_overflow(begin, end, &end) || end > size) {
    return bad("has ", size, " bytes, but its tensors need ", end,
               ": it is truncated (an incomplete download?) or damaged");
  }
  return {};
}

Checked<Header> read_header(std::string_view bytes) {
  constexpr std::uint64_t kLeastKeyBytes = 8 + 1 + 4 + 1, kLeastTensorBytes = 8 + 1 + 4 + 4 + 8;
  Header header;
  Cursor cursor(bytes);
  const Checked<std::uint32_t> version = read_version(cursor, bytes);
  if (!version) return std::unexpected(version.error());
  header.version = *version;
  const auto tensors = cursor.number<std::uint64_t>();
  const auto keys = cursor.number<std::uint64_t>();
  if (cursor.cut()) return cut_short(cursor, "the header");
  if (keys > std::min(kMaxKeys, cursor.left() / kLeastKeyBytes)) {
    return bad("announces ", keys, " keys; ", kMaxKeys, " are allowed and its length has room for ",
               cursor.left() / kLeastKeyBytes, ": it is truncated or damaged");
  }
  if (tensors > std::min(kMaxTensors, cursor.left() / kLeastTensorBytes)) {
    return bad("announces ", tensors, " tensors; ", kMaxTensors,
               " are allowed and its length has room for ", cursor.left() / kLeastTensorBytes,
               ": it is truncated or damaged");
  }
  if (Checked<void> done = read_values(cursor, keys, header); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (Checked<void> done = read_tensors(cursor, tensors, header); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return header;
}

// --- What libllama takes for granted ------------------------------------------------------------
//
// Most of what can be wrong in a file makes libllama return an error, and is left to it. But some
// of it ends the process (GGML_ASSERT, GGML_ABORT), a request's thread or the machine's memory.
// Found in libllama 0.5.0 and refused here:
//   - block_count 0 or above 512; nextn_predict_layers above it
//   - expert counts that contradict each other (llama-model.cpp, load_hparams), or that are 0
//     where the architecture's graph asserts experts
//   - an unknown rope.scaling.type; a pooling_type above 4; a negative or NaN norm epsilon
//   - context_length 0; query heads that the KV heads do not divide (ggml_mul_mat); RoPE over an
//     odd number of dimensions, more than a head has, or sections that are all 0 or missing
//   - key, value and RoPE lengths that differ where the architecture's graph asserts one length
//   - tokens that are the same string (up to a NUL); no token at all; too many
//   - token_type or scores for fewer tokens than there are
//   - a token to be added before or after each prompt (BOS, EOS, SEP) that does not exist
//   - byte tokens in a `bert` vocabulary; in an `rwkv` one a byte that begins tokens but is none
//     itself (an endless loop)
//   - norms and biases that are not f32, frequency factors likewise; matrices of a type that has
//     no kernel (a call through a null pointer)
//   - in adapters: keys of another type than expected; pairs whose ranks do not fit together
//   - split.no of another type than u16 in the parts after the first
// Known and not refused, since usable models may have it: a `llama` vocabulary without all byte
// tokens and a damaged precompiled_charsmap of `t5` make llama_tokenize throw; adapters of mixtures
// of experts whose number of experts is not the model's abort when they are used.

/// Values by key with the type that libllama insists on. The first mismatch is kept as `error`.
class Typed {
 public:
  explicit Typed(const Header& header) : header_(header) {}

  std::optional<std::uint32_t> u32(std::string_view key) {
    return scalar<std::uint32_t>(key, Kind::u32);
  }
  std::optional<float> f32(std::string_view key) { return scalar<float>(key, Kind::f32); }
  std::optional<bool> flag(std::string_view key) {
    const auto byte = scalar<std::uint8_t>(key, Kind::boolean);
    return byte ? std::optional(*byte != 0) : std::nullopt;
  }
  std::string_view text(std::string_view key) {
    const Value* value = header_.find(key);
    if (value == nullptr) return {};
    if (!value->is(Kind::string)) return mismatch(key, *value, Kind::string), std::string_view();
    if (value->bytes.find('\0') != value->bytes.npos) {
      fail(bad("key ", quoted(key), " has a NUL in its text: the file is damaged"));
    }
    return value->bytes;
  }
  /// One number for all `layers` or one for each; empty when the key is not there.
  std::vector<std::uint32_t> per_layer(std::string_view key, std::uint32_t layers) {
    const Value* value = header_.find(key);
    if (value == nullptr) return {};
    if (!value->array) return std::vector<std::uint32_t>(layers, u32(key).value_or(0));
    if (value->count != layers) {
      fail(bad("key ", quoted(key), " has ", value->count, " values for ", layers, " layers"));
    } else if (value->kind == Kind::u32 || value->kind == Kind::i32) {
      std::vector<std::uint32_t> numbers(layers);
      for (std::uint32_t i = 0; i < layers; ++i) numbers[i] = value->at<std::uint32_t>(i);
      return numbers;
    } else {
      mismatch(key, *value, Kind::u32);
    }
    return {};
  }

  template <class... Parts>
  void require(bool holds, const Parts&... otherwise) {
    if (!holds) fail(bad(otherwise...));
  }
  /// The first thing that was wrong.
  Checked<void> done() const {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  template <class T>
  std::optional<T> scalar(std::string_view key, Kind kind) {
    const Value* value = header_.find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is(kind)) return mismatch(key, *value, kind), std::nullopt;
    return value->at<T>();
  }
  void mismatch(std::string_view key, const Value& value, Kind wanted) {
    fail(bad("key ", quoted(key), " is of type ", value.type_name(), "; it must be ",
             facts(wanted).name));
  }
  void fail(const std::unexpected<std::string>& why) {
    if (!error_) error_ = why.error();
  }

  const Header& header_;
  std::optional<std::string> error_;
};

void check_experts(Typed& typed, const std::string& arch, std::uint32_t layers) {
  constexpr std::uint32_t kMaxExperts = 1'024;
  const std::uint32_t experts = typed.u32(arch + ".expert_count").value_or(0);
  const std::vector<std::uint32_t> used = typed.per_layer(arch + ".expert_used_count", layers);
  const std::uint32_t groups = typed.u32(arch + ".expert_group_count").value_or(0);
  const std::uint32_t used_groups = typed.u32(arch + ".expert_group_used_count").value_or(0);
  // These write 1 for "none", which libllama knows.
  if ((arch == "hunyuan-dense" || arch == "hunyuan_vl") && experts <= 1) return;
  const std::uint32_t most = used.empty() ? 0 : *std::ranges::max_element(used);
  typed.require(experts <= kMaxExperts, arch, ".expert_count is ", experts, "; at most ",
                kMaxExperts, " are supported");
  typed.require(most <= experts && (most > 0) == (experts > 0), arch, ".expert_used_count is ",
                most, " of ", experts, " experts; it must be at least 1 and at most all of them");
  typed.require(experts > 0 || (arch != "smallthinker" && arch != "bailingmoe2"), arch,
                ".expert_count must be above 0");
  if (groups == 0) return;
  typed.require(groups < experts, arch, ".expert_group_count is ", groups, " for ", experts,
                " experts; groups must be fewer");
  if (groups == 1 || groups >= experts) return;
  typed.require(experts % groups == 0, arch, ".expert_group_count is ", groups,
                ", which does not divide ", experts, " experts");
  typed.require(used_groups > 0 && used_groups < groups, arch, ".expert_group_used_count is ",
                used_groups, "; it must be 1 to ", groups - 1);
}

/// Whether the architecture's graph asserts that keys, values and RoPE have the same length.
bool one_head_length(std::string_view arch) {
  static constexpr std::string_view kArchitectures[] = {
      "llama",     "llama4",   "mistral3", "qwen2",     "qwen2moe",   "qwen2vl", "qwen3",
      "qwen3moe",  "qwen3vl",  "olmo",     "olmo2",     "olmoe",      "granite", "internlm2",
      "exaone",    "nemotron", "falcon",   "deci",      "starcoder2", "smollm3", "baichuan",
      "codeshell", "dream",    "llada",    "qwen3vlmoe"};
  return std::ranges::find(kArchitectures, arch) != std::end(kArchitectures);
}

void check_attention(Typed& typed, const std::string& arch, std::uint32_t layers,
                     std::uint32_t width) {
  const std::vector<std::uint32_t> heads = typed.per_layer(arch + ".attention.head_count", layers);
  const std::vector<std::uint32_t> kv = typed.per_layer(arch + ".attention.head_count_kv", layers);
  for (std::size_t i = 0; i < std::min(heads.size(), kv.size()); ++i) {
    typed.require(kv[i] == 0 || heads[i] % kv[i] == 0, "layer ", i, " has ", heads[i],
                  " attention heads for ", kv[i], " key-value heads, which must divide them");
  }
  if (heads.empty() || heads[0] == 0) return;  // no attention, or not in the first layer
  const std::uint32_t head = width / heads[0];
  const std::uint32_t key = typed.u32(arch + ".attention.key_length").value_or(head);
  const std::uint32_t value = typed.u32(arch + ".attention.value_length").value_or(head);
  const std::optional<std::uint32_t> given = typed.u32(arch + ".rope.dimension_count");
  const std::uint32_t rope = given.value_or(key);
  if (given || one_head_length(arch)) {
    typed.require(rope % 2 == 0 && rope <= key, arch, ".rope.dimension_count is ", rope,
                  "; it must be even and at most the key length, ", key);
  }
  if (one_head_length(arch)) {
    typed.require(key == value && key == rope && key > 0, arch, " has heads with keys of ", key,
                  ", values of ", value, " and RoPE over ", rope,
                  " dimensions; these must be the same and not 0");
  }
}

Checked<void> check_architecture(const Header& header, const std::string& arch) {
  constexpr std::uint32_t kMaxLayers = 512, kLastPooling = 4;
  Typed typed(header);
  const std::optional<std::uint32_t> layers = typed.u32(arch + ".block_count");
  const std::uint32_t width = typed.u32(arch + ".embedding_length").value_or(0);
  const std::optional<std::uint32_t> context = typed.u32(arch + ".context_length");
  typed.require(context.value_or(1) > 0, arch, ".context_length is 0");
  typed.require(layers.value_or(1) > 0 && layers.value_or(1) <= kMaxLayers, arch,
                ".block_count is ", layers.value_or(0), "; it must be 1 to ", kMaxLayers);
  if (Checked<void> so_far = typed.done(); !so_far || !layers) return so_far;

  const std::uint32_t predicted = typed.u32(arch + ".nextn_predict_layers").value_or(0);
  typed.require(predicted <= *layers, arch, ".nextn_predict_layers is ", predicted, " of ", *layers,
                " layers");
  check_experts(typed, arch, *layers);
  check_attention(typed, arch, *layers, width);

  const std::string_view scaling = typed.text(arch + ".rope.scaling.type");
  typed.require(header.find(arch + ".rope.scaling.type") == nullptr || scaling == "none" ||
                    scaling == "linear" || scaling == "yarn" || scaling == "longrope",
                arch, ".rope.scaling.type is ", quoted(scaling),
                "; known are none, linear, yarn and longrope");
  const Value* sections = header.find(arch + ".rope.dimension_sections");
  if (sections != nullptr && sections->array && facts(sections->kind).bytes == sizeof(int)) {
    bool any = false;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(sections->count, 3); ++i) {
      any = any || sections->at<std::int32_t>(i) > 0;
    }
    typed.require(any, arch, ".rope.dimension_sections has no section above 0");
  }
  typed.require(sections != nullptr || arch != "paddleocr", arch,
                ".rope.dimension_sections is missing");
  const std::uint32_t pooling = typed.u32(arch + ".pooling_type").value_or(0);
  typed.require(pooling <= kLastPooling, arch, ".pooling_type is ", pooling, "; known are 0 to ",
                kLastPooling);
  for (const char* key : {".attention.layer_norm_rms_epsilon", ".attention.layer_norm_epsilon",
                          ".attention.group_norm_epsilon"}) {
    const float epsilon = typed.f32(arch + key).value_or(0);
    typed.require(epsilon >= 0, arch, key, " is ", epsilon, "; it must be 0 or more");
  }
  return typed.done();
}

/// The strings of an array.
std::vector<std::string_view> strings(const Value& value) {
  std::vector<std::string_view> all;
  all.reserve(value.count);
  Cursor cursor(value.bytes);
  for (std::uint64_t i = 0; i < value.count; ++i) all.push_back(cursor.string());
  return all;
}

/// Compares tokens by libllama's view of them: up to the first NUL, empty ones under a name of
/// their own.
Checked<void> check_distinct(const std::vector<std::string_view>& tokens) {
  struct Text {
    std::uint64_t head;  // the first bytes, so that most comparisons need not follow the pointer
    std::string_view text;
    bool operator<(const Text& other) const {
      return head != other.head ? head < other.head : text < other.text;
    }
  };
  const auto seen = [](std::string_view token) { return token.substr(0, token.find('\0')); };
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(
      std::ranges::count_if(tokens, [&](std::string_view token) { return seen(token).empty(); })));
  std::vector<Text> texts;
  texts.reserve(tokens.size());
  for (std::string_view token : tokens) {
    token = seen(token);
    if (token.empty()) token = names.emplace_back("[EMPTY_" + std::to_string(texts.size()) + "]");
    std::uint64_t head = 0;
    std::memcpy(&head, token.data(), std::min(token.size(), sizeof(head)));
    texts.push_back({head, token});
  }
  std::sort(texts.begin(), texts.end());  // not hashed: a file could be made to collide
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].text == texts[i - 1].text) {
      return bad("has the token ", quoted(texts[i].text), " twice; tokens must be distinct");
    }
  }
  return {};
}

/// A token of an `rwkv` vocabulary as bytes: \t, \n, \r, \xHH, and any other character as it is.
std::string unescaped_rwkv(std::string_view token) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string bytes;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '\\' || i + 1 == token.size()) {
      if (token[i] != '\\') bytes += token[i];
      continue;
    }
    switch (token[++i]) {
      case 't': bytes += '\t'; break;
      case 'n': bytes += '\n'; break;
      case 'r': bytes += '\r'; break;
      case 'x':
        if (i + 2 < token.size()) {
          bytes += static_cast<char>(digit(token[i + 1]) * 16 + digit(token[i + 2]));
        }
        i += 2;
        break;
      default: bytes += token[i];
    }
  }
  return bytes;
}

Checked<void> check_rwkv(const std::vector<std::string_view>& tokens) {
  std::array<bool, 256> begins = {}, whole = {};
  for (const std::string_view token : tokens) {
    const std::string bytes = unescaped_rwkv(token);
    if (bytes.empty()) continue;
    const auto first = static_cast<unsigned char>(bytes[0]);
    begins[first] = true;
    if (bytes.size() == 1) whole[first] = true;
  }
  for (std::size_t byte = 0; byte < begins.size(); ++byte) {
    if (begins[byte] && !whole[byte]) {
      return bad("the byte ", byte,
                 " begins tokens but is no token itself, so text with it cannot ",
                 "be split by the 'rwkv' tokenizer");
    }
  }
  return {};
}

/// Tokens that the tokenizer adds by itself must exist. libllama falls back to a default id when
/// the file's is out of range, and to none when that is out of range as well.
void check_added_tokens(Typed& typed, std::string_view model, std::uint64_t tokens) {
  struct Added {
    const char* name;
    const char* id_key;
    const char* add_key;  // null: cannot be switched off
    bool by_default;
    std::optional<std::uint32_t> fallback;
  };
  std::vector<Added> all;
  constexpr const char* kBosId = "tokenizer.ggml.bos_token_id";
  constexpr const char* kEosId = "tokenizer.ggml.eos_token_id";
  constexpr const char* kAddBos = "tokenizer.ggml.add_bos_token";
  constexpr const char* kAddEos = "tokenizer.ggml.add_eos_token";
  if (model == "llama") {
    all = {{"BOS", kBosId, kAddBos, true, 1}, {"EOS", kEosId, kAddEos, false, 2}};
  } else if (model == "bert") {
    // Misspelt in the format.
    all = {{"BOS", kBosId, nullptr, true, 101},
           {"SEP", "tokenizer.ggml.seperator_token_id", nullptr, true, 102}};
  } else if (model == "t5") {
    all = {{"BOS", kBosId, kAddBos, false, {}}, {"EOS", kEosId, kAddEos, true, 1}};
  } else if (model == "gemma4") {
    all = {{"BOS", kBosId, nullptr, true, {}}, {"EOS", kEosId, kAddEos, false, {}}};
  } else if (model == "gpt2" || model == "hybriddna" || model == "whitespace") {
    // Whether by default depends on the pre-tokenizer; the fallback exists in any real vocabulary.
    all = {{"BOS", kBosId, kAddBos, true, 11}, {"EOS", kEosId, kAddEos, true, 11}};
  }
  for (const Added& added : all) {
    const bool add = added.add_key == nullptr
                         ? added.by_default
                         : typed.flag(added.add_key).value_or(added.by_default);
    const std::optional<std::uint32_t> id = typed.u32(added.id_key);
    const bool exists = (id && *id < tokens) || (added.fallback && *added.fallback < tokens);
    typed.require(!add || exists, "the tokenizer adds a ", added.name,
                  " token to each prompt, but ", added.id_key,
                  id ? " is " + std::to_string(*id) : std::string(" is missing"),
                  " in a vocabulary of ", tokens);
  }
}

bool has_tokenizer(std::string_view model) {
  return !model.empty() && model != "none" && model != "no_vocab";
}

Checked<void> check_tokenizer(const Header& header, const std::string& arch,
                              std::uint64_t file_bytes) {
  constexpr std::int32_t kByteToken = 6;
  Typed typed(header);
  const std::string_view model = typed.text("tokenizer.ggml.model");
  if (!has_tokenizer(model)) {
    // libllama makes up as many tokens as this says.
    const std::uint32_t size = typed.u32(arch + ".vocab_size").value_or(0);
    typed.require(size <= std::min(kMaxTokens, file_bytes), arch, ".vocab_size is ", size,
                  ", more than the file can hold");
    return typed.done();
  }
  const Value* list = header.find("tokenizer.ggml.tokens");
  if (list == nullptr || !list->is_array_of(Kind::string)) {
    return bad("has a tokenizer (", quoted(model), ") but tokenizer.ggml.tokens is ",
               list == nullptr ? "missing" : list->type_name(), "; it must be an array of strings");
  }
  if (list->count == 0 || list->count > kMaxTokens) {
    return bad("has ", list->count, " tokens; 1 to ", kMaxTokens, " are supported");
  }
  for (const char* key : {"tokenizer.ggml.token_type", "tokenizer.ggml.scores"}) {
    const Value* values = header.find(key);
    if (values == nullptr) continue;
    const bool types = std::string_view(key).ends_with("type");
    if (!values->is_array_of(Kind::i32) && (types || !values->is_array_of(Kind::f32))) {
      return bad(key, " is of type ", values->type_name(), "; it must be an array of ",
                 types ? "i32" : "f32 or i32");
    }
    if (values->count < list->count) {
      return bad(key, " has ", values->count, " values for ", list->count,
                 " tokens; there must be one for each");
    }
    for (std::uint64_t i = 0; types && model == "bert" && i < list->count; ++i) {
      if (values->at<std::int32_t>(i) == kByteToken) {
        return bad("token ", i, " of a 'bert' vocabulary is a byte token, which it cannot have");
      }
    }
  }
  const std::vector<std::string_view> tokens = strings(*list);
  if (Checked<void> distinct = check_distinct(tokens); !distinct) return distinct;
  if (model == "rwkv") {
    if (Checked<void> rwkv = check_rwkv(tokens); !rwkv) return rwkv;
  }
  check_added_tokens(typed, model, list->count);
  return typed.done();
}

Checked<void> check_weights(const Header& header) {
  for (const Tensor& tensor : header.tensors) {
    const bool plain = tensor.type == &kTensorTypes[0];
    const bool factors = tensor.name.find("rope_f") != tensor.name.npos;
    const bool added = tensor.name.ends_with(".bias") || tensor.name.ends_with("_norm.weight");
    if ((factors || added) && !plain) {
      return bad("tensor ", quoted(tensor.name), " is of type ", tensor.type->name,
                 "; norms, biases and RoPE factors must be f32");
    }
    // The one table of integers among the weights: the experts of each token.
    const bool table = tensor.name.find("tid2eid") != tensor.name.npos;
    if (tensor.name.ends_with(".weight") && !tensor.type->weights && !table) {
      return bad("tensor ", quoted(tensor.name), " is of type ", tensor.type->name,
                 ", which cannot be computed with; quantize the model anew");
    }
  }
  return {};
}

Checked<void> check_adapter(const Header& header) {
  constexpr std::string_view kA = ".lora_a", kB = ".lora_b";
  Typed typed(header);
  typed.text("adapter.type");
  typed.f32("adapter.lora.alpha");
  std::map<std::string_view, const Tensor*> by_name;
  for (const Tensor& tensor : header.tensors) by_name[tensor.name] = &tensor;
  for (const Tensor& a : header.tensors) {
    const std::string_view name =
        a.name.substr(0, a.name.size() - std::min(a.name.size(), kA.size()));
    if (!a.name.ends_with(kA)) {
      typed.require(!a.name.ends_with(kB) || a.type->weights, "tensor ", quoted(a.name),
                    " is of type ", a.type->name, ", which cannot be computed with");
      continue;
    }
    typed.require(a.type->weights, "tensor ", quoted(a.name), " is of type ", a.type->name,
                  ", which cannot be computed with");
    const auto found = by_name.find(std::string(name) + std::string(kB));
    if (found == by_name.end()) continue;  // libllama says so
    const Tensor& b = *found->second;
    // An embedding's A is looked up by token, so its rank is in the rows.
    const std::uint64_t rank = name.ends_with("token_embd.weight") ? a.shape[0] : a.shape[1];
    typed.require(rank == b.shape[0], "the adapter's pair for ", quoted(name), " has ranks ", rank,
                  " and ", b.shape[0], "; they must be the same");
    const bool experts = name.find("_exps") != name.npos;
    typed.require(a.shape[2] == b.shape[2] && a.shape[3] == 1 && b.shape[3] == 1 &&
                      (experts || a.shape[2] == 1),
                  "the adapter's pair for ", quoted(name), " has extra dimensions that do not fit");
  }
  return typed.done();
}

Checked<void> check_for_libllama(const Header& header, std::uint64_t file_bytes) {
  Typed typed(header);
  const std::string arch(typed.text("general.architecture"));
  const std::string_view type = typed.text("general.type");
  typed.text("general.name");
  if (Checked<void> done = typed.done(); !done) return done;
  if (type == "adapter") return check_adapter(header);
  if (arch == "clip" || type == "mmproj") return {};  // no language model: other keys
  if (Checked<void> done = check_architecture(header, arch); !done) return done;
  if (Checked<void> done = check_tokenizer(header, arch, file_bytes); !done) return done;
  return check_weights(header);
}

// --- Putting it together ------------------------------------------------------------------------

/// A model's header, that of all its parts together, and what keeps it readable.
struct Gguf {
  std::vector<Mapping> parts;
  Header header;
  std::uint64_t bytes = 0;
};

/// "model-00001-of-00003.gguf" and 2: "model-00003-of-00003.gguf". Empty when `first` is not named
/// like that.
std::filesystem::path part_path(const std::filesystem::path& first, int index, int count) {
  const auto suffix = [count](int i) {
    const auto five = [](int n) {
      const std::string digits = std::to_string(n);
      return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
    };
    return "-" + five(i + 1) + "-of-" + five(count) + ".gguf";
  };
  std::string name = first.string();
  if (!name.ends_with(suffix(0))) return {};
  name.resize(name.size() - suffix(0).size());
  return name + suffix(index);
}

Error file_error(const std::filesystem::path& path, const std::string& why) {
  return {Errc::bad_model, printable(path.string()) + ": " + why};
}

Result<void> open_part(const std::filesystem::path& path, Gguf& gguf) {
  Checked<Mapping> mapping = Mapping::open(path);
  if (!mapping) return std::unexpected(file_error(path, mapping.error()));
  Checked<Header> header = read_header(mapping->bytes());
  if (!header) return std::unexpected(file_error(path, header.error()));
  gguf.bytes += mapping->bytes().size();
  if (gguf.parts.empty()) {
    gguf.header = std::move(*header);
  } else {
    const Value* number = header->find("split.no");
    if (number == nullptr || !number->is(Kind::u16) ||
        number->at<std::uint16_t>() != gguf.parts.size()) {
      return std::unexpected(file_error(path, "is not part " +
                                                  std::to_string(gguf.parts.size() + 1) +
                                                  " of its model: split.no says otherwise"));
    }
    std::ranges::move(header->tensors, std::back_inserter(gguf.header.tensors));
  }
  gguf.parts.push_back(std::move(*mapping));
  return {};
}

Result<Gguf> open_gguf(const std::filesystem::path& path) {
  Gguf gguf;
  if (Result<void> first = open_part(path, gguf); !first) return std::unexpected(first.error());
  const Value* split = gguf.header.find("split.count");
  if (split == nullptr) return gguf;
  if (!split->is(Kind::u16)) return std::unexpected(file_error(path, "split.count must be u16"));
  const int count = split->at<std::uint16_t>();
  if (count <= 1) return gguf;
  const Value* number = gguf.header.find("split.no");
  if (number == nullptr || !number->is(Kind::u16) || number->at<std::uint16_t>() != 0 ||
      part_path(path, 0, count).empty()) {
    return std::unexpected(file_error(
        path,
        "belongs to a model of " + std::to_string(count) +
            " parts; name the first one, whose name must end in \"-00001-of-" +
            std::string("0000").substr(std::min<std::size_t>(4, std::to_string(count).size() - 1)) +
            std::to_string(count) + ".gguf\""));
  }
  for (int i = 1; i < count; ++i) {
    if (Result<void> part = open_part(part_path(path, i, count), gguf); !part) {
      return std::unexpected(part.error());
    }
  }
  return gguf;
}

template <class T>
std::string number_text(T number) {
  char text[64];
  return {text, std::to_chars(text, std::end(text), number).ptr};
}

std::string value_text(const Value& value) {
  if (value.array) {
    return "[" + std::string(facts(value.kind).name) + " x " + std::to_string(value.count) + "]";
  }
  switch (value.kind) {
    case Kind::u8: return number_text(value.at<std::uint8_t>());
    case Kind::i8: return number_text(value.at<std::int8_t>());
    case Kind::u16: return number_text(value.at<std::uint16_t>());
    case Kind::i16: return number_text(value.at<std::int16_t>());
    case Kind::u32: return number_text(value.at<std::uint32_t>());
    case Kind::i32: return number_text(value.at<std::int32_t>());
    case Kind::f32: return number_text(value.at<float>());
    case Kind::boolean: return value.at<std::uint8_t>() != 0 ? "true" : "false";
    case Kind::string: return printable(value.bytes);
    case Kind::u64: return number_text(value.at<std::uint64_t>());
    case Kind::i64: return number_text(value.at<std::int64_t>());
    case Kind::f64: return number_text(value.at<double>());
    case Kind::array: break;
  }
  return {};
}

void count_tensors(const std::vector<Tensor>& tensors, GgufInfo& info) {
  info.tensors = tensors.size();
  for (const Tensor& tensor : tensors) {
    GgufInfo::Share& share = info.shares[std::string(tensor.type->name)];
    ++share.tensors;
    share.parameters += tensor.elements;
    share.bytes += tensor.bytes;
    info.parameters += tensor.elements;
  }
}

std::string file_type_name(const std::optional<std::uint32_t>& number, const GgufInfo& info) {
  if (number && *number < std::size(kFileTypes) && !kFileTypes[*number].empty()) {
    return std::string(kFileTypes[*number]);
  }
  if (info.shares.empty()) return {};
  return std::ranges::max_element(info.shares, {},
                                  [](const auto& share) { return share.second.bytes; })
      ->first;
}

Checked<GgufInfo> describe(const Gguf& gguf) {
  GgufInfo info;
  info.version = gguf.header.version;
  info.file_bytes = gguf.bytes;
  info.parts = static_cast<int>(gguf.parts.size());
  count_tensors(gguf.header.tensors, info);
  for (const auto& [key, value] : gguf.header.values) {
    info.metadata.emplace(printable(key), value_text(value));
  }

  Typed typed(gguf.header);
  const std::string arch(typed.text("general.architecture"));
  const std::string_view type = typed.text("general.type");
  info.type = type.empty() ? "model" : printable(type);
  info.architecture = printable(arch);
  info.name = printable(typed.text("general.name"));
  info.file_type = file_type_name(typed.u32("general.file_type"), info);
  info.context_length = typed.u32(arch + ".context_length").value_or(0);
  info.embedding_length = typed.u32(arch + ".embedding_length").value_or(0);
  info.block_count = typed.u32(arch + ".block_count").value_or(0);
  info.tokenizer = printable(typed.text("tokenizer.ggml.model"));
  info.pre_tokenizer = printable(typed.text("tokenizer.ggml.pre"));
  info.chat_template = typed.text("tokenizer.chat_template");
  if (const Value* tokens = gguf.header.find("tokenizer.ggml.tokens");
      tokens != nullptr && tokens->array) {
    info.vocabulary = tokens->count;
  }
  if (type == "adapter") {
    info.adapter_type = printable(typed.text("adapter.type"));
    info.adapter_lora_alpha = typed.f32("adapter.lora.alpha");
  }
  if (Checked<void> done = typed.done(); !done) return std::unexpected(done.error());
  return info;
}

}  // namespace

Result<GgufInfo> inspect_gguf(const std::filesystem::path& path) {
  const Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  if (Checked<void> fit = check_for_libllama(gguf->header, gguf->bytes); !fit) {
    return std::unexpected(file_error(path, fit.error()));
  }
  Checked<GgufInfo> info = describe(*gguf);
  if (!info) return std::unexpected(file_error(path, info.error()));
  return std::move(*info);
}

Result<std::vector<std::string>> read_gguf_tokens(const std::filesystem::path& path) {
  const Result<Gguf> gguf = open_gguf(path);
  if (!gguf) return std::unexpected(gguf.error());
  const Value* list = gguf->header.find("tokenizer.ggml.tokens");
  if (list == nullptr) return std::vector<std::string>();
  if (!list->is_array_of(Kind::string)) {
    return std::unexpected(file_error(path, "tokenizer.ggml.tokens is of type " +
                                                list->type_name() +
                                                "; it must be an array of strings"));
  }
  const std::vector<std::string_view> tokens = strings(*list);
  return std::vector<std::string>(tokens.begin(), tokens.end());
}

}  // namespace lichen::model
