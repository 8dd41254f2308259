#include "mechanisms/policy/cache.h"

#include <spdlog/fmt/fmt.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mechanisms/hand_over.h"
#include "mechanisms/policy/answer_flights.h"
#include "mechanisms/policy/answer_store.h"
#include "mechanisms/policy/question_facts.h"
#include "mechanisms/policy/request_digest.h"
#include "mechanisms/policy/similarity_calibration.h"
#include "mechanisms/routing/calibration_file.h"
#include "mechanisms/whole_number.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

struct CacheFigures {
  std::atomic<std::uint64_t> hits = 0;
  std::atomic<std::uint64_t> similar = 0;
  std::atomic<std::uint64_t> misses = 0;
};

struct Semantic {
  ModelPtr embedder = {};  // null: only the same request is a hit
  double threshold = 1;
  Equal equal = Equal::words;
};

/// Where this took longer, others are not to wait for the next one's.
constexpr std::chrono::seconds kSlowFailure{1};

/// Passes on what the first of several askers gets, and says while its reader takes its time.
class WatchedStream : public Sink {
 public:
  WatchedStream(Turn& turn, Flight& flight) : turn_(turn), flight_(flight) {}
  awaitable<bool> write(Piece piece) override {
    flight_.begin_writing();
    const Result<void> sent = co_await turn_.emit(std::move(piece));
    flight_.end_writing();
    co_return sent.has_value();
  }

 private:
  Turn& turn_;
  Flight& flight_;
};

/// Lands at the end of its life, so that nobody waits for one that is gone.
class Landing {
 public:
  Landing(AnswerFlights& flights, std::shared_ptr<Flight> flight)
      : flights_(flights), flight_(std::move(flight)) {}
  ~Landing() { flights_.land(flight_, std::move(landed)); }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  Flight& flight() { return *flight_; }
  Landed landed = {};

 private:
  AnswerFlights& flights_;
  const std::shared_ptr<Flight> flight_;
};

/// Whether another may be given it: not what a limit of the model's own has cut short.
bool complete(const Answer& answer, const std::optional<int>& max_tokens) {
  return !cut_short(answer, max_tokens);
}

std::string age(const StoredAnswer& stored) {
  const std::chrono::duration<double> seconds = Clock::now() - stored.made;
  return fmt::format("{:.1f} s ago", seconds.count());
}

