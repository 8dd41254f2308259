// A GGUF model on this machine, as an Answerer and as a source of sessions.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/session.h"

namespace lichen::model {

class Lane;
class Vocabulary;
class ChatFormat;

struct AdapterOptions {
  std::string name;
  std::filesystem::path gguf;
  float scale = 1;
};

struct LocalModelOptions {
  std::filesystem::path gguf;
  int context = 0;        // KV cells, shared by all sessions of the model; 0: four times what the
                          // model was trained for, at most 32,768
  int max_sessions = 64;  // sequences at once; more wait
  int threads = 0;        // 0: measured when the model is loaded
  int batch = 512;        // tokens in one pass, over all sessions
  int gpu_layers = -1;    // with a GPU backend: layers on the GPU, -1 all
  std::optional<Price> price = {};
  Sampling sampling = {};  // defaults for requests that leave them open
  std::vector<AdapterOptions> adapters = {};
};

/// Safe to use from any thread, except where said. Its sessions live on its lane.
class LocalModel : public Model {
 public:
  const std::string& name() const override;
  bool local() const override { return true; }
  std::int64_t context_length() const override;
  awaitable<Result<Answer>> answer(Request request, Turn& turn) override;
  awaitable<Result<Embeddings>> embed(std::vector<std::string> texts, Turn& turn) override;
};

}  // namespace lichen::model
