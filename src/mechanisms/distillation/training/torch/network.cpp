#include "mechanisms/distillation/training/torch/network.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "mechanisms/distillation/training/torch/rms_norm.h"

namespace lichen::training {

Network::Network(StudentShape shape, const Parameters& parameters) : shape_(std::move(shape)) {
  embedding_ = parameters.tensor("token_embd.weight");
  output_norm_ = parameters.tensor("output_norm.weight");
  // Without a matrix of its own the output is the embedding's.
  output_ = parameters.matrix(parameters.has("output.weight") ? "output" : "token_embd");
  for (std::int64_t i = 0; i < shape_.layers; ++i) layers_.push_back(layer(parameters, i));
}

Network::Layer Network::layer(const Parameters& parameters, std::int64_t index) const {
  const std::string block = "blk." + std::to_string(index) + '.';
  const auto norm = [&](const char* name) {
    const std::string full = block + name + ".weight";
    return parameters.has(full) ? parameters.tensor(full) : at::Tensor();
  };
  Layer layer;
  layer.attention_norm = norm("attn_norm");
  layer.feed_forward_norm = norm("ffn_norm");
  layer.query_norm = norm("attn_q_norm");
  layer.key_norm = norm("attn_k_norm");
  layer.attention_post_norm = norm("post_attention_norm");
  layer.feed_forward_post_norm = norm("post_ffw_norm");
  layer.query = parameters.matrix(block + "attn_q");
  layer.key = parameters.matrix(block + "attn_k");
  layer.value = parameters.matrix(block + "attn_v");
  layer.output = parameters.matrix(block + "attn_output");
  layer.gate = parameters.matrix(block + "ffn_gate");
  layer.up = parameters.matrix(block + "ffn_up");
  layer.down = parameters.matrix(block + "ffn_down");
  layer.local = !shape_.local.empty() && shape_.local[static_cast<std::size_t>(index)];
  return layer;
}

Network::Positions Network::positions(std::int64_t length, bool local) const {
  const double base = local ? shape_.local_rope_base : shape_.rope_base;
  const double scale = local ? shape_.local_rope_scale : shape_.rope_scale;
  // In double, so that far positions keep their angles.
  const at::TensorOptions exact = at::kDouble;
  at::Tensor frequencies =
      at::pow(base, -at::arange(0, shape_.rotated, 2, exact) / static_cast<double>(shape_.rotated));
  if (!shape_.rope_factors.empty()) {
    frequencies = frequencies / at::tensor(shape_.rope_factors).to(at::kDouble);
  }
  const at::Tensor angles = at::outer(at::arange(length, exact) * scale, frequencies).unsqueeze(1);
  const auto type = embedding_.scalar_type();
  at::Tensor hidden = at::ones({length, length}, at::kBool).triu(1);
  if (local && shape_.window > 0) {
    hidden = hidden.logical_or(at::ones({length, length}, at::kBool).tril(-shape_.window));
  }
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  return {angles.cos().to(type), angles.sin().to(type),
          at::zeros({length, length}, type).masked_fill(hidden, kNever)};
}

at::Tensor Network::normed(const at::Tensor& states, const at::Tensor& weight) const {
  return rms_norm(states, weight, shape_.norm_epsilon);
}

/// Of [sequences, length, heads, head]. Elements of a pair end up in the two halves whichever way
/// they came: queries and keys are permuted alike, which no product of both sees.
at::Tensor Network::rotated(const at::Tensor& heads, const Positions& positions) const {
  const std::int64_t half = shape_.rotated / 2;
  const at::Tensor turning = heads.narrow(-1, 0, shape_.rotated);
  const at::Tensor x =
      shape_.interleaved ? turning.slice(-1, 0, shape_.rotated, 2) : turning.narrow(-1, 0, half);
  const at::Tensor y =
      shape_.interleaved ? turning.slice(-1, 1, shape_.rotated, 2) : turning.narrow(-1, half, half);
  std::vector<at::Tensor> parts = {x * positions.cosines - y * positions.sines,
                                   y * positions.cosines + x * positions.sines};
  if (shape_.rotated < shape_.head) {
    parts.push_back(heads.narrow(-1, shape_.rotated, shape_.head - shape_.rotated));
  }
  return at::cat(parts, -1);
}

at::Tensor Network::attention(const Layer& layer, const at::Tensor& states, std::int64_t sequences,
                              const Positions& positions) const {
  const std::int64_t length = states.size(0) / sequences;
  const std::int64_t group = shape_.heads / shape_.kv_heads;
  const auto heads = [&](const Matrix& matrix, std::int64_t count, const at::Tensor& norm) {
    const at::Tensor split = matrix.times(states).view({sequences, length, count, shape_.head});
    return norm.defined() ? normed(split, norm) : split;
  };
  const at::Tensor query =
      rotated(heads(layer.query, shape_.heads, layer.query_norm), positions) * shape_.query_scale;
  const at::Tensor key = rotated(heads(layer.key, shape_.kv_heads, layer.key_norm), positions);
  const at::Tensor value = heads(layer.value, shape_.kv_heads, {});
  // The queries of the heads that share keys are rows of one matrix.
  const std::int64_t matrices = sequences * shape_.kv_heads;
  const auto per_kv_head = [&](const at::Tensor& all) {
    return all.transpose(1, 2).reshape({matrices, -1, shape_.head});
  };
  at::Tensor scores = at::bmm(per_kv_head(query), per_kv_head(key).transpose(1, 2))
                          .view({matrices, group, length, length});
  if (shape_.attention_cap > 0) {
    scores = at::tanh(scores / shape_.attention_cap) * shape_.attention_cap;
  }
  const at::Tensor weights = at::softmax(scores + positions.mask, -1);
  const at::Tensor mixed =
      at::bmm(weights.view({matrices, group * length, length}), per_kv_head(value))
          .view({sequences, shape_.heads, length, shape_.head})
          .transpose(1, 2)
          .reshape({sequences * length, shape_.heads * shape_.head});
  return layer.output.times(mixed);
}

at::Tensor Network::feed_forward(const Layer& layer, const at::Tensor& states) const {
  const at::Tensor gate = layer.gate.times(states);
  const at::Tensor opened = shape_.gelu ? at::gelu(gate, "tanh") : at::silu(gate);
  return layer.down.times(opened * layer.up.times(states));
}

at::Tensor Network::logits(const at::Tensor& tokens, const at::Tensor& rows) {
  const std::int64_t sequences = tokens.size(0), length = tokens.size(1);
  const Positions global = positions(length, false);
  const Positions local = shape_.local.empty() ? global : positions(length, true);
  at::Tensor states = at::embedding(embedding_, tokens.reshape({-1}));
  if (shape_.embedding_scale != 1) states = states * shape_.embedding_scale;
  for (const Layer& layer : layers_) {
    at::Tensor attended = attention(layer, normed(states, layer.attention_norm), sequences,
                                    layer.local ? local : global);
    if (&layer == &layers_.back()) {  // what nobody asked for ends here
      attended = attended.index_select(0, rows);
      states = states.index_select(0, rows);
    }
    if (layer.attention_post_norm.defined()) {
      attended = normed(attended, layer.attention_post_norm);
    }
    states = states + attended;
    at::Tensor fed = feed_forward(layer, normed(states, layer.feed_forward_norm));
    if (layer.feed_forward_post_norm.defined()) fed = normed(fed, layer.feed_forward_post_norm);
    states = states + fed;
  }
  at::Tensor logits = output_.times(normed(states, output_norm_)).to(at::kFloat);
  if (shape_.logit_cap > 0) logits = at::tanh(logits / shape_.logit_cap) * shape_.logit_cap;
  return logits;
}

}  // namespace lichen::training
