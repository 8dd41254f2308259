#include "mechanisms/fusion/answer_segments.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "mechanisms/auxiliary/end_reader.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;
using model::LocalModel;

struct Passage {
  std::vector<Token> prompt;  // without its last token
  std::vector<Token> answer;  // behind that one
};

awaitable<Result<ReadAnswer>> on_lane(std::shared_ptr<LocalModel> model, Passage passage,
                                      Turn& turn) {
  Session session = model->open_session(turn);
  if (!passage.prompt.empty()) {
    const Want nothing{.rows = Want::Rows::none};
    const auto rows = co_await session.decode(passage.prompt, nothing);
    if (!rows) co_return std::unexpected(rows.error());
  }
  const std::vector<Token> ends = ends_of(model->vocabulary());
  EndReader end(ends);
  const Want want{.rows = Want::Rows::all, .sampler = &end, .input_logprobs = true};
  const auto rows = co_await session.decode(passage.answer, want);
  if (!rows) co_return std::unexpected(rows.error());
  ReadAnswer read{.ends = {}, .logprobs = {}, .end = end.logprob()};
  std::size_t at = 0;
  for (std::size_t i = 1; i < passage.answer.size(); ++i) {
    at += model->vocabulary().piece(passage.answer[i]).size();
    read.ends.push_back(at);
    read.logprobs.push_back(static_cast<double>((*rows)[i - 1].input_logprob));
  }
  co_return read;
}

}  // namespace

awaitable<Result<ReadAnswer>> read_answer(std::shared_ptr<LocalModel> model, Request request,
                                          std::string text, Turn& turn) {
  auto answer = model->vocabulary().tokenize(text, false);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  request.max_tokens.reset();
  auto job = co_await model->prepare(std::move(request));
  if (!job) co_return std::unexpected(std::move(job.error()));
  Passage passage{.prompt = std::move(job->prompt), .answer = *std::move(answer)};
  passage.answer.insert(passage.answer.begin(), passage.prompt.back());
  passage.prompt.pop_back();
  co_return co_await asio::co_spawn(model->lane().executor(),
                                    on_lane(model, std::move(passage), turn), asio::use_awaitable);
}

std::vector<Segment> common_segments(std::span<const ReadAnswer> readings) {
  std::vector<Segment> segments;
  Segment segment{.logprobs = std::vector<double>(readings.size())};
  std::vector<std::size_t> next(readings.size());  // token of each
  for (const std::size_t end : readings.front().ends) {
    bool common = true;
    for (std::size_t i = 0; i < readings.size(); ++i) {
      const ReadAnswer& read = readings[i];
      for (; next[i] < read.ends.size() && read.ends[next[i]] <= end; ++next[i]) {
        segment.logprobs[i] += read.logprobs[next[i]];
      }
      common = common && next[i] > 0 && read.ends[next[i] - 1] == end;
    }
    if (common) segments.push_back(std::exchange(segment, {std::vector<double>(readings.size())}));
  }
  for (std::size_t i = 0; i < readings.size(); ++i) segment.logprobs[i] += readings[i].end;
  segments.push_back(std::move(segment));
  return segments;
}

}  // namespace lichen::mechanisms