class Cache : public Answerer {
 public:
  struct Parts {
    AnswererPtr of;
    bool shared = false;  // by all keys
    Semantic semantic = {};
    /// Whose other versions answer otherwise.
    std::vector<std::shared_ptr<const model::LocalModel>> models = {};
    std::shared_ptr<AnswerStore> store;
    std::shared_ptr<CacheFigures> figures;
  };
  explicit Cache(Parts parts) : parts_(std::move(parts)) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    const std::string partition = partition_of(turn);
    const Asked asked{.key = digest_of(request, partition),
                      .around = parts_.semantic.embedder != nullptr
                                    ? digest_around_question(request, partition)
                                    : std::nullopt};
    if (turn.fresh) {
      Decision decision{
          .mechanism = "cache", .choice = "miss", .reason = "a fresh answer is wanted"};
      std::optional<Question> question = co_await question_of(request, asked, decision, turn);
      miss(turn, std::move(decision));
      co_return co_await ask(std::move(request), asked, std::move(question), nullptr, turn);
    }
    for (;;) {
      if (const StoredPtr stored = parts_.store->find(asked.key, Clock::now())) {
        co_return co_await hit(stored, "the same was asked " + age(*stored), request.logprobs,
                               turn);
      }
      const AnswerFlights::Place place = flights_.join(asked.key);
      if (place.first) co_return co_await lead(std::move(request), asked, place.flight, turn);
      const Result<Landed> waited = co_await flights_.wait(place.flight, turn);
      if (!waited) co_return std::unexpected(waited.error());
      if (waited->each_alone) {
        miss(turn, {.mechanism = "cache",
                    .choice = "miss",
                    .reason = "the same was being asked, and its answer cannot be kept"});
        co_return co_await ask(std::move(request), asked, std::nullopt, nullptr, turn);
      }
      if (waited->answer == nullptr) continue;
      co_return co_await hit(waited->answer, "the same was being asked", request.logprobs, turn);
    }
  }

 private:
  struct Asked {
    base::Sha256 key;
    std::optional<base::Sha256> around;  // none: nothing similar may answer it
  };

  /// Requests of one partition may have each other's answers.
  std::string partition_of(const Turn& turn) const {
    std::string partition = parts_.shared ? "all" : "key " + turn.receipt.key;
    for (const auto& model : parts_.models) {
      partition += fmt::format("\n{} {}", model->name(), model->adapter_in_use());
    }
    return partition;
  }

  awaitable<Result<Answer>> lead(Request request, Asked asked, std::shared_ptr<Flight> flight,
                                 Turn& turn) {
    Landing landing(flights_, std::move(flight));
    // Another may have landed between the look and the joining.
    if (const StoredPtr stored = parts_.store->find(asked.key, Clock::now())) {
      landing.landed.answer = stored;
      co_return co_await hit(stored, "the same was asked " + age(*stored), request.logprobs, turn);
    }
    Decision decision{.mechanism = "cache", .choice = "miss", .reason = "not asked before"};
    std::optional<Question> question = co_await question_of(request, asked, decision, turn);
    if (question) {
      const AnswerStore::Nearest nearest = parts_.store->nearest(*question, Clock::now());
      describe(nearest, decision);
      if (nearest.stored && nearest.cosine >= parts_.semantic.threshold) {
        parts_.store->used(nearest.stored);
        co_return co_await similar(nearest.stored, std::move(decision), turn);
      }
    }
    miss(turn, std::move(decision));
    co_return co_await ask(std::move(request), asked, std::move(question), &landing, turn);
  }

  void describe(const AnswerStore::Nearest& nearest, Decision& decision) const {
    if (nearest.stored) {
      decision.score = nearest.cosine;
      decision.threshold = parts_.semantic.threshold;
      decision.reason = fmt::format("the nearest question has a cosine of {:.4f}", nearest.cosine);
    }
    if (nearest.vetoed && nearest.vetoed_cosine >= parts_.semantic.threshold) {
      decision.reason += fmt::format(
          "; one with {:.4f} has other {}", nearest.vetoed_cosine,
          parts_.semantic.equal == Equal::words ? "words" : "numbers, names, quotes or negations");
    }
  }

  /// None: what is similar cannot be told; where the embedder failed the decision says so.
  awaitable<std::optional<Question>> question_of(const Request& request, const Asked& asked,
                                                 Decision& decision, Turn& turn) const {
    if (!asked.around) co_return std::nullopt;
    std::vector<std::string> texts{request.messages.back().content};
    Question question{.around = *asked.around,
                      .facts = facts_of(texts.front(), parts_.semantic.equal)};
    Result<Embeddings> embeddings =
        co_await parts_.semantic.embedder->embed(std::move(texts), turn);
    if (!embeddings) {
      decision.reason += fmt::format("; not embedded: {}: {}", to_string(embeddings.error().code),
                                     embeddings.error().detail);
      co_return std::nullopt;
    }
    question.embedding = std::move(embeddings->front());
    co_return question;
  }

  void miss(Turn& turn, Decision decision) const {
    ++parts_.figures->misses;
    turn.receipt.decisions.push_back(std::move(decision));
  }

  /// `landing` is null where nobody may wait for the answer.
  awaitable<Result<Answer>> ask(Request request, Asked asked, std::optional<Question> question,
                                Landing* landing, Turn& turn) {
    const std::optional<int> max_tokens = request.max_tokens;
    const Clock::time_point started = Clock::now();
    Result<Answer> answer = co_await passed_on(std::move(request), landing, turn);
    if (!answer || !complete(*answer, max_tokens)) {
      const bool slow = answer || Clock::now() - started >= kSlowFailure;
      if (landing != nullptr) landing->landed.each_alone = slow && !turn.stopped();
      co_return answer;
    }
    const auto stored =
        std::make_shared<const StoredAnswer>(StoredAnswer{.key = asked.key,
                                                          .answer = *answer,
                                                          .made = Clock::now(),
                                                          .question = std::move(question)});
    parts_.store->put(stored);
    if (landing != nullptr) landing->landed.answer = stored;
    co_return answer;
  }

  awaitable<Result<Answer>> passed_on(Request request, Landing* landing, Turn& turn) {
    if (landing == nullptr || !turn.streams()) {
      co_return co_await parts_.of->answer(std::move(request), turn);
    }
    WatchedStream stream(turn, landing->flight());
    const std::unique_ptr<Turn> child = turn.child(&stream);
    child->progress = turn.progress;
    Result<Answer> answer = co_await parts_.of->answer(std::move(request), *child);
    turn.absorb(*child);
    co_return answer;
  }

  awaitable<Result<Answer>> hit(StoredPtr stored, std::string reason, bool logprobs, Turn& turn) {
    ++parts_.figures->hits;
    turn.receipt.decisions.push_back(
        {.mechanism = "cache", .choice = "hit", .reason = std::move(reason)});
    co_return co_await give(std::move(stored), logprobs, turn);
  }

  awaitable<Result<Answer>> similar(StoredPtr stored, Decision decision, Turn& turn) {
    ++parts_.figures->similar;
    decision.choice = "similar";
    decision.reason += ", asked " + age(*stored);
    turn.receipt.decisions.push_back(std::move(decision));
    co_return co_await give(std::move(stored), false, turn);
  }

  awaitable<Result<Answer>> give(StoredPtr stored, bool logprobs, Turn& turn) {
    const Answer& answer = stored->answer;
    if (!turn.streams()) co_return answer;
    const Result<void> sent = co_await emit_whole(answer, logprobs, turn);
    if (!sent) co_return std::unexpected(sent.error());
    co_return answer;
  }

  const Parts parts_;
  AnswerFlights flights_;
};

