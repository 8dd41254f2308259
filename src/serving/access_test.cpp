#include "serving/access.h"

#include <gtest/gtest.h>

#include <thread>

#include "ledger/key_secret.h"

namespace lichen::serving {
namespace {

using namespace std::chrono_literals;

HttpRequest with(const char* field, std::string_view value) {
  HttpRequest header;
  header.set(field, boost::beast::string_view(value.data(), value.size()));
  return header;
}

HttpRequest bearer(const std::string& key) { return with("Authorization", "Bearer " + key); }

class AccessTest : public testing::Test {
 protected:
  std::string make_key(ledger::KeyLimits limits = {}) {
    ledger::NewKey made = ledger::new_key("test", std::move(limits)).value();
    EXPECT_TRUE(ring_.put(made.key));
    key_ = made.key;
    return made.text;
  }
  Result<Caller> identify(const HttpRequest& header) const {
    return Access({.key = ApiKey("master"), .admin = ApiKey("boss"), .keys = true}, &ring_)
        .identify(header);
  }

  const std::unique_ptr<ledger::Ledger> ledger_ = ledger::Ledger::in_memory();
  KeyRing ring_{*ledger_};
  ledger::Key key_;
};

TEST_F(AccessTest, WithoutKeysEverybodyMayDoAllButAdminister) {
  const Access access({}, nullptr);
  EXPECT_EQ(access.identify({})->right, Right::operates);
  EXPECT_EQ(access.identify(bearer("anything"))->right, Right::operates);
  const Access administered({.admin = ApiKey("boss")}, nullptr);
  EXPECT_EQ(administered.identify({})->right, Right::operates);
  EXPECT_EQ(administered.identify(bearer("boss"))->right, Right::admin);
}

TEST_F(AccessTest, EachKeyHasItsRight) {
  const std::string text = make_key();
  EXPECT_EQ(identify({}).error().code, Errc::unauthorized);
  EXPECT_EQ(identify(bearer("")).error().code, Errc::unauthorized);
  EXPECT_EQ(identify(with("Authorization", "Basic master")).error().code, Errc::unauthorized);
  EXPECT_EQ(identify(bearer("master"))->right, Right::operates);
  EXPECT_EQ(identify(bearer("boss"))->right, Right::admin);
  const Result<Caller> caller = identify(bearer(text));
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->right, Right::answers);
  EXPECT_EQ(caller->key_id(), key_.id);
  EXPECT_EQ(identify(with("x-api-key", text))->key_id(), key_.id);
  std::string other = text;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(identify(bearer(other)).error().code, Errc::unauthorized);
}

TEST_F(AccessTest, ChangesAtTheSameTimeAllCount) {
  make_key();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          EXPECT_TRUE(ring_.change(key_.id, [](ledger::Key& key) { key.name += "x"; }));
        }
      });
    }
  }
  EXPECT_EQ(ring_.read(key_.id)->name.size(), key_.name.size() + 400);
  EXPECT_EQ(ring_.change("none", [](ledger::Key&) {}).error().code, Errc::not_found);
}

TEST_F(AccessTest, VirtualKeysOpenNothingWhereTheyAreNotWanted) {
  const std::string text = make_key();
  const Access access({.key = ApiKey("master"), .admin = ApiKey("boss")}, &ring_);
  EXPECT_EQ(access.identify(bearer(text)).error().code, Errc::unauthorized);
}

TEST_F(AccessTest, ARevokedOrExpiredKeyOpensNothing) {
  const std::string text = make_key();
  key_.expires = std::chrono::system_clock::now() - 1s;
  ASSERT_TRUE(ring_.put(key_));
  EXPECT_FALSE(identify(bearer(text)));
  key_.expires.reset();
  ASSERT_TRUE(ring_.put(key_));
  EXPECT_TRUE(identify(bearer(text)));
  key_.revoked = std::chrono::system_clock::now();
  ASSERT_TRUE(ring_.put(key_));
  EXPECT_FALSE(identify(bearer(text)));
}

TEST_F(AccessTest, WhatIsChangedElsewhereIsNoticedSoon) {
  const std::string text = make_key();
  key_.revoked = std::chrono::system_clock::now();
  ASSERT_TRUE(ledger_->put(key_));  // as another process would
  for (int i = 0; i < 1'000 && identify(bearer(text)); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(identify(bearer(text)));
}

TEST_F(AccessTest, AKeyAsksThePlansThatItNames) {
  const std::string all = make_key();
  EXPECT_TRUE(identify(bearer(all))->may_ask("anything"));
  const std::string some = make_key({.plans = {"a", "b"}});
  EXPECT_TRUE(identify(bearer(some))->may_ask("b"));
  EXPECT_FALSE(identify(bearer(some))->may_ask("c"));
  EXPECT_TRUE(identify(bearer("master"))->may_ask("c"));
}

}  // namespace
}  // namespace lichen::serving
