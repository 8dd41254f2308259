// What tests on real weights share: the small one of the bundled pair, and edited copies of it.
#pragma once

#include <ggml.h>
#include <gguf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/open_local_model.h"

namespace lichen::model {

inline constexpr const char* kSmall = LICHEN_SOURCE_DIR "/models/lichen-small.gguf";

class LlamaTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lane_ = *open_lane({.name = "cpu", .threads = 2});
    small_ = *open_local_model("small", {.gguf = kSmall, .threads = 1}, lane_);
  }
  static void TearDownTestSuite() {
    small_.reset();
    lane_.reset();
  }

  /// All at once: the lane waits until it has every request.
  static std::vector<Result<Answer>> ask(LocalModel& model, std::vector<Request> requests) {
    boost::asio::io_context io;
    std::promise<void> all_there;
    boost::asio::post(lane_->executor(),
                      [ready = all_there.get_future().share()] { ready.wait(); });
    std::vector<std::unique_ptr<Turn>> turns;
    std::vector<std::future<Result<Answer>>> futures;
    for (Request& request : requests) {
      turns.push_back(std::make_unique<Turn>("small"));
      futures.push_back(boost::asio::co_spawn(io, model.answer(std::move(request), *turns.back()),
                                              boost::asio::use_future));
    }
    io.poll();
    all_there.set_value();
    io.run();
    std::vector<Result<Answer>> answers;
    for (auto& future : futures) answers.push_back(future.get());
    return answers;
  }

  static Result<Answer> ask(LocalModel& model, Request request) {
    return ask(model, std::vector<Request>{std::move(request)}).front();
  }
  static Result<Answer> ask(Request request) { return ask(*small_, std::move(request)); }

  static Request question(std::string text) {
    Request request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    return request;
  }

  /// A copy of the small model's file with its metadata changed.
  static std::filesystem::path edited_copy(const std::string& name,
                                           const std::function<void(gguf_context*)>& edit) {
    // Tests run side by side, each in a process of its own.
    const auto path =
        std::filesystem::path(::testing::TempDir()) / (std::to_string(getpid()) + "-" + name);
    ggml_context* tensors = nullptr;
    gguf_context* original = gguf_init_from_file(kSmall, {.no_alloc = false, .ctx = &tensors});
    gguf_context* copy = gguf_init_empty();
    gguf_set_kv(copy, original);
    edit(copy);
    for (ggml_tensor* tensor = ggml_get_first_tensor(tensors); tensor != nullptr;
         tensor = ggml_get_next_tensor(tensors, tensor)) {
      if (gguf_find_tensor(original, ggml_get_name(tensor)) >= 0) gguf_add_tensor(copy, tensor);
    }
    gguf_write_to_file(copy, path.c_str(), false);
    gguf_free(copy);
    gguf_free(original);
    ggml_free(tensors);
    return path;
  }

  static std::shared_ptr<LocalModel> open(const std::filesystem::path& gguf) {
    auto model = open_local_model("edited", {.gguf = gguf, .threads = 1}, lane_);
    EXPECT_TRUE(model.has_value()) << model.error().detail;
    return *model;
  }

  static inline std::shared_ptr<Lane> lane_;
  static inline std::shared_ptr<LocalModel> small_;
};

}  // namespace lichen::model
