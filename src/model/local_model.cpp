#include "model/local_model.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <limits>

#include "base/document.h"
#include "base/sha256.h"

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
  chosen.logit_bias.insert(defaults.logit_bias.begin(), defaults.logit_bias.end());
  return chosen;
}

/// Prompts above this size are rendered and tokenized on threads of their own: a megabyte takes a
/// second, in which the caller's thread would serve nobody else.
constexpr std::size_t kLongPrompt = 16 * 1'024;  // bytes

/// Whether its prompt may be made on a thread that others wait for. Tools and formats become
/// grammars, which takes longer than as much text.
bool is_quick(const Request& request) {
  std::size_t bytes = base::text_bytes(request);
  for (const Message& message : request.messages) {
    if (!message.tool_calls.empty()) return false;
    bytes += message.reasoning.size() + message.name.size();
  }
  return request.tools.empty() && request.format.free() && bytes <= kLongPrompt;
}

Result<Row> last_of(Result<std::vector<Row>> rows) {
  if (!rows) return std::unexpected(std::move(rows.error()));
  return std::move(rows->back());
}

}  // namespace

Result<void> check_logit_bias(const Sampling& sampling, const Vocabulary& vocabulary) {
  for (const auto& [token, bias] : sampling.logit_bias) {
    if (token < 0 || token >= vocabulary.size()) {
      return fail(Errc::bad_config, "logit_bias names token " + std::to_string(token) +
                                        ", but there are tokens 0 to " +
                                        std::to_string(vocabulary.size() - 1));
    }
  }
  return {};
}

/// Lane's thread only, once its session has begun.
struct Reading::State {
  PreparedRequest job;
  Session session;
  Lane* lane;
  Result<Row> row = Row();
  std::optional<SessionStats> told = {};  // what a step of the receipt has said already
};

Reading::Reading(std::unique_ptr<State> state) : state_(state.release()) {}

void Reading::OnLane::operator()(State* state) const {
  std::unique_ptr<State> owned(state);
  Lane& lane = *owned->lane;
  if (!lane.here()) asio::post(lane.executor(), [owned = std::move(owned)] {});
}

std::int64_t Reading::prompt_tokens() const {
  return static_cast<std::int64_t>(state_->job.prompt.size());
}
const Row& Reading::row() const { return *state_->row; }

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
  const Result<int> number = load(adapter);
  if (!number) return std::unexpected(number.error());
  auto model = std::make_shared<LocalModel>(name_ + "+" + adapter.name, lane_, parts_, options_);
  model->adapter_ = *number;
  model->adapter_options_ = adapter;
  return model;
}

Result<int> LocalModel::load(const AdapterOptions& adapter) {
  Result<int> number = 0;
  lane_->call(
      [&] { number = parts_.batcher->backend().load_adapter(adapter.gguf, adapter.scale); });
  return number;
}

Result<void> LocalModel::use_adapter(std::optional<AdapterOptions> adapter) {
  const Result<int> number = adapter ? load(*adapter) : Result<int>(0);
  if (!number) return std::unexpected(number.error());
  std::lock_guard lock(adapter_mutex_);
  adapter_options_ = std::move(adapter);
  adapter_ = *number;
  return {};
}

Result<std::string> LocalModel::file_hash() const {
  const auto adapter = [this] {
    std::lock_guard lock(adapter_mutex_);
    return adapter_options_;
  }();
  Result<std::string> base = base::file_identity(options_.gguf);
  if (!base || !adapter) return base;
  const Result<std::string> added = base::file_identity(adapter->gguf);
  if (!added) return added;
  return base::sha256_hex(*base + *added + std::to_string(adapter->scale));
}

