// A GGUF model on this machine, as an Answerer and as a source of sessions.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/session.h"
#include "model/answer_writer.h"
#include "model/batcher.h"
#include "model/chat_format.h"
#include "model/lane.h"
#include "model/pass_times.h"

namespace lichen::model {

struct AdapterOptions {
  std::string name = {};
  std::filesystem::path gguf = {};
  float scale = 1;
};

/// Whether sessions share one pool of KV cells or have their own (`plan_kv`).
enum class KvLayout : std::uint8_t { automatic, unified, split };

/// How a pass computes attention (`plan_kv`).
enum class Attention : std::uint8_t {
  automatic,
  flash,  // token by token, in one go over the cells: little memory, and masked cells cost nothing
  plain,  // as products of matrices: several tokens of a sequence cost little more than one
};

struct LocalModelOptions {
  std::filesystem::path gguf = {};
  int context = 0;        // tokens of the longest session; 0: what the model was trained for, up to
                          // 32,768 and to what the KV cache's memory holds
  int max_sessions = 64;  // in the KV cache at once; more wait
  KvLayout kv_layout = KvLayout::automatic;
  Attention attention = Attention::automatic;
  std::int64_t kv_bytes = 0;  // memory of the KV cache; 0: as the weights, 128 MiB at least
  int threads = 0;            // 0: whatever is fastest, measured all the time
  /// A pass whose result depends on the number of threads, in the last digits, has the same number
  /// each time.
  bool repeatable = false;
  int batch = 512;      // tokens in one pass, over all sessions
  int gpu_layers = -1;  // with a GPU backend: layers on the GPU, -1 all
  std::optional<Price> price = {};
  Sampling sampling = {};  // defaults for requests that leave them open
  std::vector<AdapterOptions> adapters = {};
  /// Where adapters are kept that the model has learned, of which whoever opens it has one used;
  /// empty: nowhere.
  std::filesystem::path versions = {};
  /// Of these the one that is used, whichever is chosen there; 0: the model as it was made.
  std::optional<int> version = {};
  BatcherOptions batcher = {};
  /// Where what was measured of passes is kept between starts; empty: nowhere, each start measures.
  std::filesystem::path times_folder = {};
};

/// What a local model is made of; put together by `open_local_model`, or by tests.
struct LocalModelParts {
  std::shared_ptr<Batcher> batcher;
  std::shared_ptr<const ChatFormat> chat;
  /// A sampler, or null where plain argmax does. `grammar` is GBNF or empty; `begun` is text of it
  /// that the prompt holds already.
  std::function<Result<std::unique_ptr<Sampler>>(
      const Sampling& sampling, const std::string& grammar, const std::string& begun)>
      make_sampler;
  StepTimes times = {};
};

/// Whether all tokens that are named are the vocabulary's: `bad_config` if not.
Result<void> check_logit_bias(const Sampling& sampling, const Vocabulary& vocabulary);

/// A request made ready for the lane.
struct PreparedRequest {
  std::vector<Token> prompt = {};
  std::unique_ptr<Sampler> sampler = {};  // null: argmax
  Sampling sampling = {};                 // what it goes by, the model's defaults included
  AnswerForm form = {};

  /// What each token's row is to bring back.
  Want want() const {
    return {.sampler = sampler.get(), .logprob = true, .top_k = form.top_logprobs};
  }
};

/// A prompt that a local model has read, with the first token of its answer chosen: to be looked
/// at, and then answered or dropped. It holds KV cells, so keep it no longer than the decision
/// takes. May be moved and destroyed on any thread; must not outlive its model or its turn.
class Reading {
 public:
  struct State;
  Reading() = default;  // of nothing: it can only be replaced
  explicit Reading(std::unique_ptr<State> state);

  std::int64_t prompt_tokens() const;
  /// Of the prompt's last token.
  const Row& row() const;

 private:
  friend class LocalModel;
  struct OnLane {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, OnLane> state_;
};

/// Safe to use from any thread, except where said.
class LocalModel : public Model {
 public:
  LocalModel(std::string name, std::shared_ptr<Lane> lane, LocalModelParts parts,
             LocalModelOptions options);

  const std::string& name() const override { return name_; }
  bool local() const override { return true; }
  std::int64_t context_length() const override;
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override;
  awaitable<Result<std::int64_t>> count_tokens(Request request) override;
  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override;

