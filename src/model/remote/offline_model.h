// A remote model in a program that stays offline.
#pragma once

#include <string>
#include <vector>

#include "model/remote_model.h"

namespace lichen::model {

/// Answers nothing: each call fails at once with `offline`, which is a decision in the receipt. It
/// has no socket and no executor to open one on.
class OfflineModel : public RemoteModel {
 public:
  OfflineModel(std::string name, const RemoteModelOptions& options);

  const std::string& name() const override { return name_; }
  bool local() const override { return false; }
  std::int64_t context_length() const override { return context_; }
  bool continues() const override { return continues_; }
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override;
  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override;
  std::vector<UpstreamState> upstreams() const override { return {}; }

 private:
  Error refuse(Turn& turn) const;

  const std::string name_;
  const std::int64_t context_;
  const bool continues_;
};

}  // namespace lichen::model
