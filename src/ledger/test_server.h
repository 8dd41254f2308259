// A PostgreSQL server of the tests' own: in a temporary folder, on a unix socket, gone with the
// tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/postgres.h"

namespace lichen::ledger {

/// Used from the main thread: the server ends when that does. Where this program runs as root it
/// belongs to the user `postgres`, or nobody, since PostgreSQL refuses root.
class TestServer {
 public:
  /// The one of this program, started when it is first asked for; null where PostgreSQL is not
  /// installed.
  static TestServer* get();
  ~TestServer();

  /// Its database, for a user who owns it, or for another.
  Server database(const std::string& user = "owner") const;
  /// A connection with which a test looks or changes something behind a ledger's back.
  Connection connect() const;

  void start();
  /// As a power failure would, all its processes at once.
  void kill();
  /// All its processes stand still: connections stay, and nobody answers.
  void suspend();
  void resume();

 private:
  explicit TestServer(std::filesystem::path programs);
  std::vector<pid_t> processes() const;
  /// Runs a program of PostgreSQL's.
  pid_t spawn(const std::string& program, std::vector<std::string> arguments) const;

  const std::filesystem::path programs_;
  std::filesystem::path folder_;
  pid_t server_ = 0;  // 0: it does not run
};

/// Each test finds a database without the schema `lichen`.
class ServerTest : public testing::Test {
 protected:
  void SetUp() override;

  TestServer* server_ = nullptr;
};

}  // namespace lichen::ledger
