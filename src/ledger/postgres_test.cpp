#include "ledger/postgres.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace lichen::ledger {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;

TEST(StorableText, IsWhatPostgresqlTakes) {
  EXPECT_EQ(storable("plain 🌿"), "plain 🌿");
  EXPECT_EQ(storable(std::string_view("a\0b\0", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(storable("\xFFz"), "\uFFFDz");
}

TEST(ColumnText, IsAnArray) {
  Column texts;
  EXPECT_TRUE(texts.empty());
  texts.add(std::string("a\"b\\c,{}"));
  texts.add(std::optional<std::string_view>());
  texts.add(std::string());
  EXPECT_EQ(texts.take(), R"({"a\"b\\c,{}",NULL,""})");
  EXPECT_EQ(texts.take(), "{}") << "what was taken is gone";

  Column numbers;
  numbers.add(std::numeric_limits<std::int64_t>::min());
  numbers.add(0.1 + 0.2);
  numbers.add(std::nan(""));
  numbers.add(std::numeric_limits<double>::infinity());
  EXPECT_EQ(numbers.take(), "{-9223372036854775808,0.30000000000000004,NULL,inf}");
}

TEST(CommandValues, AreTextsOrNull) {
  Column column;
  column.add(true);
  const Command command("SELECT", std::int64_t{7}, 1e-300, std::string("x"),
                        std::optional<double>(), column);
  EXPECT_THAT(command.values(),
              ElementsAre(Optional(std::string("7")), Optional(std::string("1e-300")),
                          Optional(std::string("x")), testing::Eq(std::nullopt),
                          Optional(std::string("{1}"))));
}

TEST(ServerUrl, MustBeOne) {
  for (const char* good :
       {"postgresql://user@host:5432/db", "postgres://host/db", "postgresql:///db?host=/run/pg",
        "postgresql://a,b:5433/db?target_session_attrs=read-write&sslmode=verify-full"}) {
    const auto checked = check(Server{.url = good});
    EXPECT_TRUE(checked) << good << ": " << checked.error().detail;
  }
  for (const char* bad : {"", "http://host/db", "host=a dbname=b", "postgresql://[::1/db",
                          "postgresql://host/db?no_such_option=1"}) {
    const auto checked = check(Server{.url = bad});
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, Errc::bad_config);
    EXPECT_THAT(checked.error().detail, HasSubstr("postgresql://user@host"));
  }
}

TEST(ServerUrl, MustHoldNoPassword) {
  for (const char* url :
       {"postgresql://user:s3cret@host/db", "postgresql://host/db?password=s3cret",
        "postgresql://host/db?sslkey=a&sslpassword=s3cret"}) {
    const auto checked = check(Server{.url = url});
    ASSERT_FALSE(checked) << url;
    EXPECT_THAT(checked.error().detail, HasSubstr("PGPASSWORD"));
    EXPECT_THAT(checked.error().detail, HasSubstr("password_env"));
    EXPECT_THAT(checked.error().detail, Not(HasSubstr("s3cret")));
  }
  // Nor does an error show one where the url cannot be read.
  const auto broken = check(Server{.url = "postgresql://user:s3cret%zz@host/db"});
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().detail, Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace lichen::ledger
