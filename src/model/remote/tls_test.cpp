// Real TLS over loopback, with certificates made for the test.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using testing::HasSubstr;

/// A PEM file that is gone after the test.
struct Trusted {
  explicit Trusted(const TestIdentity& identity)
      : path(testing::TempDir() + "lichen_ca_" + std::to_string(::getpid()) + "_" +
             testing::UnitTest::GetInstance()->current_test_info()->name() + ".pem") {
    std::ofstream(path) << identity.certificate;
  }
  ~Trusted() { std::remove(path.c_str()); }
  std::string path;
};

Result<Answer> ask(const FakeUpstream& upstream, std::string host, std::string ca_file) {
  Remotely at(upstream.url(host), [&](auto& options) { options.ca_file = std::move(ca_file); });
  Pieces pieces;
  Turn turn("cloud", &pieces);
  return at.ask(turn);
}

TEST(Tls, AnswersStreamsAndKeepsTheConnection) {
  const auto identity = make_test_identity("localhost");
  FakeUpstream upstream({Reply::chat({"Hel", "lo"})}, identity);
  const Trusted ca(identity);
  Remotely at(upstream.url("localhost"), [&](auto& options) { options.ca_file = ca.path; });
  for (int i = 0; i < 3; ++i) {
    Pieces pieces;
    Turn turn("cloud", &pieces);
    const auto answer = at.ask(turn);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, "Hello");
  }
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(Tls, AnAddressIsVerifiedToo) {
  const auto identity = make_test_identity("127.0.0.1");
  FakeUpstream upstream({Reply::chat({"ok"})}, identity);
  const Trusted ca(identity);
  EXPECT_TRUE(ask(upstream, "127.0.0.1", ca.path));
  const auto wrong = ask(upstream, "localhost", ca.path);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("mismatch"));
}

TEST(Tls, AWrongHostNameIsRefused) {
  const auto identity = make_test_identity("elsewhere.example");
  FakeUpstream upstream({Reply::chat({"ok"})}, identity);
  const Trusted ca(identity);
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    const auto answer = ask(upstream, host, ca.path);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::upstream);
    EXPECT_THAT(answer.error().detail, HasSubstr("mismatch"));
  }
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_EQ(upstream.connections(), 2) << "not worth a retry";
}

TEST(Tls, AnUntrustedCertificateIsRefused) {
  FakeUpstream upstream({Reply::chat({"ok"})}, make_test_identity("localhost"));
  const Trusted other(make_test_identity("localhost"));
  for (const auto& ca_file : {std::string(), other.path}) {
    const auto answer = ask(upstream, "localhost", ca_file);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::upstream);
    EXPECT_THAT(answer.error().detail, HasSubstr("ca_file"));
  }
  EXPECT_TRUE(upstream.requests().empty());
}

TEST(Tls, PlainHttpBehindHttpsIsAClearError) {
  FakeUpstream plain({Reply::raw().send("HTTP/1.1 400 Bad Request\r\n\r\n").close()});
  Remotely at("https://127.0.0.1:" + std::to_string(plain.port()) + "/v1", [](auto& options) {
    options.connect_timeout = std::chrono::milliseconds(50);
    options.retries = 0;
  });
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
}

TEST(Tls, CutAndStaleConnections) {
  const auto identity = make_test_identity("localhost");
  const Trusted ca(identity);
  FakeUpstream upstream(
      [](const FakeUpstream::Received& request) {
        if (request.on_connection == 2) return Reply::raw().reset();
        return request.connection == 3 ? Reply::events().delta("Hel").close() : Reply::chat({"ok"});
      },
      identity);
  Remotely at(upstream.url("localhost"), [&](auto& options) {
    options.ca_file = ca.path;
    options.retries = 0;
  });
  const auto ask_once = [&] {
    Pieces pieces;
    Turn turn("cloud", &pieces);
    return at.ask(turn);
  };
  EXPECT_TRUE(ask_once());
  EXPECT_TRUE(ask_once()) << "a stale connection is replaced";
  const auto cut = ask_once();  // stale again, then cut
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::upstream);
}

}  // namespace
}  // namespace lichen::model