constexpr double kLeastThreshold = 0.3;

/// What the file holds for this embedder.
Result<SimilarityCalibration> read_calibration(Options& options, Options& semantic) {
  const auto at_key = [&semantic](const std::string& what) {
    return std::unexpected(semantic.error("calibration", what));
  };
  const Result<std::filesystem::path> file = semantic.file("calibration");
  if (!file) return std::unexpected(file.error());
  Result<SimilarityCalibration> calibration = load_similarity(*file);
  if (!calibration) return at_key(calibration.error().detail);
  const Result<boost::json::object> identity = options.identity();
  if (!identity) return std::unexpected(identity.error());
  const boost::json::value* now = identity->if_contains("semantic");
  now = now != nullptr && now->is_object() ? now->get_object().if_contains("embedder") : nullptr;
  if (now == nullptr || !now->is_object()) return at_key("the embedder is not known");
  const std::string difference = first_difference(calibration->embedder, now->get_object());
  if (difference.empty()) return calibration;
  return at_key(
      fmt::format("{}: was made with another embedder: {}; make it anew by `lichen cache "
                  "calibrate`",
                  file->string(), difference));
}

Result<Semantic> read_semantic(Options& options) {
  const Result<Options*> map = options.map("semantic");
  if (!map) return std::unexpected(map.error());
  if (*map == nullptr) return Semantic{};
  Options& semantic = **map;
  const Result<AnswererPtr> operand = semantic.operand("embedder");
  if (!operand) return std::unexpected(operand.error());
  Semantic result{.embedder = std::dynamic_pointer_cast<Model>(*operand)};
  if (result.embedder == nullptr) {
    return std::unexpected(
        semantic.error("embedder", "`embedder` must be a model, not a plan or a mechanism"));
  }
  if (!result.embedder->local() && options.masked_within("of")) {
    return std::unexpected(semantic.error(
        "embedder",
        fmt::format("`{}` is remote and would see in clear what the `mask` within `of` keeps from "
                    "remote models: put the `mask` around the `cache`, or take a local embedder",
                    result.embedder->name())));
  }
  const bool calibrated = semantic.has("calibration");
  if (calibrated == semantic.has("threshold")) {
    return std::unexpected(semantic.error(
        calibrated ? "threshold" : "",
        "`semantic` needs either a `threshold` from 0.3 to 1 or a `calibration`, which `lichen "
        "cache calibrate` makes"));
  }
  if (calibrated) {
    if (semantic.has("equal")) {
      return std::unexpected(
          semantic.error("equal", "`equal` goes with `threshold`: a `calibration` has its own"));
    }
    const Result<SimilarityCalibration> calibration = read_calibration(options, semantic);
    if (!calibration) return std::unexpected(calibration.error());
    result.threshold = calibration->choice.at.threshold;
    result.equal = calibration->equal;
    return result;
  }
  const Result<double> threshold = semantic.number("threshold", 1, kLeastThreshold, 1);
  if (!threshold) return std::unexpected(threshold.error());
  constexpr std::string_view kEqual[] = {"words", "facts"};
  const Result<std::string> equal = semantic.choice("equal", kEqual, kEqual[0]);
  if (!equal) return std::unexpected(equal.error());
  result.threshold = *threshold;
  result.equal = *equal == "facts" ? Equal::facts : Equal::words;
  return result;
}

