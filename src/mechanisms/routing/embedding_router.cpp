#include "mechanisms/routing/embedding_router.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "mechanisms/routing/embedding_knn.h"
#include "mechanisms/routing/question.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

using EmbedderPtr = std::shared_ptr<model::LocalModel>;

class EmbeddingRouter : public Router {
 public:
  EmbeddingRouter(EmbedderPtr embedder, EmbeddingKnn knn)
      : embedder_(std::move(embedder)), knn_(std::move(knn)) {}

  awaitable<Result<Need>> need(Request request, Turn& turn) override {
    if (embedder_ == nullptr) co_return fail(Errc::internal, "the embedder is not loaded");
    std::vector<std::string> texts;
    texts.emplace_back(question(request));
    const Result<Embeddings> embeddings = co_await embedder_->embed(std::move(texts), turn);
    if (embeddings) {
      co_return Need{.score = knn_.need(embeddings->front()), .reason = "knn of embeddings"};
    }
    const Errc code = embeddings.error().code;
    if (code != Errc::context_overflow && code != Errc::bad_request) {
      co_return std::unexpected(embeddings.error());
    }
    co_return Need{
        .score = 1,
        .reason = fmt::format("the embedder cannot take the prompt: {}", to_string(code))};
  }

 private:
  const EmbedderPtr embedder_;  // null while a plan is only being checked
  const EmbeddingKnn knn_;
};

/// What does not fit between the embedder and the router's file; nothing while it is not loaded.
std::optional<std::string> misfit(const EmbedderPtr& embedder, const RouterFile& file,
                                  std::size_t width) {
  if (embedder == nullptr) return std::nullopt;
  const auto hash = embedder->file_hash();
  if (!hash) return hash.error().detail;
  if (file.origin.embedder_hash != *hash) {
    return fmt::format(
        "was trained on embeddings of another model (SHA-256 {}) than `{}` ({}); `lichen route "
        "train --embedder` makes one for this",
        file.origin.embedder_hash, embedder->name(), *hash);
  }
  if (std::cmp_equal(width, embedder->hidden_width())) return std::nullopt;
  return fmt::format("reads embeddings of {} numbers, and those of `{}` have {}", width,
                     embedder->name(), embedder->hidden_width());
}

}  // namespace

Result<Routing> build_embedding_router(Options& options, const TrainedRouting& trained) {
  const auto wrong = [&](const std::string& what) {
    return std::unexpected(
        options.error("router", fmt::format("{}: {}", trained.path.string(), what)));
  };
  if (trained.file.origin.embedder_hash.empty()) {
    return std::unexpected(options.error(
        "embedder", fmt::format("{}: was trained without an embedder; `lichen route train "
                                "--embedder` makes one for this",
                                trained.path.string())));
  }
  const auto operand = options.operand("embedder");
  if (!operand) return std::unexpected(operand.error());
  const auto* model = dynamic_cast<const Model*>(operand->get());
  if (model == nullptr || !model->local()) {
    return std::unexpected(
        options.error("embedder",
                      "`embedder` must be a local model (one with `gguf`), not a plan or a remote "
                      "model"));
  }
  auto knn = EmbeddingKnn::open(trained.file);
  if (!knn) return wrong(knn.error().detail);
  auto embedder = std::dynamic_pointer_cast<model::LocalModel>(*operand);
  if (const auto what = misfit(embedder, trained.file, knn->width())) return wrong(*what);
  return trained.with(std::make_unique<EmbeddingRouter>(std::move(embedder), *std::move(knn)));
}

}  // namespace lichen::mechanisms
