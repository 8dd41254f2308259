// Opens GGUF files with libllama. In builds without it (LICHEN_LLAMA=OFF) the answer is
// `unsupported`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lichen/result.h"
#include "model/local_model.h"
#include "model/token_encoder.h"

namespace lichen::model {

struct LaneOptions {
  std::string name = "cpu";
  int threads = 0;  // that all models of the lane compute with; 0: one for each core
};

Result<std::shared_ptr<Lane>> open_lane(const LaneOptions& options = {});

/// Checks the file, loads it, measures which thread counts are fastest, unless an earlier start has
/// and kept it in `times_folder`. `progress` is called with 0 to 1 and stops the loading when it
/// returns false (`cancelled`).
Result<std::shared_ptr<LocalModel>> open_local_model(std::string name, LocalModelOptions options,
                                                     std::shared_ptr<Lane> lane,
                                                     std::function<bool(double)> progress = {});

/// An encoder (GGUF of architecture "llama-embed"), for labels of tokens. `bad_model`: no such
/// file, or a damaged one; `unsupported`: a model of another kind.
Result<std::shared_ptr<TokenEncoder>> open_token_encoder(const std::filesystem::path& gguf,
                                                         std::shared_ptr<Lane> lane);

/// How a model reads and is spoken to, without its weights: for data that it is to be trained on.
struct Tokenizer {
  std::shared_ptr<const Vocabulary> vocabulary;
  std::shared_ptr<const ChatFormat> chat;
  Token end_of_turn = 0;  // what it ends an answer with
};

/// `bad_model`: no such file, or it has no vocabulary or no token that ends an answer.
Result<Tokenizer> open_tokenizer(const std::filesystem::path& gguf);

}  // namespace lichen::model
