// The faults that a single endpoint can have, each with what the caller must see.
#include <gmock/gmock.h>

#include <algorithm>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const auto kBusy = R"({"error":{"message":"slow down"}})";

/// One streamed request against a scripted endpoint.
struct Asked {
  explicit Asked(std::vector<Reply> replies, std::function<void(RemoteModelOptions&)> change = {},
                 std::optional<milliseconds> deadline = {})
      : upstream(std::move(replies)),
        at(upstream.url(), std::move(change)),
        turn("cloud", &pieces) {
    if (deadline) turn.deadline = Clock::now() + *deadline;
    answer = at.ask(turn);
  }
  Errc code() const { return answer ? Errc::internal : answer.error().code; }
  std::string detail() const { return answer ? "answered " + answer->text : answer.error().detail; }
  std::size_t requests() const { return upstream.requests().size(); }

  FakeUpstream upstream;
  Remotely at;
  Pieces pieces;
  Turn turn;
  Result<Answer> answer;
};

TEST(RemoteFaults, OneRateLimitWithRetryAfter) {
  const Asked asked({Reply::json(kBusy, 429, "Retry-After: 0.01\r\n"), Reply::chat({"ok"})});
  EXPECT_EQ(asked.detail(), "answered ok");
  EXPECT_EQ(asked.requests(), 2u);
  ASSERT_EQ(asked.turn.receipt.steps.size(), 1u);
  std::int64_t bytes = 0;
  for (const auto& request : asked.upstream.requests()) bytes += request.body.size();
  EXPECT_EQ(asked.turn.receipt.steps[0].bytes_sent, bytes);  // both attempts left the device
}

TEST(RemoteFaults, PersistentRateLimit) {
  const Asked asked({Reply::json(kBusy, 429, "Retry-After: 0.01\r\n")});
  EXPECT_EQ(asked.code(), Errc::rate_limited);
  EXPECT_EQ(asked.answer.error().retry_after_s, 0.01);
  EXPECT_THAT(asked.detail(), HasSubstr("slow down"));
  EXPECT_EQ(asked.requests(), 3u);
  EXPECT_EQ(asked.turn.receipt.steps.at(0).tokens_in, 0);  // nothing was worked on
}

TEST(RemoteFaults, ARateLimitTooLongToWaitForComesBackAtOnce) {
  const Asked asked({Reply::json(kBusy, 429, "Retry-After: 3600\r\n")});
  EXPECT_EQ(asked.code(), Errc::rate_limited);
  EXPECT_EQ(asked.answer.error().retry_after_s, 3600.0);
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, ARetryThatTheDeadlineForbidsIsNotWaitedFor) {
  const Asked asked({Reply::json(kBusy, 429, "Retry-After: 5\r\n")}, {}, milliseconds(2'000));
  EXPECT_EQ(asked.code(), Errc::rate_limited);
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, AnErrorOnce) {
  const Asked asked({Reply::json("{}", 500), Reply::chat({"ok"})});
  EXPECT_EQ(asked.detail(), "answered ok");
}

TEST(RemoteFaults, PersistentlyUnavailable) {
  const Asked asked({Reply::json(R"({"error":"loading"})", 503)});
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("503 (loading)"));
  EXPECT_EQ(asked.requests(), 3u);
}

TEST(RemoteFaults, RetriesCanBeSwitchedOff) {
  const Asked asked({Reply::json("{}", 503), Reply::chat({"ok"})},
                    [](auto& options) { options.retries = 0; });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, ResetBeforeTheHeader) {
  EXPECT_EQ(Asked({Reply::raw().reset(), Reply::chat({"ok"})}).detail(), "answered ok");
  const Asked always({Reply::raw().reset()});
  EXPECT_EQ(always.code(), Errc::upstream);
  EXPECT_EQ(always.requests(), 3u);
}

TEST(RemoteFaults, ResetAfterTheHeaderButBeforeTheFirstToken) {
  EXPECT_EQ(Asked({Reply::events().reset(), Reply::chat({"ok"})}).detail(), "answered ok");
}

TEST(RemoteFaults, NoResponse) {
  const Asked asked({Reply::raw().stall()},
                    [](auto& options) { options.headers_timeout = milliseconds(30); });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("within 30 ms (headers_timeout)"));
  EXPECT_EQ(asked.requests(), 1u);  // it may be at work on it: not asked again
  EXPECT_TRUE(asked.turn.receipt.steps.at(0).estimated);
  EXPECT_GT(asked.turn.receipt.steps[0].tokens_in, 0);
}

