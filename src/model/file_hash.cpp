#include "model/file_hash.h"

#include <openssl/evp.h>

#include <array>
#include <cassert>
#include <fstream>
#include <memory>
#include <vector>

namespace lichen::model {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    [[maybe_unused]] const int begun = EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
    assert(begun == 1);
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string digits() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), hash.data(), &size);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kDigits[hash[i] >> 4];
      text += kDigits[hash[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.digits();
}

Result<std::string> file_sha256(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(Errc::bad_model, file.string() + ": cannot be read");
  Digest digest;
  std::vector<char> piece(std::size_t{1} << 20);
  while (stream) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    digest.add({piece.data(), static_cast<std::size_t>(stream.gcount())});
  }
  if (!stream.eof()) return fail(Errc::bad_model, file.string() + ": cannot be read to its end");
  return digest.digits();
}

}  // namespace lichen::model
