#include "mechanisms/pipeline/extract.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mechanisms/pipeline/asked_document.h"
#include "mechanisms/pipeline/extraction.h"
#include "mechanisms/plain_answerers.h"
#include "mechanisms/whole_number.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

constexpr double kUsualBytesPerToken = 4;

/// Of small's own vocabulary, from some pieces of the document; where that is not at hand, as
/// usual.
double bytes_per_token(const Answerer& small, std::string_view document) {
  constexpr std::size_t kPiece = 4'096, kPieces = 3;
  const auto* model = dynamic_cast<const model::LocalModel*>(&small);
  if (model == nullptr) return kUsualBytesPerToken;
  std::size_t bytes = 0, tokens = 0;
  for (std::size_t i = 0; i < kPieces; ++i) {
    const auto piece = document.substr(document.size() / kPieces * i, kPiece);
    const auto read = model->vocabulary().tokenize(piece, false);
    if (!read || read->empty()) continue;
    bytes += piece.size();
    tokens += read->size();
  }
  if (tokens == 0) return kUsualBytesPerToken;
  return static_cast<double>(bytes) / static_cast<double>(tokens);
}

class Extract : public Answerer {
 public:
  Extract(std::vector<AnswererPtr> writers, AnswererPtr plain, AnswererPtr small,
          const ExtractOptions& options)
      : writers_(std::move(writers)),
        plain_(std::move(plain)),
        small_(std::move(small)),
        options_(options) {}

  awaitable<Result<Answer>> answer(Request request, Turn& turn) override {
    Result<std::optional<AskedDocument>> found =
        asked_document(request, options_.max_bytes, options_.allow_undivided);
    if (!found) co_return std::unexpected(std::move(found).error());
    std::optional<AskedDocument>& asked = *found;
    if (!asked) {
      turn.receipt.decisions.push_back(
          {.mechanism = "extract", .choice = "plain", .reason = "there is no document"});
      co_return co_await plain_->answer(std::move(request), turn);
    }
    // Megabytes take a while, in which the caller's thread would serve nobody else.
    const CutDocument document = co_await asio::co_spawn(
        asio::system_executor(), cut(std::move(asked->document)), asio::use_awaitable);
    const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
    Extraction extraction(writers_, small_, options_, document, std::move(asked->question), turn,
                          strand);
    co_return co_await asio::co_spawn(strand, extraction.run(), asio::use_awaitable);
  }

 private:
  awaitable<CutDocument> cut(std::string text) const {
    constexpr std::size_t kLeast = 64;
    const double token = bytes_per_token(*small_, text);
    const auto bytes = [token](std::size_t tokens) {
      return static_cast<std::size_t>(static_cast<double>(tokens) * token);
    };
    CutDocument document{.text = std::move(text)};
    const std::size_t most = std::max(kLeast, bytes(options_.chunk));
    document.chunks = chunks_of(document.text, most, std::min(most / 2, bytes(options_.overlap)));
    if (options_.reading.rare > 0) document.words.emplace(document.text, document.chunks);
    co_return document;
  }

  const std::vector<AnswererPtr> writers_;
  const AnswererPtr plain_;
  const AnswererPtr small_;
  const ExtractOptions options_;
};

Result<ExtractOptions> read_options(Options& options) {
  constexpr std::size_t kMaxBytes = 16u << 20, kMostBytes = 1u << 30;
  ExtractOptions read{.max_bytes = kMaxBytes, .reading = {.rare = 0.2}};
  std::optional<Error> error;
  const auto number = [&](std::string_view key, auto& value, double least, double most) {
    using Number = std::remove_reference_t<decltype(value)>;
    if (error) return;
    const Result<Number> given =
        whole_number(options, key, value, static_cast<Number>(least), static_cast<Number>(most));
    if (given) {
      value = *given;
    } else {
      error = given.error();
    }
  };
  number("chunk", read.chunk, 16, 100'000);
  read.overlap = read.chunk / 8;
  number("overlap", read.overlap, 0, 50'000);
  number("jobs", read.jobs, 1, 64);
  number("rounds", read.rounds, 1, 16);
  number("findings", read.findings, 1, 1'000);
  number("max_tokens", read.reading.max_tokens, 1, 4'096);
  number("samples", read.reading.samples, 1, 64);
  number("at_once", read.reading.at_once, 1, 256);
  number("max_bytes", read.max_bytes, 1, static_cast<double>(kMostBytes));
  if (error) return std::unexpected(*std::move(error));
  if (read.overlap > read.chunk / 2) {
    return std::unexpected(options.error("overlap", "`overlap` must be at most half of `chunk`"));
  }
  const Result<double> rare = options.number("rare", read.reading.rare, 0, 1);
  const Result<double> support = options.number("support", read.reading.support, 0, 1);
  const Result<double> temperature = options.number("temperature", 1, 0.01, 2);
  for (const Result<double>* given : {&rare, &support, &temperature}) {
    if (!*given) return std::unexpected(given->error());
  }
  read.reading.rare = *rare;
  read.reading.support = *support;
  read.reading.temperature = static_cast<float>(*temperature);
  const Result<bool> allow_remote = options.flag("allow_remote", false);
  if (!allow_remote) return std::unexpected(allow_remote.error());
  read.reading.allow_remote = *allow_remote;
  const Result<bool> allow_undivided = options.flag("allow_undivided", false);
  if (!allow_undivided) return std::unexpected(allow_undivided.error());
  read.allow_undivided = *allow_undivided;
  return read;
}

/// What `by` cannot do, as far as that shows beforehand.
std::optional<Error> unfit(const Answerer& small, const ExtractOptions& read, Options& options) {
  const auto* model = dynamic_cast<const Model*>(&small);
  if (model == nullptr) return std::nullopt;
  if (!model->local() && !read.reading.allow_remote) {
    return options.error("by", "`by` reads the document, which would leave this device: `" +
                                   model->name() +
                                   "` is remote. Name a local model, or allow it with "
                                   "`allow_remote: true`");
  }
  const auto wanted = static_cast<std::int64_t>(read.chunk) + read.reading.max_tokens;
  if (const auto context = model->context_length(); context > 0 && wanted >= context) {
    return options.error("chunk", "a chunk of " + std::to_string(read.chunk) +
                                      " tokens and a finding of " +
                                      std::to_string(read.reading.max_tokens) + " exceed the " +
                                      std::to_string(context) + " that the context of `" +
                                      model->name() + "` holds");
  }
  return std::nullopt;
}

}  // namespace

Result<AnswererPtr> build_extract(Options& options) {
  Result<AnswererPtr> plan = options.operand("plan");
  if (!plan) return std::unexpected(plan.error());
  Result<AnswererPtr> small = options.operand("by");
  if (!small) return std::unexpected(small.error());
  Result<PlainAnswerers> plainly = read_fallback(options, "plan", *plan);
  if (!plainly) return std::unexpected(plainly.error());
  std::vector<AnswererPtr> writers{*std::move(plan)};
  if (plainly->fallback != nullptr) writers.push_back(std::move(plainly->fallback));
  const Result<ExtractOptions> read = read_options(options);
  if (!read) return std::unexpected(read.error());
  if (std::optional<Error> wrong = unfit(**small, *read, options)) {
    return std::unexpected(*std::move(wrong));
  }
  return std::make_shared<Extract>(std::move(writers), std::move(plainly->plain), *std::move(small),
                                   *read);
}

}  // namespace lichen::mechanisms
