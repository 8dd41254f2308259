#include "mechanisms/distillation/collect.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "mechanisms/prompts.h"
#include "mechanisms/side_by_side.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// On a strand.
class Collection {
 public:
  Collection(const Teacher& teacher, const std::vector<TeacherQuestion>& questions,
             CaptureWriter& capture, CollectOptions options)
      : teacher_(teacher), questions_(questions), capture_(capture), options_(std::move(options)) {}

  awaitable<Result<Collected>> run() {
    std::vector<awaitable<void>> work;
    for (int i = 0; i < std::max(1, options_.concurrency); ++i) work.push_back(take_turns());
    co_await side_by_side(std::move(work));
    if (!written_) co_return std::unexpected(written_.error());
    co_return collected_;
  }

 private:
  awaitable<void> take_turns() {
    while (next_ < questions_.size() && written_ && !options_.stop.stop_requested()) {
      const TeacherQuestion& question = questions_[next_++];
      if (capture_.has(capture_key(question.messages))) {
        ++collected_.known;
      } else {
        co_await ask(question);
      }
      ++collected_.asked;
      if (options_.progress) options_.progress(collected_);
    }
  }

  awaitable<void> ask(const TeacherQuestion& question) {
    Result<TaughtAnswer> taught = co_await answer_of(question);
    if (!taught) {
      if (options_.stop.stop_requested()) co_return;
      ++collected_.failed[std::string(to_string(taught.error().code))];
      collected_.last_error = taught.error().detail;
      co_return;
    }
    if (!is_wanted(question, taught->answer)) {
      ++collected_.wrong;
      co_return;
    }
    const std::uint64_t before = capture_.tokens();
    written_ = capture_.add(*taught);
    if (!written_) co_return;
    ++collected_.kept;
    collected_.tokens += static_cast<std::int64_t>(capture_.tokens() - before);
  }

  bool is_wanted(const TeacherQuestion& question, const Answer& answer) const {
    return options_.keep_wrong || !question.right || question.right(answer.text);
  }

  /// An answer that is not wanted has no more than its text.
  awaitable<Result<TaughtAnswer>> answer_of(const TeacherQuestion& question) {
    TaughtAnswer taught{.id = question.id, .messages = question.messages};
    Request request{.messages = question.messages,
                    .sampling = options_.sampling,
                    .max_tokens = options_.max_tokens};
    Turn turn("");
    const std::stop_callback cancel(options_.stop, [&turn] { turn.cancel(); });
    if (question.answer) {
      taught.answer.text = *question.answer;
    } else {
      if (teacher_.scorer == nullptr) {
        request.logprobs = options_.alternatives > 0;
        request.top_logprobs = options_.alternatives;
      }
      Result<Answer> answer = co_await teacher_.answerer->answer(request, turn);
      if (!answer) co_return std::unexpected(std::move(answer).error());
      taught.answer = *std::move(answer);
    }
    if (!is_wanted(question, taught.answer)) co_return taught;
    if (teacher_.scorer != nullptr) {
      const auto scored = co_await teacher_.scorer->score(request, taught.answer, turn);
      if (!scored) co_return std::unexpected(scored.error());
    }
    if (options_.rationale) {
      Result<std::string> rationale = co_await rationale_of(question);
      if (!rationale) co_return std::unexpected(std::move(rationale).error());
      taught.rationale = *std::move(rationale);
    }
    co_return taught;
  }

  awaitable<Result<std::string>> rationale_of(const TeacherQuestion& question) {
    Request request{.messages = question.messages, .max_tokens = options_.max_tokens};
    if (request.messages.empty()) co_return std::string();
    std::string& asked = request.messages.back().content;
    Result<std::string> words = render("rationale", {{"question", asked}});
    if (!words) co_return std::unexpected(std::move(words).error());
    asked = *std::move(words);
    Turn turn("");
    const std::stop_callback cancel(options_.stop, [&turn] { turn.cancel(); });
    Result<Answer> answer = co_await teacher_.answerer->answer(std::move(request), turn);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    co_return std::move(answer->text);
  }

  const Teacher& teacher_;
  const std::vector<TeacherQuestion>& questions_;
  CaptureWriter& capture_;
  const CollectOptions options_;
  std::size_t next_ = 0;
  Collected collected_;
  Result<void> written_ = {};
};

}  // namespace

awaitable<Result<Collected>> collect(const Teacher& teacher,
                                     const std::vector<TeacherQuestion>& questions,
                                     CaptureWriter& capture, CollectOptions options) {
  const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
  Collection collection(teacher, questions, capture, std::move(options));
  co_return co_await asio::co_spawn(strand, collection.run(), asio::use_awaitable);
}

}  // namespace lichen::mechanisms
