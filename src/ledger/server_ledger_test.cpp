#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <set>
#include <thread>

#include "ledger/ledger_contract.h"
#include "ledger/postgres_schema.h"
#include "ledger/test_receipts.h"
#include "ledger/test_server.h"

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr auto kAlways = std::chrono::system_clock::time_point::min();

void drop(const TestServer& server) {
  const auto dropped = server.connect().script("DROP SCHEMA IF EXISTS lichen CASCADE");
  ASSERT_TRUE(dropped) << dropped.error().detail;
}

class ServerPlace final : public LedgerPlace {
 public:
  explicit ServerPlace(TestServer& server) : server_(server) { drop(server_); }
  ~ServerPlace() override { drop(server_); }
  Result<std::unique_ptr<Ledger>> open(LedgerOptions options) override {
    return Ledger::connect(server_.database(), options);
  }
  Receipt stored(Receipt receipt) const override {
    for (Step& step : receipt.steps) step.role = storable(step.role);
    for (Decision& decision : receipt.decisions) decision.reason = storable(decision.reason);
    return receipt;
  }

 private:
  TestServer& server_;
};

INSTANTIATE_TEST_SUITE_P(Server, LedgerContract,
                         testing::Values(+[]() -> std::unique_ptr<LedgerPlace> {
                           TestServer* server = TestServer::get();
                           if (server == nullptr) return nullptr;
                           return std::make_unique<ServerPlace>(*server);
                         }));

class ServerLedgerTest : public ServerTest {
 protected:
  std::unique_ptr<Ledger> open(LedgerOptions options = {}) const {
    auto ledger = Ledger::connect(server_->database(), options);
    if (!ledger) throw std::runtime_error(ledger.error().detail);
    return *std::move(ledger);
  }
  Error open_error(const std::string& user = "owner") const {
    auto ledger = Ledger::connect(server_->database(user));
    return ledger ? Error{Errc::internal, "it opened"} : ledger.error();
  }
  std::int64_t number(const char* sql) const {
    auto connection = server_->connect();
    return connection.run(Command(sql)).value()[0].integer(0);
  }
};

TEST_F(ServerLedgerTest, ADeadServerCostsNoReceiptThatWasFlushedOrIsPending) {
  // Group commits as they come, while the server dies in the middle and comes back.
  auto ledger = open({.retry_first = 20ms, .retry_most = 100ms});
  std::atomic<int> recorded = 0;
  std::vector<std::string> flushed;
  {
    std::atomic<bool> stop = false;
    std::vector<std::jthread> writers;
    for (int t = 0; t < 2; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; !stop; ++i) {
          ledger->record(rich_receipt(std::to_string(t) + "_" + std::to_string(i)));
          ++recorded;
          std::this_thread::sleep_for(100us);
        }
      });
    }
    std::this_thread::sleep_for(100ms);
    ledger->record(rich_receipt("flushed"));
    ++recorded;
    ASSERT_TRUE(ledger->flush());
    std::this_thread::sleep_for(50ms);
    server_->kill();
    std::this_thread::sleep_for(100ms);
    stop = true;
  }
  ledger->record(rich_receipt("while it was down"));
  ++recorded;
  EXPECT_FALSE(ledger->flush());
  EXPECT_FALSE(ledger->health().ok);
  EXPECT_GT(ledger->health().pending, 0u);
  EXPECT_TRUE(ledger->find("while it was down")) << "reading sees what is pending";
  EXPECT_EQ(ledger->find("flushed").error().code, Errc::storage);

  server_->start();
  const auto deadline = steady_clock::now() + 20s;
  while (!ledger->flush() && steady_clock::now() < deadline) std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(ledger->health().ok) << ledger->health().last_error;
  EXPECT_EQ(ledger->health().lost, 0u);
  EXPECT_TRUE(ledger->find("flushed"));
  EXPECT_TRUE(ledger->find("while it was down"));
  EXPECT_EQ(ledger->totals(kAlways).value().all.requests, recorded) << "each once";
  EXPECT_EQ(ledger->totals(kAlways).value().all.steps, 2 * recorded);
}

TEST_F(ServerLedgerTest, AServerThatIsDownAtTheStartIsAFullDisk) {
  open()->record(rich_receipt("before"));
  server_->kill();
  auto ledger = open(patient());
  EXPECT_FALSE(ledger->health().ok);
  EXPECT_THAT(ledger->health().last_error, HasSubstr("postgresql://owner@"));
  EXPECT_THAT(ledger->health().last_error, Not(HasSubstr("\n")));
  ledger->record(rich_receipt("during"));
  EXPECT_EQ(ledger->flush().error().code, Errc::storage);
  EXPECT_TRUE(ledger->find("during"));
  EXPECT_EQ(ledger->rate("during", {.score = 1}).error().code, Errc::storage);
  server_->start();
  ASSERT_TRUE(ledger->flush()) << ledger->health().last_error;
  EXPECT_TRUE(ledger->find("before"));
  EXPECT_TRUE(ledger->rate("during", {.score = 1}));
}

