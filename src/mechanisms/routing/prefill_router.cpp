#include "mechanisms/routing/prefill_router.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "mechanisms/routing/prefill_features.h"
#include "mechanisms/routing/prefill_model.h"
#include "mechanisms/routing/trained_router.h"
#include "model/local_model.h"

namespace lichen::mechanisms {
namespace {

using SmallPtr = std::shared_ptr<model::LocalModel>;

/// Small, which has read the prompt of the one request that it will answer.
class SmallThatHasRead : public Answerer {
 public:
  SmallThatHasRead(SmallPtr small, model::Reading reading)
      : small_(std::move(small)), reading_(std::move(reading)) {}

  awaitable<Result<Answer>> answer(Request /*request*/, Turn& turn) override {
    co_return co_await small_->answer(std::move(reading_), turn);
  }

 private:
  const SmallPtr small_;
  model::Reading reading_;
};

class PrefillRouter : public Router {
 public:
  PrefillRouter(SmallPtr small, PrefillModel model)
      : small_(std::move(small)), model_(std::move(model)) {}

  awaitable<Result<Need>> need(Request request, Turn& turn) override {
    if (small_ == nullptr) co_return fail(Errc::internal, "small is not loaded");
    auto reading = co_await small_->read(std::move(request), turn, "route", prefill_look());
    if (!reading) {
      const Errc code = reading.error().code;
      if (code == Errc::context_overflow || code == Errc::unsupported) {
        co_return Need{.score = 1,
                       .reason = fmt::format("small cannot take the prompt: {}", to_string(code))};
      }
      co_return std::unexpected(std::move(reading).error());
    }
    const std::vector<float> features = prefill_features(*reading);
    co_return Need{.score = model_.need(features),
                   .reason = "prefill",
                   .small = std::make_unique<SmallThatHasRead>(small_, *std::move(reading))};
  }

 private:
  const SmallPtr small_;  // null while a plan is only being checked
  const PrefillModel model_;
};

/// What does not fit between small and the router's file; nothing while small is not loaded.
std::optional<std::string> misfit(const SmallPtr& small, const RouterFile& file) {
  if (small == nullptr) return std::nullopt;
  const auto hash = small->file_hash();
  if (!hash) return hash.error().detail;
  if (file.origin.small_hash != *hash) {
    return fmt::format(
        "was trained on the passes of another small model (SHA-256 {}) than `{}` ({}); `lichen "
        "route collect` and `lichen route train` make one for this",
        file.origin.small_hash.empty() ? "not told" : file.origin.small_hash, small->name(), *hash);
  }
  const std::size_t width = kPrefillScalars + static_cast<std::size_t>(small->hidden_width());
  if (file.prefill.width == width) return std::nullopt;
  return fmt::format("reads {} features, and a pass of `{}` has {}", file.prefill.width,
                     small->name(), width);
}

}  // namespace

Result<Routing> build_prefill(Options& options) {
  const auto operand = options.operand("small");
  if (!operand) return std::unexpected(operand.error());
  const auto* model = dynamic_cast<const Model*>(operand->get());
  if (model == nullptr || !model->local()) {
    return std::unexpected(options.error(
        "small",
        "`by: prefill` reads small's own pass over the prompt, so `small` must be a local model "
        "(one with `gguf`), not a plan or a remote model; `by: linear` needs the text alone"));
  }
  const auto trained = read_trained(options, RouterKind::prefill);
  if (!trained) return std::unexpected(trained.error());
  const auto wrong = [&](const std::string& what) {
    return std::unexpected(
        options.error("router", fmt::format("{}: {}", trained->path.string(), what)));
  };
  auto prefill = make_prefill_model(trained->file);
  if (!prefill) return wrong(prefill.error().detail);
  auto small = std::dynamic_pointer_cast<model::LocalModel>(*operand);
  if (const auto what = misfit(small, trained->file)) return wrong(*what);
  return trained->with(std::make_unique<PrefillRouter>(std::move(small), *std::move(prefill)));
}

}  // namespace lichen::mechanisms
