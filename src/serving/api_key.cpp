#include "serving/api_key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace lichen::serving {

ApiKey::Digest ApiKey::digest(std::string_view text) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

bool ApiKey::is(std::string_view key) const {
  const Digest given = digest(key);
  return CRYPTO_memcmp(given.data(), digest_.data(), digest_.size()) == 0;
}

}  // namespace lichen::serving
