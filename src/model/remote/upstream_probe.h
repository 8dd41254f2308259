// Finds out in the background when an endpoint that nobody could connect to is there again, so that
// no request pays for it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "model/remote/connection.h"
#include "model/remote/upstreams.h"

namespace lichen::model {

struct ProbeOptions {
  std::chrono::milliseconds interval{5'000};  // a quarter more or less, at random
  std::chrono::milliseconds connect_timeout{5'000};
};

/// Connects and hangs up: nothing is sent. Ends when it is destroyed. Safe from any thread.
class UpstreamProbe {
 public:
  /// `hosts`: of the upstreams, by index. `io` carries the connections.
  UpstreamProbe(std::shared_ptr<Upstreams> upstreams, std::vector<Host> hosts, ProbeOptions options,
                boost::asio::any_io_executor io);
  ~UpstreamProbe();
  UpstreamProbe(const UpstreamProbe&) = delete;
  UpstreamProbe& operator=(const UpstreamProbe&) = delete;

 private:
  struct Shared;
  static awaitable<void> watch(std::shared_ptr<Shared> shared, std::size_t index,
                               boost::asio::any_io_executor strand);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace lichen::model
