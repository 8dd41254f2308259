#include "ledger/schema.h"

#include <gmock/gmock.h>

#include <array>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "ledger/test_receipts.h"

namespace lichen::ledger {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class SchemaTest : public LedgerFileTest {
 protected:
  Database open(const std::string& name = "ledger.db") {
    Result<Database> database = Database::open(folder_ / name, 1s);
    if (!database) throw std::runtime_error(database.error().detail);
    return std::move(*database);
  }
  static std::string schema(Database& database) {
    Statement statement(database, "SELECT type, name, sql FROM sqlite_schema ORDER BY name");
    Rows rows = statement.query();
    std::string text;
    while (rows.next().value()) {
      text += rows.text(0) + " " + rows.text(1) + " " + rows.text(2) + "\n";
    }
    return text;
  }
};

TEST_F(SchemaTest, EveryOlderVersionBecomesTheNewest) {
  Database fresh = open("fresh.db");
  ASSERT_TRUE(migrate(fresh));
  for (std::size_t version = 0; version <= migrations().size(); ++version) {
    Database old = open(std::to_string(version) + ".db");
    ASSERT_TRUE(migrate(old, migrations().first(version)));
    EXPECT_EQ(old.number("PRAGMA user_version"), static_cast<std::int64_t>(version));
    ASSERT_TRUE(migrate(old));
    EXPECT_EQ(old.number("PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
    EXPECT_EQ(schema(old), schema(fresh)) << "from version " << version;
  }
}

TEST_F(SchemaTest, MigratingKeepsTheRows) {
  Database database = open();
  ASSERT_TRUE(migrate(database, migrations().first(1)));
  ASSERT_TRUE(
      database.run("INSERT INTO receipts VALUES (1, 'rcpt_old', 'p', 5, NULL, 2, 'stop',"
                   " NULL)"));
  ASSERT_TRUE(migrate(database));
  EXPECT_EQ(database.number("SELECT started_ns FROM receipts WHERE id = 'rcpt_old'"), 5);
}

TEST_F(SchemaTest, AStepThatFailsLeavesTheVersionBeforeIt) {
  Database database = open();
  const std::array steps = {"CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"};
  const Result<void> migrated = migrate(database, steps);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().detail, HasSubstr("already exists"));
  EXPECT_EQ(database.number("PRAGMA user_version"), 1);
  EXPECT_EQ(database.number("SELECT count(*) FROM sqlite_schema"), 1);
  const std::array mended = {"CREATE TABLE a (x)", "CREATE TABLE b (x)"};
  EXPECT_TRUE(migrate(database, mended));
  EXPECT_EQ(database.number("PRAGMA user_version"), 2);
}

TEST_F(SchemaTest, RefusesANewerFile) {
  Database database = open();
  ASSERT_TRUE(migrate(database));
  ASSERT_TRUE(database.run("PRAGMA user_version = 99"));
  const Result<void> migrated = migrate(database);
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Errc::bad_config);
  EXPECT_THAT(migrated.error().detail, HasSubstr("version 99"));
  EXPECT_THAT(migrated.error().detail, HasSubstr(file_.string()));
}

TEST_F(SchemaTest, RefusesAnotherProgramsDatabase) {
  Database database = open();
  ASSERT_TRUE(database.run("CREATE TABLE bookmarks (url)"));
  Result<void> migrated = migrate(database);
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Errc::bad_config);
  EXPECT_THAT(migrated.error().detail, HasSubstr("another program"));
  ASSERT_TRUE(database.run("PRAGMA user_version = 1"));  // has versions, too
  migrated = migrate(database);
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Errc::bad_config);
}

TEST_F(SchemaTest, SeveralMayMakeAFileAtOnce) {
  for (int file = 0; file < 20; ++file) {
    const std::filesystem::path path = folder_ / std::to_string(file);
    std::latch all(4);
    std::vector<std::jthread> makers;
    for (int i = 0; i < 4; ++i) {
      makers.emplace_back([&all, path] {
        all.arrive_and_wait();
        Result<Database> database = Database::open(path, 10s);
        ASSERT_TRUE(database) << database.error().detail;
        const Result<void> migrated = migrate(*database);
        EXPECT_TRUE(migrated) << migrated.error().detail;
      });
    }
  }
}

}  // namespace
}  // namespace lichen::ledger
