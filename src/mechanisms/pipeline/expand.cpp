#include "mechanisms/pipeline/expand.h"

#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <string>
#include <utility>

#include "mechanisms/auxiliary/reworded.h"
#include "mechanisms/hand_over.h"
#include "mechanisms/pipeline/expansion.h"
#include "mechanisms/plain_answerers.h"
#include "mechanisms/whole_number.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

class Expand : public Answerer {
 public:
  Expand(ExpansionOptions options, AnswererPtr plain)
      : options_(std::move(options)), plain_(std::move(plain)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    if (Result<Request> fits = reworded(request, {}, "expand"); !fits) {
      co_return std::unexpected(std::move(fits).error());
    }
    if (!request.format.free() || !request.tools.empty() || !request.begun.empty()) {
      const bool begun = !request.begun.empty();
      turn.receipt.decisions.push_back({.mechanism = "expand",
                                        .choice = "plain",
                                        .reason = begun
                                                      ? "an answer that was begun is gone on with"
                                                      : "an answer of a given form has no points"});
      co_return co_await plain_->answer(std::move(request), turn);
    }
    Expansion expansion(options_, request, turn,
                        asio::make_strand(co_await asio::this_coro::executor));
    Result<std::optional<Answer>> answer = co_await expansion.answer();
    if (answer && *answer) co_return **std::move(answer);
    if (answer) co_return co_await plain_->answer(std::move(request), turn);
    const bool instead = !expansion.outlined() && options_.fallback != nullptr;
    if (!instead || is_final(answer.error(), turn)) co_return std::unexpected(answer.error());
    co_return co_await options_.fallback->answer(std::move(request), turn);
  }

 private:
  const ExpansionOptions options_;
  const AnswererPtr plain_;  // large, and where it fails the fallback
};

}  // namespace

Result<AnswererPtr> build_expand(Options& options) {
  constexpr int kPoints = 12, kMostPoints = 64;
  constexpr int kOutlineTokens = 128, kPointTokens = 256, kMostTokens = 100'000;
  constexpr std::string_view kBegin[] = {"outline", "line"};
  Result<AnswererPtr> outline = options.operand("outline");
  if (!outline) return std::unexpected(outline.error());
  Result<AnswererPtr> by = options.operand("by");
  if (!by) return std::unexpected(by.error());
  auto plainly = read_fallback(options, "outline", *outline);
  if (!plainly) return std::unexpected(plainly.error());
  const Result<std::string> begin = options.choice("begin", kBegin, kBegin[0]);
  if (!begin) return std::unexpected(begin.error());
  const Result<double> accept = options.number("accept", 0, 0, 1);
  if (!accept) return std::unexpected(accept.error());
  const Result<int> points = whole_number(options, "points", kPoints, 2, kMostPoints);
  if (!points) return std::unexpected(points.error());
  const auto outline_tokens =
      whole_number(options, "outline_tokens", kOutlineTokens, 1, kMostTokens);
  if (!outline_tokens) return std::unexpected(outline_tokens.error());
  const auto point_tokens = whole_number(options, "point_tokens", kPointTokens, 1, kMostTokens);
  if (!point_tokens) return std::unexpected(point_tokens.error());
  return std::make_shared<Expand>(ExpansionOptions{.outline = *std::move(outline),
                                                   .by = *std::move(by),
                                                   .fallback = std::move(plainly->fallback),
                                                   .accept = *accept,
                                                   .points = *points,
                                                   .outline_tokens = *outline_tokens,
                                                   .point_tokens = *point_tokens,
                                                   .early = *begin == "line"},
                                  std::move(plainly->plain));
}

}  // namespace lichen::mechanisms
