#include "ledger/key_secret.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/ids.h"
#include "base/sha256.h"

namespace lichen::ledger {
namespace {

constexpr std::string_view kPrefix = "lk-";
constexpr std::string_view kIdPrefix = "key_";
constexpr std::size_t kUlid = 26;
constexpr std::size_t kSecretBytes = 24;

std::string hex(const std::array<unsigned char, kSecretBytes>& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

Result<NewKey> new_key(std::string name, KeyLimits limits) {
  std::array<unsigned char, kSecretBytes> secret;
  if (getentropy(secret.data(), secret.size()) != 0) {
    return fail(Errc::internal, "the system gives no random bytes");
  }
  NewKey made;
  made.key.id = base::new_id(kIdPrefix);
  made.text = std::string(kPrefix) + made.key.id.substr(kIdPrefix.size()) + "-" + hex(secret);
  made.key.hash = base::sha256_hex(made.text);
  made.key.name = std::move(name);
  made.key.created = std::chrono::system_clock::now();
  made.key.limits = std::move(limits);
  return made;
}

std::optional<std::string> key_id(std::string_view text) {
  constexpr std::size_t kLength = kPrefix.size() + kUlid + 1 + 2 * kSecretBytes;
  if (text.size() != kLength || !text.starts_with(kPrefix) || text[kPrefix.size() + kUlid] != '-') {
    return std::nullopt;
  }
  return std::string(kIdPrefix) + std::string(text.substr(kPrefix.size(), kUlid));
}

bool opens(const Key& key, std::string_view text) {
  const std::string hash = base::sha256_hex(text);
  return hash.size() == key.hash.size() &&
         CRYPTO_memcmp(hash.data(), key.hash.data(), hash.size()) == 0;
}

bool valid(const Key& key, std::chrono::system_clock::time_point now) {
  return !(key.revoked && *key.revoked <= now) && !(key.expires && *key.expires <= now);
}

}  // namespace lichen::ledger
