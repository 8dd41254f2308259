#include "model/gguf/reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <iterator>
#include <limits>
#include <system_error>
#include <unordered_set>

namespace lichen::model::gguf {

Checked<Mapping> Mapping::open(const std::filesystem::path& path) {
  // Not blocking, since opening a FIFO would wait for a writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    const int why = errno;
    if (why == ENOENT) return bad("there is no such file");
    return bad("cannot be opened: ", std::generic_category().message(why));
  }
  Mapping mapping(file);
  if (Checked<void> mapped = mapping.map(); !mapped) return std::unexpected(mapped.error());
  return mapping;
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  if (file_ >= 0) ::close(file_);
}

Checked<void> Mapping::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bad("cannot be read: ", std::generic_category().message(errno));
    if (got == 0) return bad("ends at ", offset, ": it was cut short while it was read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Checked<void> Mapping::map() {
  struct stat status = {};
  if (::fstat(file_, &status) != 0) {
    return bad("cannot be read: ", std::generic_category().message(errno));
  }
  if (S_ISDIR(status.st_mode)) return bad("is a directory; name the GGUF file inside it");
  if (!S_ISREG(status.st_mode)) return bad("is a pipe or device; a GGUF must be a regular file");
  if (status.st_size == 0) return bad("is empty: the download is probably incomplete");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file_, 0);
  if (address == MAP_FAILED) {
    return bad("cannot be read: ", std::generic_category().message(errno));
  }
  bytes_ = {static_cast<const char*>(address), size};
  return {};
}

namespace {

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
    tensor->offset = offset;  // from the beginning of all data
    header.tensors.push_back(*tensor);
  }
  if (count == 0) return {};
  std::uint64_t begin = cursor.position();
  const std::uint64_t size = cursor.position() + cursor.left();
  if (!align_up(begin, *alignment) || __builtin_add_overflow(begin, end, &end) || end > size) {
    return bad("has ", size, " bytes, but its tensors need ", end,
               ": it is truncated (an incomplete download?) or damaged");
  }
  for (Tensor& tensor : header.tensors) tensor.offset += begin;
  return {};
}

}  // namespace

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

std::vector<std::string_view> strings(const Value& value) {
  std::vector<std::string_view> all;
  all.reserve(value.count);
  Cursor cursor(value.bytes);
  for (std::uint64_t i = 0; i < value.count; ++i) all.push_back(cursor.string());
  return all;
}

}  // namespace lichen::model::gguf
