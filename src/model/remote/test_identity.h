// A self-signed certificate and its key, made on the spot: for tests with real TLS.
#pragma once

#include <string>

namespace lichen::model {

struct TestIdentity {
  std::string certificate;  // PEM; also what a client must trust
  std::string key;          // PEM
};

/// Valid for one day, for one name: a host name or an IP address. Aborts when OpenSSL fails.
TestIdentity make_test_identity(const std::string& name);

}  // namespace lichen::model