TEST(RemoteFaults, FirstTokenTooLate) {
  const Asked asked({Reply::events().send("d\r\n: keep-alive\n\r\n").stall()},
                    [](auto& options) { options.first_token_timeout = milliseconds(30); });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("within 30 ms (first_token_timeout)"));
}

TEST(RemoteFaults, SlowFirstTokenInTime) {
  EXPECT_EQ(Asked({Reply::events().wait(milliseconds(40)).delta("ok").finish().done()},
                  [](auto& options) { options.idle_timeout = milliseconds(5'000); })
                .detail(),
            "answered ok");
}

TEST(RemoteFaults, CutInTheMiddle) {
  for (const bool reset : {false, true}) {
    auto reply = Reply::events().delta("Hel").delta("lo");
    // A reset may overtake what was sent before it: it comes a little later.
    reply.wait(milliseconds(20));
    const Asked asked({reset ? reply.reset() : reply.close(), Reply::chat({"no"})});
    EXPECT_EQ(asked.code(), Errc::upstream);
    EXPECT_EQ(asked.requests(), 1u);  // something was written: a second answer could contradict it
    const auto& step = asked.turn.receipt.steps.at(0);
    EXPECT_TRUE(step.estimated);
    EXPECT_GT(step.tokens_in, 0);
    EXPECT_EQ(asked.pieces.text(), "Hello");
    EXPECT_EQ(step.tokens_out, 2);
  }
}

TEST(RemoteFaults, EndedCleanlyButTooEarly) {
  const Asked asked({Reply::events().delta("Hel").end()});
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("before the answer was finished"));
}

TEST(RemoteFaults, StallInTheMiddle) {
  const Asked asked({Reply::events().delta("Hel").stall()},
                    [](auto& options) { options.idle_timeout = milliseconds(30); });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("for 30 ms (idle_timeout)"));
  EXPECT_EQ(asked.pieces.text(), "Hel");
}

TEST(RemoteFaults, MalformedEvent) {
  const Asked asked({Reply::events().delta("Hel").event("{\"choices\": [").done()});
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("not JSON"));
}

