#include "model/remote/upstream_probe.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

namespace lichen::model {

namespace asio = boost::asio;

struct UpstreamProbe::Shared {
  const std::weak_ptr<Upstreams> upstreams;
  const std::vector<Host> hosts;
  const ProbeOptions options;
  const asio::any_io_executor io;
  std::stop_source stop;
};

UpstreamProbe::UpstreamProbe(std::shared_ptr<Upstreams> upstreams, std::vector<Host> hosts,
                             ProbeOptions options, asio::any_io_executor io)
    : shared_(std::make_shared<Shared>(upstreams, std::move(hosts), options, std::move(io))) {
  upstreams->on_unreachable([weak = std::weak_ptr(shared_)](std::size_t index) {
    const auto shared = weak.lock();
    if (!shared) return;
    const asio::any_io_executor strand = asio::make_strand(shared->io);
    asio::co_spawn(strand, watch(shared, index, strand), [](std::exception_ptr) {});
  });
}

UpstreamProbe::~UpstreamProbe() { shared_->stop.request_stop(); }

awaitable<void> UpstreamProbe::watch(std::shared_ptr<Shared> shared, std::size_t index,
                                     asio::any_io_executor strand) {
  std::minstd_rand random{std::random_device{}()};
  Watchdog watchdog(strand, shared->stop.get_token());
  while (watchdog.hit() != Bound::stopped) {
    const double part = std::uniform_real_distribution(0.75, 1.25)(random);
    const std::chrono::duration<double> pause = shared->options.interval;
    asio::steady_timer timer(
        strand, Clock::now() + std::chrono::duration_cast<Clock::duration>(part * pause));
    watchdog.on_hit([&timer] { timer.cancel(); });
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    watchdog.off();
    if (watchdog.hit() != Bound::none) co_return;

    Connection connection(shared->io);
    const auto until = Clock::now() + shared->options.connect_timeout;
    const auto reached =
        co_await connection.connect(shared->hosts[index], nullptr, until, watchdog);
    watchdog.end_phase();
    if (!reached) continue;
    if (const auto upstreams = shared->upstreams.lock()) upstreams->reachable(index);
    co_return;
  }
}

}  // namespace lichen::model
