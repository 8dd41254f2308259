// Ctrl-C for work that runs on the main thread, with no runtime beside it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <stop_token>
#include <thread>

#include "cli/host.h"

namespace lichen::cli {

/// Ctrl-C asks for a stop while this lives.
class StopOnSignal {
 public:
  ~StopOnSignal() { io_.stop(); }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  boost::asio::io_context io_{1};
  CancelOnSignal watch_{io_, [this] { stop_.request_stop(); }};
  std::jthread thread_{[this] { io_.run(); }};
};

}  // namespace lichen::cli
