#include "cli/route_embedder.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cli/host.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "model/local_model.h"

namespace lichen::cli {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr const char* kName = "embedder";

policy::Config config_of(const std::filesystem::path& gguf) {
  policy::Config config;
  config.file = gguf;
  model::LocalModelOptions options{.gguf = gguf, .repeatable = true};
  options.batcher.prefix_cache_bytes = 0;
  config.models.push_back({.name = kName, .options = std::move(options)});
  config.ledger.path = "none";
  return config;
}

/// Of the examples from `first` on.
Result<void> embed_some(Host& host, std::span<mechanisms::Example> examples, std::size_t first) {
  std::vector<std::string> texts;
  for (const auto& example : examples) texts.push_back(example.prompt);
  Turn turn(kName);
  const CancelOnSignal watch(host.io(), [&turn] { turn.cancel(); });
  auto embeddings = boost::asio::co_spawn(host.io(), host.runtime().embed(std::move(texts), turn),
                                          boost::asio::use_future)
                        .get();
  if (!embeddings) {
    return fail(embeddings.error().code, fmt::format("of the prompts from the {}th on, {}",
                                                     first + 1, embeddings.error().detail));
  }
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].features = std::move((*embeddings)[i]);
  }
  return {};
}

}  // namespace

Result<std::string> embed_prompts(eval::RouteData& data, const std::filesystem::path& gguf) {
  const auto host = Host::open(config_of(gguf));
  if (!host) return std::unexpected(host.error());
  const auto model = (*host)->runtime().find_model(kName);
  if (!model) return std::unexpected(model.error());
  const auto* local = dynamic_cast<const model::LocalModel*>(model->get());
  if (local == nullptr) {
    return fail(Errc::unsupported, "this build of Lichen has no local models to embed with");
  }
  ProgressBar bar(Terminal::of(stderr));
  for (std::size_t first = 0; first < data.examples.size(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, data.examples.size() - first);
    if (auto done = embed_some(**host, std::span(data.examples).subspan(first, count), first);
        !done) {
      return std::unexpected(done.error());
    }
    bar.update(static_cast<double>(first + count) / static_cast<double>(data.examples.size()),
               "embedding");
  }
  bar.clear();
  return local->file_hash();
}

}  // namespace lichen::cli