TEST_F(ServerLedgerTest, WhatIsTooMuchForMemoryIsLostAndCounted) {
  LedgerOptions options = patient();
  options.memory_bound = 5;
  {
    auto ledger = open(options);
    ledger->record(rich_receipt("before"));
    ASSERT_TRUE(ledger->flush());
    server_->kill();
    for (const char* id : {"a", "b", "c", "d", "e", "f", "g"}) ledger->record(rich_receipt(id));
    EXPECT_FALSE(ledger->flush());
    EXPECT_EQ(ledger->health().pending, 5u);
    EXPECT_EQ(ledger->health().lost, 2u);
    server_->start();
    ASSERT_TRUE(ledger->flush()) << ledger->health().last_error;
    EXPECT_EQ(ledger->totals(kAlways).value().all.requests, 6);
  }
  EXPECT_EQ(open()->lost(), 2u);
}

TEST_F(ServerLedgerTest, AServerThatHangsHoldsNobodyForLong) {
  LedgerOptions options = patient();
  options.server_timeout = 300ms;
  auto ledger = open(options);
  ledger->record(rich_receipt("before"));
  ASSERT_TRUE(ledger->flush());
  server_->suspend();
  const auto begin = steady_clock::now();
  ledger->record(rich_receipt("during"));
  EXPECT_LT(steady_clock::now() - begin, 100ms);
  {
    // All together, not one after the other: the eighth would wait for 2.4 s.
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) {
      readers.emplace_back([&] {
        const auto found = ledger->find("before");
        EXPECT_EQ(found.error().code, Errc::storage);
        EXPECT_THAT(found.error().detail, HasSubstr("300 ms"));
      });
    }
  }
  EXPECT_FALSE(ledger->flush());
  auto late = Ledger::connect(server_->database(), options);  // accepted by the system, not by it
  EXPECT_TRUE(late && !(*late)->health().ok);
  EXPECT_LT(steady_clock::now() - begin, 2s);
  server_->resume();
  EXPECT_TRUE(ledger->flush()) << ledger->health().last_error;
  EXPECT_TRUE(ledger->find("before"));
  EXPECT_TRUE(ledger->find("during"));
}

TEST_F(ServerLedgerTest, AConnectionThatWasClosedIsOpenedAnewUnnoticed) {
  auto ledger = open();
  ledger->record(rich_receipt("a"));
  ASSERT_TRUE(ledger->rate("a", {.score = 1}));
  EXPECT_TRUE(ledger->find("a"));
  EXPECT_EQ(number("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                   " WHERE application_name = 'lichen' AND pid <> pg_backend_pid()"),
            3);
  EXPECT_TRUE(ledger->find("a"));
  EXPECT_TRUE(ledger->rate("a", {.score = 0}));
  ledger->record(rich_receipt("b"));
  EXPECT_TRUE(ledger->flush());
  EXPECT_TRUE(ledger->health().last_error.empty()) << ledger->health().last_error;
}

TEST_F(ServerLedgerTest, SeveralGatewaysShareAllThereIs) {
  auto a = open(), b = open();
  a->record(rich_receipt("from_a"));
  ASSERT_TRUE(a->flush());
  EXPECT_TRUE(b->find("from_a"));
  ASSERT_TRUE(b->rate("from_a", {.score = 0.5}));
  EXPECT_EQ(a->find("from_a")->feedback.value().score, 0.5);
  ASSERT_TRUE(b->keep("k", "v"));
  EXPECT_EQ(a->kept("k").value(), "v");
  ASSERT_TRUE(a->put({.id = "key_1", .name = "n", .hash = "h"}));
  EXPECT_EQ(b->keys()->front().name, "n");
  Receipt paid = simple_receipt("paid", "p", 1, {"m"});
  paid.key = "key_1";
  paid.steps.front().usd = 0.25;
  a->record(paid);
  ASSERT_TRUE(a->flush());
  EXPECT_EQ(b->used("key_1", {})->usd, 0.25);
}

TEST_F(ServerLedgerTest, SeveralMayMakeTheTablesAtOnce) {
  for (int round = 0; round < 5; ++round) {
    drop(*server_);
    std::latch all(6);
    std::vector<std::jthread> makers;
    for (int i = 0; i < 6; ++i) {
      makers.emplace_back([&] {
        all.arrive_and_wait();
        const auto ledger = Ledger::connect(server_->database());
        ASSERT_TRUE(ledger) << ledger.error().detail;
        EXPECT_TRUE((*ledger)->health().ok) << (*ledger)->health().last_error;
      });
    }
    makers.clear();
    EXPECT_EQ(number("SELECT count(*) FROM lichen.ledger_version"), 1);
    EXPECT_EQ(number("SELECT version FROM lichen.ledger_version"),
              static_cast<std::int64_t>(server_migrations().size()));
  }
}

TEST_F(ServerLedgerTest, AStepThatFailsLeavesNothingBehind) {
  auto connection = server_->connect();
  const std::array steps = {"CREATE TABLE a (x int)",
                            "CREATE TABLE b (x int); CREATE TABLE a (x int)"};
  const auto migrated = migrate(connection, steps);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().detail, HasSubstr("already exists"));
  EXPECT_EQ(number("SELECT version FROM lichen.ledger_version"), 1);
  const std::array mended = {"CREATE TABLE a (x int)", "CREATE TABLE b (x int)"};
  EXPECT_TRUE(migrate(connection, mended));
  EXPECT_EQ(number("SELECT version FROM lichen.ledger_version"), 2);
}

