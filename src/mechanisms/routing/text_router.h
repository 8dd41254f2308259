// Inference: a router that was trained on what small and large made of prompts, and that sees the
// text alone.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "lichen/result.h"
#include "mechanisms/routing/router_file.h"
#include "mechanisms/routing/text_vectors.h"

namespace lichen::mechanisms {

/// Safe to use from any thread.
class TextRouter {
 public:
  virtual ~TextRouter() = default;
  /// How much the text needs the large model: (1 + P(only large right) - P(only small right)) / 2
  /// as the router sees it, 0 to 1. Half: either model is as good.
  virtual double need(std::string_view text) const = 0;
};

/// What a kind of router makes of a text's vector. Safe to use from any thread.
class VectorRouter {
 public:
  virtual ~VectorRouter() = default;
  /// As `TextRouter::need`.
  virtual double need(const SparseVector& vector) const = 0;
};

/// Checks all that the file holds against its kind; `bad_model` says what does not fit.
Result<std::unique_ptr<TextRouter>> make_text_router(const RouterFile& file);

/// Of a file: what every kind keeps its text weights in.
void add_text_weights(RouterFile& file, const TextWeights& weights);
Result<TextWeights> text_weights_of(const RouterFile& file);

}  // namespace lichen::mechanisms