TEST(RemoteFaults, EventWithoutEnd) {
  const Asked asked({Reply::events().chunks("data: " + std::string(5'000, 'x'), 1'000).stall()},
                    [](auto& options) { options.max_response_bytes = 2'000; });
  EXPECT_EQ(asked.code(), Errc::upstream);
}

TEST(RemoteFaults, AnAnswerOverItsLimit) {
  auto reply = Reply::events();
  for (int i = 0; i < 100; ++i) reply.delta("xxxxxxxxxx");
  const Asked asked({reply.finish().done()},
                    [](auto& options) { options.max_response_bytes = 2'000; });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("max_response_bytes"));
}

TEST(RemoteFaults, NoDoneAfterTheFinishIsFine) {
  EXPECT_EQ(Asked({Reply::events().delta("ok").finish().end()}).detail(), "answered ok");
  EXPECT_EQ(Asked({Reply::events().delta("ok").finish().close()}).detail(), "answered ok");
  EXPECT_EQ(Asked({Reply::events().delta("ok").finish().stall()},
                  [](auto& options) { options.idle_timeout = milliseconds(30); })
                .detail(),
            "answered ok");
}

TEST(RemoteFaults, DoneWithoutAnAnswer) {
  EXPECT_EQ(Asked({Reply::events().done()}).code(), Errc::upstream);
  EXPECT_EQ(Asked({Reply::json("{}")}).code(), Errc::upstream);
}

TEST(RemoteFaults, PromptLongerThanTheContext) {
  const Asked asked({Reply::json(
      R"({"error":{"message":"maximum context length is 8 tokens, you sent 9","code":"context_length_exceeded"}})",
      400)});
  EXPECT_EQ(asked.code(), Errc::context_overflow);
  EXPECT_THAT(asked.detail(), HasSubstr("8 tokens, you sent 9"));
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, ContentFilterIsNeverRetried) {
  const Asked asked({Reply::json(R"({"error":{"message":"no","code":"content_filter"}})", 400)});
  EXPECT_EQ(asked.code(), Errc::refused);
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, ContentFilterBeforeTheFirstWord) {
  const Asked asked({Reply::events().finish("content_filter").done()});
  EXPECT_EQ(asked.code(), Errc::refused);
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, ContentFilterInTheMiddleIsInTheReceipt) {
  const Asked asked({Reply::events().delta("Hel").finish("content_filter").done()});
  EXPECT_EQ(asked.detail(), "answered Hel");
  EXPECT_EQ(asked.answer->finish, Finish::content_filter);
  ASSERT_EQ(asked.turn.receipt.decisions.size(), 1u);
  EXPECT_EQ(asked.turn.receipt.decisions[0].choice, "content_filter");
}

TEST(RemoteFaults, AnErrorEventBeforeTheFirstTokenIsRetried) {
  const Asked asked({Reply::events().event(R"({"error":{"code":503,"message":"moved"}})").end(),
                     Reply::chat({"ok"})});
  EXPECT_EQ(asked.detail(), "answered ok");
}

TEST(RemoteFaults, AnErrorEventInTheMiddle) {
  const Asked asked(
      {Reply::events().delta("Hel").event(R"({"error":{"message":"out of memory"}})").end()});
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("out of memory"));
  EXPECT_EQ(asked.requests(), 1u);
}

TEST(RemoteFaults, AFlappingEndpointIsWorthThreeAttempts) {
  const Asked asked({Reply::json("{}", 502), Reply::raw().reset(), Reply::chat({"ok"})});
  EXPECT_EQ(asked.detail(), "answered ok");
  EXPECT_EQ(asked.turn.receipt.steps.at(0).model, "cloud");
  EXPECT_EQ(asked.turn.receipt.steps[0].tokens_in, 7);
}

TEST(RemoteFaults, TheDeadlineSaysSo) {
  const Asked asked({Reply::events().delta("Hel").stall()}, {}, milliseconds(60));
  EXPECT_EQ(asked.code(), Errc::deadline_exceeded);
  EXPECT_THAT(asked.detail(), HasSubstr("the request's deadline"));
}

TEST(RemoteFaults, TheTotalTimeoutSaysSo) {
  const Asked asked({Reply::events().delta("Hel").stall()},
                    [](auto& options) { options.total_timeout = milliseconds(60); });
  EXPECT_EQ(asked.code(), Errc::upstream);
  EXPECT_THAT(asked.detail(), HasSubstr("60 ms (total_timeout)"));
}

TEST(RemoteFaults, ADeadlineWhileWaitingForAConnection) {
  FakeUpstream upstream({Reply::raw().stall()});
  Remotely at(upstream.url(), [](auto& options) {
    options.max_connections = 1;
    options.total_timeout = milliseconds(200);
  });
  Turn first("cloud"), second("cloud");
  second.deadline = Clock::now() + milliseconds(60);
  auto held = boost::asio::co_spawn(at.io, at.model->answer({.prompt = "x"}, first),
                                    boost::asio::use_future);
  const auto answer = at.ask(second);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline_exceeded);
  EXPECT_FALSE(held.get());
  EXPECT_EQ(upstream.requests().size(), 1u);
  EXPECT_GT(second.receipt.steps.at(0).queued_ms, 0);
}

TEST(RemoteFaults, NobodyListens) {
  std::string url;
  {
    url = FakeUpstream({Reply::raw()}).url();
  }
  Remotely at(url);
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_THAT(answer.error().detail, HasSubstr("no connection to 127.0.0.1"));
  EXPECT_EQ(turn.receipt.steps.at(0).bytes_sent, 0);
}

TEST(RemoteFaults, ANameThatDoesNotExist) {
  Remotely at("http://nowhere.invalid/v1", [](auto& options) { options.retries = 0; });
  Turn turn("cloud");
  const auto answer = at.ask(turn);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::upstream);
  EXPECT_THAT(answer.error().detail, HasSubstr("nowhere.invalid"));
}

}  // namespace
}  // namespace lichen::model
