#include "mechanisms/routing/token_head_training.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <utility>

#include "mechanisms/routing/lbfgs.h"
#include "mechanisms/routing/logistic.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;

constexpr std::size_t kLeastLessons = 100;
constexpr double kPenalty = 10;  // on half the sum of squared weights
constexpr int kIterations = 100;

/// Prompt and answer as small reads them.
struct Passage {
  std::vector<Token> tokens;
  std::size_t prompt = 0;  // of these
  bool ended = false;
};

/// The rows of the prompt teach nothing but for its last one, so they are not computed.
awaitable<Result<std::vector<TokenLesson>>> on_lane(std::shared_ptr<LocalModel> small,
                                                    Passage passage, Turn& turn) {
  Session session = small->open_session(turn);
  const std::span<const Token> all(passage.tokens);
  const auto before = all.first(passage.prompt - 1);
  const auto read = all.subspan(before.size());
  if (!before.empty()) {
    Want nothing;
    nothing.rows = Want::Rows::none;
    const auto rows = co_await session.decode(before, nothing);
    if (!rows) co_return std::unexpected(rows.error());
  }
  Want look = kTokenLook;
  look.rows = Want::Rows::all;
  const auto rows = co_await session.decode(read, look);
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<TokenLesson> lessons;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Row& row = (*rows)[i];
    const bool last = i + 1 == read.size();
    if (last && !passage.ended) break;
    const bool unlike = last ? !small->vocabulary().ends(row.token) : row.token != read[i + 1];
    lessons.push_back({.features = token_features(row), .unlike = unlike});
  }
  co_return lessons;
}

void learn_scales(std::span<const TokenLesson> lessons, TokenHead& head) {
  const auto n = static_cast<double>(lessons.size());
  for (std::size_t j = 0; j < lessons.front().features.size(); ++j) {
    double sum = 0, squares = 0;
    for (const TokenLesson& lesson : lessons) sum += lesson.features[j];
    const double mean = sum / n;
    for (const TokenLesson& lesson : lessons) {
      squares += (lesson.features[j] - mean) * (lesson.features[j] - mean);
    }
    const double deviation = std::sqrt(squares / n);
    head.mean.push_back(mean);
    head.scale.push_back(deviation > 1e-6 ? 1 / deviation : 0);
  }
}

/// Each lesson's standardized features, one after the other.
std::vector<float> inputs_of(std::span<const TokenLesson> lessons, const TokenHead& head) {
  std::vector<float> inputs;
  inputs.reserve(lessons.size() * head.mean.size());
  for (const TokenLesson& lesson : lessons) {
    for (std::size_t j = 0; j < head.mean.size(); ++j) {
      inputs.push_back(static_cast<float>((lesson.features[j] - head.mean[j]) * head.scale[j]));
    }
  }
  return inputs;
}

/// The bias is the last of the weights.
double loss(std::span<const TokenLesson> lessons, const std::vector<float>& inputs,
            const std::vector<double>& weights, std::vector<double>& gradient) {
  const std::size_t width = weights.size() - 1;
  double value = 0;
  for (std::size_t j = 0; j < width; ++j) {
    value += kPenalty / 2 * weights[j] * weights[j];
    gradient[j] = kPenalty * weights[j];
  }
  gradient.back() = 0;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    const float* input = &inputs[i * width];
    double z = weights.back();
    for (std::size_t j = 0; j < width; ++j) z += weights[j] * input[j];
    const double label = lessons[i].unlike ? 1 : 0;
    value += cross_entropy(z, label);
    const double error = logistic(z) - label;
    for (std::size_t j = 0; j < width; ++j) gradient[j] += error * input[j];
    gradient.back() += error;
  }
  return value;
}

Result<void> check(std::span<const TokenLesson> lessons) {
  const auto unlike = std::ranges::count_if(lessons, &TokenLesson::unlike);
  if (lessons.size() >= kLeastLessons && unlike > 0 && unlike < std::ssize(lessons)) return {};
  return fail(
      Errc::bad_request,
      fmt::format("{} tokens, at {} of which small would have written another than large: a "
                  "head is learned from at least {}, of which some are alike and some are "
                  "not; more prompts (--limit) give more",
                  lessons.size(), unlike, kLeastLessons));
}

}  // namespace

awaitable<Result<std::vector<TokenLesson>>> read_token_lessons(std::shared_ptr<LocalModel> small,
                                                               Request request, std::string text,
                                                               bool ended, Turn& turn) {
  const auto answer = small->vocabulary().tokenize(text, false);
  if (!answer) co_return std::unexpected(answer.error());
  request.begun = std::move(text);
  request.max_tokens.reset();
  auto job = co_await small->prepare(std::move(request));
  if (!job) co_return std::unexpected(job.error());
  Passage passage{.tokens = std::move(job->prompt), .ended = ended};
  passage.prompt = passage.tokens.size() - answer->size();
  co_return co_await asio::co_spawn(small->lane().executor(),
                                    on_lane(small, std::move(passage), turn), asio::use_awaitable);
}

Result<TokenHead> train_token_head(std::span<const TokenLesson> lessons,
                                   const HeadTraining& options) {
  if (auto good = check(lessons); !good) return std::unexpected(good.error());
  TokenHead head{.tokens = static_cast<std::int64_t>(lessons.size())};
  learn_scales(lessons, head);
  const std::vector<float> inputs = inputs_of(lessons, head);
  int evaluations = 0;
  const auto objective = [&](const std::vector<double>& weights, std::vector<double>& gradient) {
    if (options.progress) {
      options.progress(std::min(1.0, ++evaluations / static_cast<double>(kIterations)));
    }
    return loss(lessons, inputs, weights, gradient);
  };
  head.weights = minimize(objective, std::vector<double>(head.mean.size() + 1),
                          {.iterations = kIterations, .stop = options.stop});
  if (options.stop.stop_requested()) return fail(Errc::cancelled, "training was interrupted");
  head.bias = head.weights.back();
  head.weights.pop_back();
  return head;
}

}  // namespace lichen::mechanisms
