#include "model/remote/offline_model.h"

#include <utility>

namespace lichen::model {

OfflineModel::OfflineModel(std::string name, const RemoteModelOptions& options)
    : name_(std::move(name)),
      context_(options.context),
      continues_(options.continues != Continuation::none) {}

Error OfflineModel::refuse(Turn& turn) const {
  turn.receipt.decisions.push_back(
      {.mechanism = name_, .choice = "offline", .reason = "nothing was sent: --offline is set"});
  return {Errc::offline, "`" + name_ +
                             "` is a remote model, and --offline is set: nothing was sent; a plan "
                             "with a local model can answer"};
}

awaitable<Result<Answer>> OfflineModel::answer(Request, Turn& turn) {
  co_return std::unexpected(refuse(turn));
}

awaitable<Result<Embeddings>> OfflineModel::embed(std::vector<std::string>, Turn& turn) {
  co_return std::unexpected(refuse(turn));
}

}  // namespace lichen::model
