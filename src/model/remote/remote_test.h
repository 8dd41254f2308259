// What the tests of this folder share: a sink that keeps what it gets, and a way to run one call.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "lichen/answerer.h"
#include "model/remote/fake_upstream.h"
#include "model/remote_model.h"

namespace lichen::model {

class Pieces : public Sink {
 public:
  awaitable<bool> write(Piece piece) override {
    EXPECT_TRUE(base::valid_utf8(piece.text)) << piece.text;
    all.push_back(std::move(piece));
    if (on_piece) on_piece();
    co_return listening;
  }
  std::string text() const {
    std::string whole;
    for (const auto& piece : all) whole += piece.text;
    return whole;
  }
  std::vector<Piece> all;
  std::function<void()> on_piece;
  bool listening = true;
};

/// A model against a fake endpoint, with patience cut to what a test can wait for.
struct Remotely {
  explicit Remotely(const std::string& url, std::function<void(RemoteModelOptions&)> change = {}) {
    RemoteModelOptions options{.url = url, .model = "big-1"};
    options.retry_backoff = std::chrono::milliseconds(1);
    if (change) change(options);
    auto opened = open_remote_model("cloud", options, io.get_executor());
    EXPECT_TRUE(opened) << opened.error().detail;
    if (opened) model = *opened;
  }

  /// Runs `work` to its end, with all handlers that it left behind.
  template <class T>
  Result<T> run(awaitable<Result<T>> work) {
    auto future = boost::asio::co_spawn(io, std::move(work), boost::asio::use_future);
    io.restart();
    io.run();
    return future.get();
  }
  Result<Answer> ask(Request request, Turn& turn) {
    return run(model->answer(std::move(request), turn));
  }
  Result<Answer> ask(Turn& turn) { return ask({.messages = {{"user", "What is 12 + 30?"}}}, turn); }

  boost::asio::io_context io;
  ModelPtr model;
};

}  // namespace lichen::model
