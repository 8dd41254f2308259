#include "model/weights_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/format.h"
#include "base/ids.h"
#include "model/gguf/checked.h"

namespace lichen::model {

using namespace gguf;

namespace {

std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

std::unexpected<Error> not_written(const std::filesystem::path& file, int why) {
  return fail(Errc::storage, printable(file.string()) +
                                 ": cannot be written: " + std::generic_category().message(why));
}

}  // namespace

Result<WeightsWriter> WeightsWriter::create(const std::filesystem::path& target,
                                            const Metadata& metadata,
                                            const std::vector<TensorToWrite>& tensors) {
  constexpr mode_t kReadAndWrite = 0666;  // less the process's umask
  const std::string partial = target.string() + base::new_id(".partial-");
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadAndWrite);
  if (file < 0) return not_written(target, errno);
  WeightsWriter writer(target, partial, file);
  if (Result<void> begun = writer.begin(metadata, tensors); !begun) {
    return std::unexpected(begun.error());
  }
  return writer;
}

WeightsWriter::WeightsWriter(WeightsWriter&& other) noexcept
    : target_(std::move(other.target_)),
      partial_(std::move(other.partial_)),
      file_(std::exchange(other.file_, -1)),
      offsets_(std::move(other.offsets_)),
      size_(other.size_) {}

WeightsWriter::~WeightsWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(partial_.c_str());
}

Result<void> WeightsWriter::begin(const Metadata& metadata,
                                  const std::vector<TensorToWrite>& tensors) {
  const std::uint64_t alignment = metadata.alignment();
  std::string header(kMagic);
  append(header, kNewestVersion);
  append(header, static_cast<std::uint64_t>(tensors.size()));
  append(header, metadata.size());
  header += metadata.bytes();
  std::uint64_t end = 0;  // of the data, from the beginning of all data
  for (const TensorToWrite& tensor : tensors) {
    assert(tensor.shape[0] % tensor.type->block == 0);
    std::uint32_t dimensions = kMaxDimensions;
    while (dimensions > 1 && tensor.shape[dimensions - 1] == 1) --dimensions;
    append_text(header, tensor.name);
    append(header, dimensions);
    for (std::uint32_t i = 0; i < dimensions; ++i) append(header, tensor.shape[i]);
    append(header, static_cast<std::uint32_t>(tensor.type - kTensorTypes));
    append(header, end);
    offsets_.push_back(end);
    end += padded(tensor.bytes(), alignment);
  }
  const std::uint64_t data = padded(header.size(), alignment);
  for (std::uint64_t& offset : offsets_) offset += data;
  size_ = data + end;
  if (Result<void> reserved = reserve(); !reserved) return reserved;
  return put(0, std::as_bytes(std::span(header)));
}

Result<void> WeightsWriter::reserve() const {
  const auto size = static_cast<off_t>(size_);
  if (::fallocate(file_, 0, 0, size) == 0) return {};
  if (errno == ENOSPC || errno == EFBIG) {
    const int why = errno;
    return fail(Errc::storage, printable(target_.string()) + ": there is no room for its " +
                                   base::format_bytes(size_) + ": " +
                                   std::generic_category().message(why));
  }
  if (::ftruncate(file_, size) == 0) return {};  // a file system that cannot reserve
  return not_written(target_, errno);
}

Result<void> WeightsWriter::put(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return not_written(target_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<void> WeightsWriter::write(std::size_t tensor, std::uint64_t begin,
                                  std::span<const std::byte> bytes) const {
  return put(offsets_[tensor] + begin, bytes);
}

Result<void> WeightsWriter::finish() {
  if (::fsync(file_) != 0) return not_written(target_, errno);
  if (::rename(partial_.c_str(), target_.c_str()) != 0) return not_written(target_, errno);
  ::close(std::exchange(file_, -1));
  // So that the name survives a loss of power, too.
  const std::filesystem::path folder =
      target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return {};
  ::fsync(directory);
  ::close(directory);
  return {};
}

}  // namespace lichen::model
