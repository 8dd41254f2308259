#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace lichen::base {
namespace {

std::unexpected<Error> trouble_with(const std::filesystem::path& path, const char* what, int why) {
  const Errc code = why == ENOENT ? Errc::not_found : Errc::storage;
  return fail(code, path.string() + " " + what + ": " + std::generic_category().message(why));
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path) { return open(path, O_RDONLY); }

Result<File> File::open_to_write(const std::filesystem::path& path) {
  return open(path, O_RDWR | O_CREAT);
}

Result<File> File::open(const std::filesystem::path& path, int flags) {
  // Not blocking, since opening a FIFO would wait for another process.
  const int descriptor = ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, 0644);
  if (descriptor < 0) return trouble_with(path, "cannot be opened", errno);
  File file(path, descriptor);
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return file.trouble("cannot be read");
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::storage, path.string() + " is not a regular file");
  }
  return file;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Result<std::uint64_t> File::size() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) return trouble("cannot be read");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> File::read(std::uint64_t begin, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trouble("cannot be read");
    if (got == 0) return fail(Errc::storage, path_.string() + " ends too early");
    out = out.subspan(static_cast<std::size_t>(got));
    begin += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<void> File::write(std::uint64_t begin, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(begin));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return trouble("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    begin += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> File::resize(std::uint64_t size) const {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return trouble("cannot be resized");
  // Not posix_fallocate, which writes to each block where the file system cannot do this.
  if (size == 0 || ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)) == 0) return {};
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return trouble("finds no room");
  return {};
}

Result<void> File::sync() const {
  if (::fsync(descriptor_) != 0) return trouble("cannot be written");
  return {};
}

bool File::lock() const { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }

Result<void> File::rename(const std::filesystem::path& path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) return trouble("cannot be renamed");
  path_ = path;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return trouble("may not last: its folder cannot be opened");
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!synced) return trouble("may not last");
  return {};
}

std::unexpected<Error> File::trouble(const char* what) const {
  return trouble_with(path_, what, errno);
}

}  // namespace lichen::base