  /// The first half of `answer`: reads the prompt and chooses the first token. `look` says what the
  /// row is to bring back beside it (`top_k`, `entropy`, `hidden`). Adds a step with that role.
  awaitable<Result<Reading>> read(Request request, Turn& turn, std::string role, Want look);
  /// The second half: goes on from there; no token is computed again. In the step, whose role is
  /// "answer", the whole prompt counts as cached: the step of `read` has its cost.
  awaitable<Result<Answer>> answer(Reading reading, Turn& turn);

  Lane& lane() { return *lane_; }
  const Vocabulary& vocabulary() const { return parts_.batcher->vocabulary(); }
  const StepTimes& times() const { return parts_.times; }
  /// What passes take now. On the lane's thread only.
  const PassTimes& pass_times() const { return parts_.batcher->pass_times(); }
  /// Sessions that share its passes. On the lane's thread only.
  int open_sessions() const { return parts_.batcher->open_sessions(); }
  /// The longest sequence that a session can hold.
  int session_length() const { return parts_.batcher->limits().length(); }
  const LocalModelOptions& options() const { return options_; }
  /// Values of a hidden state.
  int hidden_width() const { return parts_.batcher->limits().embedding; }
  /// base::file_identity of the model's file; with an adapter, of both files and its scale. Says
  /// which weights something was trained for. Reads the files; `bad_model` where it cannot.
  Result<std::string> file_hash() const;
  BatcherStats stats() const { return parts_.batcher->stats(); }

  /// Renders, tokenizes and checks a request: long ones on a thread of their own.
  awaitable<Result<PreparedRequest>> prepare(Request request) const;
  const ChatFormat& chat() const { return *parts_.chat; }
  /// A session's entry for the receipt, with what its tokens cost.
  Step step_of(const Session& session, std::string role, std::int64_t tokens_in,
               std::int64_t tokens_out) const;

  /// A new session. On the lane's executor only.
  Session open_session(Turn& turn) { return parts_.batcher->open(turn, adapter_); }

  /// From now on answers with this adapter, or with none; answers that have begun go on as they
  /// began. Sessions of the same weights under other names are not concerned. Whatever was loaded
  /// stays in memory. `bad_model`: the file cannot be used, and all is as before.
  Result<void> use_adapter(std::optional<AdapterOptions> adapter);

  /// Which of its adapters answers now, 0: none. What was answered under another number may not be
  /// what it would answer.
  int adapter_in_use() const { return adapter_; }

  /// The same weights with an adapter, as a model of its own ("NAME+ADAPTER") that shares lane and
  /// KV cache. Adapters can be swapped at any time: a batch is computed with one of them.
  Result<std::shared_ptr<LocalModel>> with_adapter(const AdapterOptions& adapter);

 private:
  friend class Reading;
  /// The request's prompt as tokens, without a look at their number; `request` and `chat` become
  /// what the answer depends on.
  Result<std::vector<Token>> read_prompt(Request& request, RenderedChat& chat) const;
  Result<PreparedRequest> prepare_here(Request request) const;
  awaitable<Result<PreparedRequest>> prepare_elsewhere(Request request) const;
  awaitable<Result<Answer>> generate(PreparedRequest job, Turn& turn);
  awaitable<Reading> read_on_lane(PreparedRequest job, Turn& turn, Want look);
  awaitable<Result<Answer>> write_on_lane(Reading reading, Turn& turn);
  Step step_of(Reading::State& reading, std::string role, std::int64_t tokens_out) const;
  struct EmbedJob;
  awaitable<Result<Embeddings>> embed_on_lane(std::vector<std::vector<Token>> texts, Turn& turn);
  awaitable<void> embed_some(EmbedJob& job, Turn& turn);

  const std::string name_;
  const std::shared_ptr<Lane> lane_;
  const LocalModelParts parts_;
  const LocalModelOptions options_;
  Result<int> load(const AdapterOptions& adapter);

  std::atomic<int> adapter_ = 0;
  mutable std::mutex adapter_mutex_;
  std::optional<AdapterOptions> adapter_options_ = {};  // guarded by adapter_mutex_
};

}  // namespace lichen::model