TEST_F(ServerLedgerTest, WhatIsNotOurSchemaIsBadConfig) {
  auto connection = server_->connect();
  ASSERT_TRUE(connection.script("CREATE SCHEMA lichen CREATE TABLE moss (x int)"));
  EXPECT_EQ(open_error().code, Errc::bad_config);
  EXPECT_THAT(open_error().detail, HasSubstr("another program"));
  drop(*server_);
  open();
  ASSERT_TRUE(connection.script("UPDATE lichen.ledger_version SET version = 99"));
  EXPECT_EQ(open_error().code, Errc::bad_config);
  EXPECT_THAT(open_error().detail, HasSubstr("version 99"));
}

TEST_F(ServerLedgerTest, AUserWhoMayMakeNoSchemaNeedsOneMade) {
  const Error error = open_error("poor");
  EXPECT_EQ(error.code, Errc::bad_config) << error.detail;
  EXPECT_THAT(error.detail, HasSubstr("permission denied"));
  auto connection = server_->connect();
  ASSERT_TRUE(connection.script("CREATE SCHEMA lichen AUTHORIZATION poor"));
  auto ledger = Ledger::connect(server_->database("poor"));
  ASSERT_TRUE(ledger) << ledger.error().detail;
  (*ledger)->record(rich_receipt());
  EXPECT_TRUE((*ledger)->flush());
}

TEST_F(ServerLedgerTest, WhoeverTheServerRefusesIsBadConfig) {
  EXPECT_EQ(open_error("nobody_of_this_name").code, Errc::bad_config);
  Server server = server_->database();
  server.url.replace(server.url.find("/postgres?"), 10, "/nowhere?");
  const auto opened = Ledger::connect(server);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::bad_config);
  EXPECT_THAT(opened.error().detail, HasSubstr("nowhere"));
}

TEST_F(ServerLedgerTest, ThePasswordComesFromAVariableAndIsNeverShown) {
  Server server = server_->database("locked");
  auto opened = Ledger::connect(server);
  ASSERT_FALSE(opened) << "none at all";
  EXPECT_EQ(opened.error().code, Errc::bad_config) << opened.error().detail;

  server.password_env = "LICHEN_TEST_PASSWORD";
  unsetenv("LICHEN_TEST_PASSWORD");
  opened = Ledger::connect(server);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::bad_config);
  EXPECT_THAT(opened.error().detail, HasSubstr("LICHEN_TEST_PASSWORD"));

  setenv("LICHEN_TEST_PASSWORD", "0pen barley", 1);
  opened = Ledger::connect(server);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::bad_config);
  EXPECT_THAT(opened.error().detail, HasSubstr("password authentication failed"));
  EXPECT_THAT(opened.error().detail, Not(HasSubstr("barley")));

  setenv("LICHEN_TEST_PASSWORD", "open sesame", 1);
  opened = Ledger::connect(server);
  ASSERT_TRUE(opened) << opened.error().detail;
  server_->kill();
  (*opened)->record(rich_receipt());
  EXPECT_FALSE((*opened)->flush());
  EXPECT_THAT((*opened)->health().last_error, Not(HasSubstr("sesame")));
  server_->start();
  EXPECT_TRUE((*opened)->flush());
  opened = std::unexpected(Error{});  // before the others' tables go
  unsetenv("LICHEN_TEST_PASSWORD");
}

TEST_F(ServerLedgerTest, NoRowStandsInAnError) {
  auto ledger = open(patient());
  Receipt bad = rich_receipt("bad");
  bad.prompt = "a private prompt";
  bad.total_ms = std::numeric_limits<double>::quiet_NaN();
  ledger->record(bad);
  ASSERT_TRUE(ledger->flush());
  EXPECT_THAT(ledger->health().last_error, HasSubstr("total_ms"));
  EXPECT_THAT(ledger->health().last_error, Not(HasSubstr("private")));
}

}  // namespace
}  // namespace lichen::ledger
