#include "model/local_model.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <limits>

#include "model/text_stream.h"

namespace lichen::model {

namespace asio = boost::asio;

namespace {

/// `chosen` where the request says something, else the model's default.
Sampling with_defaults(Sampling chosen, const Sampling& defaults) {
  auto fill = [](auto& value, const auto& fallback) {
    if (!value) value = fallback;
  };
  fill(chosen.temperature, defaults.temperature);
  fill(chosen.top_k, defaults.top_k);
  fill(chosen.top_p, defaults.top_p);
  fill(chosen.min_p, defaults.min_p);
  fill(chosen.repetition_penalty, defaults.repetition_penalty);
  fill(chosen.presence_penalty, defaults.presence_penalty);
  fill(chosen.frequency_penalty, defaults.frequency_penalty);
  fill(chosen.seed, defaults.seed);
  return chosen;
}

}  // namespace

/// A request made ready for the lane.
struct LocalModel::Job {
  std::vector<Token> prompt;
  RenderedChat chat = {};
  std::unique_ptr<Sampler> sampler = {};
  std::vector<std::string> stops = {};
  std::int64_t max_tokens = 0;
  bool logprobs = false;
  int top_logprobs = 0;
  bool tools = false;
};

LocalModel::LocalModel(std::string name, std::shared_ptr<Lane> lane, LocalModelParts parts,
                       LocalModelOptions options)
    : name_(std::move(name)),
      lane_(std::move(lane)),
      parts_(std::move(parts)),
      options_(std::move(options)) {}

std::int64_t LocalModel::context_length() const {
  const Backend::Limits& limits = parts_.batcher->limits();
  return std::min(limits.length(), limits.train_length);
}

Result<std::shared_ptr<LocalModel>> LocalModel::with_adapter(const AdapterOptions& adapter) {
  Result<int> number = 0;
  lane_->call(
      [&] { number = parts_.batcher->backend().load_adapter(adapter.gguf, adapter.scale); });
  if (!number) return std::unexpected(number.error());
  auto model = std::make_shared<LocalModel>(name_ + "+" + adapter.name, lane_, parts_, options_);
  model->adapter_ = *number;
  return model;
}

Result<LocalModel::Job> LocalModel::prepare(Request request) const {
  Job job;
  if (request.prompt) {
    job.chat.prompt = std::move(*request.prompt);
  } else {
    Result<RenderedChat> chat = parts_.chat->render(request);
    if (!chat) return std::unexpected(chat.error());
    job.chat = std::move(*chat);
  }
  Result<std::vector<Token>> prompt = vocabulary().tokenize(job.chat.prompt, true);
  if (!prompt) return std::unexpected(prompt.error());
  job.prompt = std::move(*prompt);
  if (job.prompt.empty()) return fail(Errc::bad_request, "the prompt is empty");
  const auto size = static_cast<std::int64_t>(job.prompt.size());
  if (size >= context_length()) {
    return fail(Errc::context_overflow, "the prompt has " + std::to_string(size) +
                                            " tokens and leaves no room for an " +
                                            "answer: the context of " + name_ + " holds " +
                                            std::to_string(context_length()));
  }
  job.max_tokens = context_length() - size;
  if (request.max_tokens)
    job.max_tokens = std::min<std::int64_t>(job.max_tokens, *request.max_tokens);

  std::string grammar = job.chat.grammar;
  if (!request.format.free()) {
    Result<std::string> wanted = parts_.chat->grammar(request.format);
    if (!wanted) return std::unexpected(wanted.error());
    grammar = std::move(*wanted);
    job.chat.begun.clear();
  }
  for (const auto& [token, bias] : request.sampling.logit_bias) {
    if (token < 0 || token >= vocabulary().size()) {
      return fail(Errc::bad_request, "logit_bias names token " + std::to_string(token) + ", but " +
                                         name_ + " has tokens 0 to " +
                                         std::to_string(vocabulary().size() - 1));
    }
  }
  auto sampler = parts_.make_sampler(with_defaults(request.sampling, options_.sampling), grammar,
                                     job.chat.begun);
  if (!sampler) return std::unexpected(sampler.error());
  job.sampler = std::move(*sampler);
  job.stops = std::move(request.stop);
  job.stops.insert(job.stops.end(), job.chat.stops.begin(), job.chat.stops.end());
  job.logprobs = request.logprobs;
  job.top_logprobs = request.logprobs ? request.top_logprobs : 0;
  job.tools = !request.tools.empty() && !request.prompt;
  return job;
}

awaitable<Result<Answer>> LocalModel::answer(Request request, Turn& turn) {
  Result<Job> job = prepare(std::move(request));
  if (!job) co_return std::unexpected(job.error());
  co_return co_await asio::co_spawn(lane_->executor(), generate(std::move(*job), turn),
                                    asio::use_awaitable);
}

awaitable<Result<Answer>> LocalModel::generate(Job job, Turn& turn) {
  Session session = open_session(turn);
  TextStream text(job.stops);
  TextStream before_call(job.chat.call_starts);
  std::string shown;
  Answer answer;
  Piece piece{.text = {}, .model = name_};
  std::optional<Error> error;

  // Text goes to the sink as soon as it is certain, that of a reply which may hold tool calls as
  // long as no call can have begun.
  auto emit = [&](std::string ready) {
    answer.text += ready;
    if (!job.tools) {
      piece.text = std::move(ready);
    } else if (!job.chat.call_starts.empty()) {
      piece.text = before_call.push(ready);
    }
    shown += piece.text;
    return !piece.text.empty();
  };

  const Want want{.sampler = job.sampler.get(), .logprob = true, .top_k = job.top_logprobs};
  auto rows = co_await session.decode(job.prompt, want);
  for (;;) {
    if (!rows) {
      error = std::move(rows.error());
      break;
    }
    const Row& row = rows->front();
    const Token token = row.token;
    if (vocabulary().ends(token)) break;
    const std::string_view bytes = vocabulary().piece(token);
    AnswerToken& written = answer.tokens.emplace_back(std::string(bytes), row.logprob);
    for (const TokenProb& other : row.top) {
      written.top.push_back({std::string(vocabulary().piece(other.token)), other.logprob});
    }
    ++piece.tokens;
    if (job.logprobs) piece.logprobs.push_back(written);
    if (emit(text.push(bytes))) {
      Result<void> sent = co_await turn.emit(std::exchange(piece, {.text = {}, .model = name_}));
      if (!sent) {
        error = std::move(sent.error());
        break;
      }
    }
    if (text.stopped()) break;
    if (static_cast<std::int64_t>(answer.tokens.size()) >= job.max_tokens) {
      answer.finish = Finish::length;
      break;
    }
    rows = co_await session.decode(std::span(&token, 1), want);
  }
  if (!error && emit(text.finish())) {
    Result<void> sent = co_await turn.emit(std::exchange(piece, {.text = {}, .model = name_}));
    if (!sent) error = std::move(sent.error());
  }

  answer.prompt_tokens = static_cast<std::int64_t>(job.prompt.size());
  answer.cached_tokens = session.stats().tokens_cached;
  answer.completion_tokens = static_cast<std::int64_t>(answer.tokens.size());
  Step& step = add_step(turn, session, "answer");
  step.tokens_in = answer.prompt_tokens;
  step.tokens_out = answer.completion_tokens;
  if (options_.price) step.usd = options_.price->usd(step);
  if (error) co_return std::unexpected(std::move(*error));

  if (job.tools) {
    Result<ParsedReply> reply = parts_.chat->parse(job.chat, answer.text);
    if (!reply) co_return std::unexpected(reply.error());
    answer.tool_calls = std::move(reply->tool_calls);
    if (!answer.tool_calls.empty()) answer.finish = Finish::tool_calls;
    // Parsers trim; what has been shown stands.
    if (reply->content.starts_with(shown)) {
      answer.text = std::move(reply->content);
    } else if (!answer.tool_calls.empty()) {
      answer.text = shown;
    }
    piece.text = answer.text.substr(shown.size());
    if (Result<void> sent = co_await turn.emit(std::move(piece)); !sent) {
      co_return std::unexpected(sent.error());
    }
  }
  answer.authors = {{.model = name_,
                     .tokens = answer.completion_tokens,
                     .bytes = static_cast<std::int64_t>(answer.text.size())}};
  co_return answer;
}

awaitable<Result<Embeddings>> LocalModel::embed(std::vector<std::string> texts, Turn& turn) {
  std::vector<std::vector<Token>> tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Result<std::vector<Token>> text = vocabulary().tokenize(texts[i], true);
    if (!text) co_return std::unexpected(text.error());
    if (text->empty()) {
      co_return fail(Errc::bad_request, "input " + std::to_string(i) + " is empty");
    }
    if (static_cast<std::int64_t>(text->size()) > context_length()) {
      co_return fail(Errc::context_overflow, "input " + std::to_string(i) + " has " +
                                                 std::to_string(text->size()) +
                                                 " tokens; the context of " + name_ + " holds " +
                                                 std::to_string(context_length()));
    }
    tokens.push_back(std::move(*text));
  }
  co_return co_await asio::co_spawn(lane_->executor(), embed_on_lane(std::move(tokens), turn),
                                    asio::use_awaitable);
}