Result<std::vector<Token>> LocalModel::read_prompt(Request& request, RenderedChat& chat) const {
  Result<Request> read = base::with_document_read(std::move(request));
  if (!read) return std::unexpected(read.error());
  request = *std::move(read);
  if (request.prompt) {
    chat.prompt = std::move(*request.prompt);
  } else {
    Result<RenderedChat> rendered = parts_.chat->render(request);
    if (!rendered) return std::unexpected(rendered.error());
    chat = std::move(*rendered);
  }
  Result<std::vector<Token>> prompt = vocabulary().tokenize(chat.prompt, true);
  if (!prompt || request.begun.empty()) return prompt;
  if (!request.tools.empty()) {
    return fail(Errc::unsupported, "an answer that another has begun cannot have tools");
  }
  const Result<std::vector<Token>> begun = vocabulary().tokenize(request.begun, false);
  if (!begun) return begun;
  prompt->insert(prompt->end(), begun->begin(), begun->end());
  return prompt;
}

Result<PreparedRequest> LocalModel::prepare_here(Request request) const {
  PreparedRequest job;
  AnswerForm& form = job.form;
  Result<std::vector<Token>> prompt = read_prompt(request, form.chat);
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
  form.max_tokens = context_length() - size;
  if (request.max_tokens)
    form.max_tokens = std::min<std::int64_t>(form.max_tokens, *request.max_tokens);

  std::string grammar = form.chat.grammar;
  if (!request.format.free()) {
    Result<std::string> wanted = parts_.chat->grammar(request.format);
    if (!wanted) return std::unexpected(wanted.error());
    grammar = std::move(*wanted);
    form.chat.begun = std::move(request.begun);
  }
  const Sampling sampling = with_defaults(std::move(request.sampling), options_.sampling);
  Result<void> bias = check_logit_bias(sampling, vocabulary());
  if (!bias) return fail(Errc::bad_request, name_ + ": " + bias.error().detail);
  auto sampler = parts_.make_sampler(sampling, grammar, form.chat.begun);
  if (!sampler) return std::unexpected(sampler.error());
  job.sampler = std::move(*sampler);
  job.sampling = sampling;
  form.stops = std::move(request.stop);
  form.stops.insert(form.stops.end(), form.chat.stops.begin(), form.chat.stops.end());
  form.logprobs = request.logprobs;
  form.top_logprobs = request.logprobs ? request.top_logprobs : 0;
  form.tools = !request.tools.empty() && !request.prompt;
  return job;
}

awaitable<Result<PreparedRequest>> LocalModel::prepare_elsewhere(Request request) const {
  co_return prepare_here(std::move(request));
}

awaitable<Result<PreparedRequest>> LocalModel::prepare(Request request) const {
  if (is_quick(request)) co_return prepare_here(std::move(request));
  co_return co_await asio::co_spawn(asio::system_executor(), prepare_elsewhere(std::move(request)),
                                    asio::use_awaitable);
}

Step LocalModel::step_of(const Session& session, std::string role, std::int64_t tokens_in,
                         std::int64_t tokens_out) const {
  const SessionStats& stats = session.stats();
  Step step{.model = name_,
            .role = std::move(role),
            .tokens_in = tokens_in,
            .tokens_out = tokens_out,
            .tokens_cached = stats.tokens_cached,
            .queued_ms = stats.queued_ms,
            .prefill_ms = stats.prefill_ms,
            .decode_ms = stats.decode_ms,
            .joules = stats.joules};
  if (options_.price) step.usd = options_.price->usd(step);
  return step;
}

awaitable<Result<Answer>> LocalModel::answer(Request request, Turn& turn) {
  Result<PreparedRequest> job = co_await prepare(std::move(request));
  if (!job) co_return std::unexpected(job.error());
  co_return co_await asio::co_spawn(lane_->executor(), generate(std::move(*job), turn),
                                    asio::use_awaitable);
}

awaitable<Result<Reading>> LocalModel::read(Request request, Turn& turn, std::string role,
                                            Want look) {
  Result<PreparedRequest> job = co_await prepare(std::move(request));
  if (!job) co_return std::unexpected(job.error());
  Reading reading = co_await asio::co_spawn(
      lane_->executor(), read_on_lane(std::move(*job), turn, look), asio::use_awaitable);
  turn.receipt.steps.push_back(step_of(*reading.state_, std::move(role), 0));
  if (!reading.state_->row) co_return std::unexpected(reading.state_->row.error());
  co_return std::move(reading);
}

