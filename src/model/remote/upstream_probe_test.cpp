#include "model/remote/upstream_probe.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "model/remote/remote_test.h"

namespace lichen::model {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

/// A port on which nobody listens, until `listen`.
class QuietPort {
 public:
  QuietPort() { socket_.bind({boost::asio::ip::address_v4::loopback(), 0}); }
  std::uint16_t number() const { return socket_.local_endpoint().port(); }
  void listen() { ::listen(socket_.native_handle(), 16); }

 private:
  boost::asio::io_context io_;
  tcp::socket socket_{io_, tcp::v4()};
};

class UpstreamProbeTest : public testing::Test {
 protected:
  void watch(const QuietPort& port) {
    upstreams =
        std::make_shared<Upstreams>(std::vector<Upstreams::Named>{{"host", 1}},
                                    UpstreamsOptions{.breaker = {.failures = 1}, .probed = true});
    probe.emplace(upstreams,
                  std::vector<Host>{{.name = "127.0.0.1", .port = std::to_string(port.number())}},
                  ProbeOptions{.interval = milliseconds(2)}, io.get_executor());
    auto lease = upstreams->pick(Traffic::whole, {});
    ASSERT_TRUE(lease);
    lease->failed({{Errc::upstream, "refused"}, true, Fault::unreachable});
    ASSERT_TRUE(upstreams->states()[0].open);
  }

  boost::asio::io_context io;
  std::shared_ptr<Upstreams> upstreams;
  std::optional<UpstreamProbe> probe;
};

TEST_F(UpstreamProbeTest, LetsTrafficReturnOnceSomebodyListens) {
  QuietPort port;
  watch(port);
  io.run_for(milliseconds(30));
  EXPECT_TRUE(upstreams->states()[0].open) << "refused, however often it tries";
  EXPECT_FALSE(upstreams->pick(Traffic::whole, {}));
  port.listen();
  io.restart();
  io.run();  // ends with the probe
  EXPECT_FALSE(upstreams->states()[0].open);
  EXPECT_TRUE(upstreams->pick(Traffic::whole, {}));
}

TEST_F(UpstreamProbeTest, EndsWithItsOwner) {
  QuietPort port;
  watch(port);
  std::jthread owner([this] { probe.reset(); });
  io.run();  // comes back although nobody ever listens
  EXPECT_TRUE(upstreams->states()[0].open);
}

TEST_F(UpstreamProbeTest, AModelReturnsWithoutARequestThatFails) {
  QuietPort port;
  Remotely at("http://127.0.0.1:" + std::to_string(port.number()) + "/v1", [](auto& options) {
    options.retries = 4;
    options.probe_interval = milliseconds(2);
  });
  const auto model = std::dynamic_pointer_cast<RemoteModel>(at.model);
  Turn turn("cloud");
  // Five attempts, and the breaker is open; `ask` comes back when the probe has ended.
  std::jthread opening([&] {
    while (!model->upstreams()[0].open) std::this_thread::yield();
    port.listen();
  });
  EXPECT_FALSE(at.ask(turn));
  EXPECT_FALSE(model->upstreams()[0].open);
}

}  // namespace
}  // namespace lichen::model