/// The mean of the last hidden states of all tokens, scaled to unit length.
awaitable<Result<Embeddings>> LocalModel::embed_on_lane(std::vector<std::vector<Token>> texts,
                                                        Turn& turn) {
  constexpr std::size_t kChunk = 64;  // bounds what is copied at once
  Embeddings embeddings;
  for (const std::vector<Token>& text : texts) {
    Session session = open_session(turn);
    std::vector<float> mean;
    std::optional<Error> error;
    for (std::size_t begin = 0; begin < text.size() && !error; begin += kChunk) {
      const auto chunk = std::span(text).subspan(begin, std::min(kChunk, text.size() - begin));
      auto rows = co_await session.decode(chunk, {.rows = Want::Rows::all, .hidden = true});
      if (!rows) {
        error = std::move(rows.error());
        break;
      }
      for (const Row& row : *rows) {
        mean.resize(row.hidden.size());
        std::ranges::transform(mean, row.hidden, mean.begin(), std::plus{});
      }
    }
    Step& step = add_step(turn, session, "embed");
    step.tokens_in = static_cast<std::int64_t>(text.size());
    if (options_.price) step.usd = options_.price->usd(step);
    if (error) co_return std::unexpected(std::move(*error));
    double square = 0;
    for (float x : mean) square += static_cast<double>(x) * x;
    const auto scale = static_cast<float>(1 / std::max(std::sqrt(square), 1e-12));
    for (float& x : mean) x *= scale;
    embeddings.push_back(std::move(mean));
  }
  co_return embeddings;
}

Step& LocalModel::add_step(Turn& turn, const Session& session, std::string role) const {
  const SessionStats& stats = session.stats();
  return turn.receipt.steps.emplace_back(Step{.model = name_,
                                              .role = std::move(role),
                                              .tokens_cached = stats.tokens_cached,
                                              .queued_ms = stats.queued_ms,
                                              .prefill_ms = stats.prefill_ms,
                                              .decode_ms = stats.decode_ms,
                                              .joules = stats.joules});
}

}  // namespace lichen::model