awaitable<Result<Answer>> LocalModel::answer(Reading reading, Turn& turn) {
  co_return co_await asio::co_spawn(lane_->executor(), write_on_lane(std::move(reading), turn),
                                    asio::use_awaitable);
}

awaitable<Result<Answer>> LocalModel::generate(PreparedRequest job, Turn& turn) {
  co_return co_await write_on_lane(co_await read_on_lane(std::move(job), turn, {}), turn);
}

/// What was read fails as the step did: the receipt is to have its cost.
awaitable<Reading> LocalModel::read_on_lane(PreparedRequest job, Turn& turn, Want look) {
  auto state = std::make_unique<Reading::State>(
      Reading::State{.job = std::move(job), .session = open_session(turn), .lane = lane_.get()});
  const Want want = state->job.want();
  look.rows = want.rows;
  look.sampler = want.sampler;
  look.logprob = want.logprob;
  look.top_k = std::max(look.top_k, want.top_k);
  state->row = last_of(co_await state->session.decode(state->job.prompt, look));
  co_return Reading(std::move(state));
}

/// Of what the session has done since the step before.
Step LocalModel::step_of(Reading::State& reading, std::string role, std::int64_t tokens_out) const {
  const auto prompt = static_cast<std::int64_t>(reading.job.prompt.size());
  Step step = step_of(reading.session, std::move(role), prompt, tokens_out);
  if (reading.told) {
    step.tokens_cached = prompt;
    step.queued_ms -= reading.told->queued_ms;
    step.prefill_ms -= reading.told->prefill_ms;
    step.decode_ms -= reading.told->decode_ms;
    if (step.joules) *step.joules -= reading.told->joules.value_or(0);
    if (options_.price) step.usd = options_.price->usd(step);
  }
  reading.told = reading.session.stats();
  return step;
}

awaitable<Result<Answer>> LocalModel::write_on_lane(Reading reading, Turn& turn) {
  PreparedRequest& job = reading.state_->job;
  Session& session = reading.state_->session;
  Result<Row>& row = reading.state_->row;
  AnswerWriter writer(job.form, *parts_.chat, turn);
  std::optional<Error> error;
  if (row) {  // whoever has looked may have wanted more than the request
    row->top.resize(std::min(row->top.size(), static_cast<std::size_t>(job.form.top_logprobs)));
  }
  while (row) {
    const Token token = row->token;
    const Result<bool> more = co_await writer.write(std::move(*row), vocabulary(), name_);
    if (!more) error = more.error();
    if (!more || !*more) break;
    row = last_of(co_await session.decode(std::span(&token, 1), job.want()));
  }
  if (!row) error = std::move(row.error());

  const std::int64_t written = writer.tokens();
  Result<Answer> answer = std::unexpected(error.value_or(Error{}));
  if (!error) answer = co_await writer.finish();
  turn.receipt.steps.push_back(step_of(*reading.state_, "answer", written));
  if (!answer) co_return answer;
  answer->prompt_tokens = reading.prompt_tokens();
  answer->cached_tokens = session.stats().tokens_cached;
  if (answer->authors.empty()) answer->authors = {{.model = name_}};
  co_return answer;
}

awaitable<Result<std::int64_t>> LocalModel::count_tokens(Request request) {
  const auto count = [this](Request asked) -> awaitable<Result<std::int64_t>> {
    RenderedChat chat;
    const Result<std::vector<Token>> prompt = read_prompt(asked, chat);
    if (!prompt) co_return std::unexpected(prompt.error());
    co_return static_cast<std::int64_t>(prompt->size());
  };
  if (is_quick(request)) co_return co_await count(std::move(request));
  co_return co_await asio::co_spawn(asio::system_executor(), count(std::move(request)),
                                    asio::use_awaitable);
}

