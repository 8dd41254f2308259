#include "base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <system_error>

namespace lichen::base {

static_assert(std::tuple_size_v<Sha256> == SHA256_DIGEST_LENGTH);

Sha256 sha256(std::string_view bytes) {
  Sha256 digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : sha256(bytes)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<std::string> file_identity(const std::filesystem::path& file) {
  constexpr std::uintmax_t kPiece = 1u << 20, kPieces = 64;
  const auto unreadable = [&file] {
    return fail(Errc::bad_model, file.string() + ": cannot be read");
  };
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return unreadable();
  std::string hashes = std::to_string(size) + '\n';
  std::string piece(kPiece, '\0');
  const std::uintmax_t all = (size + kPiece - 1) / kPiece;
  for (std::uintmax_t i = 0; i < std::min(all, kPieces); ++i) {
    const std::uintmax_t at = all <= kPieces ? i * kPiece : (size - kPiece) * i / (kPieces - 1);
    const std::uintmax_t wanted = std::min(kPiece, size - at);
    stream.seekg(static_cast<std::streamoff>(at));
    if (!stream.read(piece.data(), static_cast<std::streamsize>(wanted))) return unreadable();
    hashes += sha256_hex(std::string_view(piece).substr(0, wanted));
  }
  return sha256_hex(hashes);
}

}  // namespace lichen::base