void show(Options& options, const std::shared_ptr<const AnswerStore>& store,
          const std::shared_ptr<const CacheFigures>& figures) {
  const auto add = [&options](std::string name, std::string help, std::function<double()> read) {
    options.show({.name = std::move(name), .help = std::move(help), .read = std::move(read)});
  };
  add("lichen_cache_hits_total", "Requests that were answered as the same one before",
      [figures] { return static_cast<double>(figures->hits); });
  add("lichen_cache_similar_total", "Requests that were answered as a similar one before",
      [figures] { return static_cast<double>(figures->similar); });
  add("lichen_cache_misses_total", "Requests for which no kept answer was used",
      [figures] { return static_cast<double>(figures->misses); });
  add("lichen_cache_evictions_total", "Answers that were dropped for want of room",
      [store] { return static_cast<double>(store->figures().evictions); });
  add("lichen_cache_entries", "Answers that are kept",
      [store] { return static_cast<double>(store->figures().entries); });
  add("lichen_cache_bytes", "Memory that they take, about",
      [store] { return static_cast<double>(store->figures().bytes); });
}

Result<StoreBounds> read_bounds(Options& options) {
  StoreBounds bounds;
  const auto entries = whole_number<std::size_t>(options, "entries", bounds.entries, 1, 1'000'000);
  if (!entries) return std::unexpected(entries.error());
  const Result<double> mb = options.number("mb", 64, 0.01, 1 << 20);
  if (!mb) return std::unexpected(mb.error());
  const auto ttl = options.duration("ttl", std::chrono::hours(1));
  if (!ttl) return std::unexpected(ttl.error());
  bounds.entries = *entries;
  bounds.bytes = static_cast<std::size_t>(*mb * (1 << 20));
  bounds.ttl = *ttl;
  return bounds;
}

}  // namespace

Result<AnswererPtr> build_cache(Options& options) {
  const Result<StoreBounds> bounds = read_bounds(options);
  if (!bounds) return std::unexpected(bounds.error());
  constexpr std::string_view kShare[] = {"key", "all"};
  const Result<std::string> share = options.choice("share", kShare, kShare[0]);
  if (!share) return std::unexpected(share.error());
  Result<AnswererPtr> of = options.operand("of");
  if (!of) return of;
  Result<Semantic> semantic = read_semantic(options);
  if (!semantic) return std::unexpected(semantic.error());

  Cache::Parts parts{.of = *std::move(of),
                     .shared = *share == "all",
                     .semantic = *std::move(semantic),
                     .store = std::make_shared<AnswerStore>(*bounds),
                     .figures = std::make_shared<CacheFigures>()};
  for (const ModelPtr& model : options.models("of")) {
    auto local = std::dynamic_pointer_cast<const model::LocalModel>(model);
    if (local != nullptr) parts.models.push_back(std::move(local));
  }
  show(options, parts.store, parts.figures);
  return std::make_shared<Cache>(std::move(parts));
}

}  // namespace lichen::mechanisms