awaitable<Result<Embeddings>> LocalModel::embed(std::vector<std::string> texts, Turn& turn) {
  using Tokens = std::vector<std::vector<Token>>;
  const auto tokenize = [this](std::vector<std::string> inputs) -> awaitable<Result<Tokens>> {
    Tokens tokens;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Result<std::vector<Token>> text = vocabulary().tokenize(inputs[i], true);
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
    co_return tokens;
  };
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  Result<Tokens> tokens = bytes <= kLongPrompt ? co_await tokenize(std::move(texts))
                                               : co_await asio::co_spawn(asio::system_executor(),
                                                                         tokenize(std::move(texts)),
                                                                         asio::use_awaitable);
  if (!tokens) co_return std::unexpected(tokens.error());
  co_return co_await asio::co_spawn(lane_->executor(), embed_on_lane(*std::move(tokens), turn),
                                    asio::use_awaitable);
}

/// Texts of one request on their way: several sessions take the next one in turn.
struct LocalModel::EmbedJob {
  std::vector<std::vector<Token>> texts;
  Embeddings embeddings = {};
  std::size_t next = 0;
  std::optional<Error> error = {};
  Step cost;
};

awaitable<Result<Embeddings>> LocalModel::embed_on_lane(std::vector<std::vector<Token>> texts,
                                                        Turn& turn) {
  constexpr std::size_t kAtOnce = 16;
  const auto begun = Clock::now();
  EmbedJob job{.texts = std::move(texts), .cost = {.model = name_, .role = "embed"}};
  job.embeddings.resize(job.texts.size());
  auto spawn = [&] {
    return asio::co_spawn(lane_->executor(), embed_some(job, turn), asio::deferred);
  };
  std::vector<decltype(spawn())> workers;
  for (std::size_t i = 0; i < std::min(kAtOnce, job.texts.size()); ++i) workers.push_back(spawn());
  co_await asio::experimental::make_parallel_group(std::move(workers))
      .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  // Sessions side by side share passes, so their times are not added up.
  job.cost.prefill_ms =
      std::chrono::duration<double, std::milli>(Clock::now() - begun).count() - job.cost.queued_ms;
  if (options_.price) job.cost.usd = options_.price->usd(job.cost);
  turn.receipt.steps.push_back(job.cost);
  if (job.error) co_return std::unexpected(std::move(*job.error));
  co_return std::move(job.embeddings);
}

/// The mean of the last hidden states of all tokens, scaled to unit length.
awaitable<void> LocalModel::embed_some(EmbedJob& job, Turn& turn) {
  constexpr std::size_t kChunk = 64;  // bounds what is copied at once
  while (job.next < job.texts.size() && !job.error) {
    const std::size_t index = job.next++;
    const std::vector<Token>& text = job.texts[index];
    Session session = open_session(turn);
    std::vector<float> mean;
    for (std::size_t begin = 0; begin < text.size() && !job.error; begin += kChunk) {
      const auto chunk = std::span(text).subspan(begin, std::min(kChunk, text.size() - begin));
      auto rows = co_await session.decode(chunk, {.rows = Want::Rows::all, .hidden = true});
      if (!rows) {
        job.error = std::move(rows.error());
        break;
      }
      for (const Row& row : *rows) {
        mean.resize(row.hidden.size());
        std::ranges::transform(mean, row.hidden, mean.begin(), std::plus{});
      }
    }
    const SessionStats& stats = session.stats();
    job.cost.tokens_in += static_cast<std::int64_t>(text.size());
    job.cost.tokens_cached += stats.tokens_cached;
    job.cost.queued_ms = std::max(job.cost.queued_ms, stats.queued_ms);
    if (stats.joules) job.cost.joules = job.cost.joules.value_or(0) + *stats.joules;
    double square = 0;
    for (float x : mean) square += static_cast<double>(x) * x;
    const auto scale = static_cast<float>(1 / std::max(std::sqrt(square), 1e-12));
    for (float& x : mean) x *= scale;
    job.embeddings[index] = std::move(mean);
  }
}

}  // namespace lichen::model
