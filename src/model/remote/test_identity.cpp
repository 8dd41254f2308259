#include "model/remote/test_identity.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <cstdlib>
#include <memory>

namespace lichen::model {

namespace {

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

void require(bool done) {
  if (!done) std::abort();
}

void add_extension(X509* certificate, int id, const std::string& value) {
  Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str()),
                                  X509_EXTENSION_free);
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

template <class Write>
std::string to_pem(Write write) {
  Owned<BIO> memory(BIO_new(BIO_s_mem()), BIO_free_all);
  require(memory && write(memory.get()) == 1);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

TestIdentity make_test_identity(const std::string& name) {
  Owned<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Owned<X509> certificate(X509_new(), X509_free);
  require(key && certificate);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  auto* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(name, not_an_address);
  add_extension(certificate.get(), NID_subject_alt_name, (not_an_address ? "DNS:" : "IP:") + name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  return {to_pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); }),
          to_pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace lichen::model
