#include "mechanisms/fusion/tensor_merge.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/fusion/compatible.h"
#include "mechanisms/fusion/dare.h"
#include "mechanisms/fusion/linear.h"
#include "mechanisms/fusion/task_vector.h"
#include "model/gguf/checked.h"
#include "model/tensor_codec.h"

namespace lichen::mechanisms {

namespace {

using model::gguf::Tensor;
using model::gguf::TensorType;

/// Of a piece: a base, two models and the result then take half a megabyte, which a core's second
/// cache holds.
constexpr std::uint64_t kPieceElements = 1u << 15;

std::size_t bytes_of(const TensorType& type, std::uint64_t elements) {
  return elements / type.block * type.bytes;
}

std::unexpected<Error> bad_values(const model::WeightsFile& file, const Tensor& tensor) {
  return fail(Errc::bad_model, model::gguf::printable(file.path().string()) + ": tensor " +
                                   model::gguf::quoted(tensor.name) +
                                   " has a value that is infinite or no number (NaN); a model with "
                                   "such weights cannot be merged");
}

/// Which words a tensor of a model draws, whatever else is merged with it.
RandomSequence sequence_of(std::uint64_t seed, std::size_t model, std::string_view tensor) {
  const base::Sha256 hash = base::sha256(std::to_string(model) + '\n' + std::string(tensor));
  RandomSequence sequence{.seed = seed};
  std::memcpy(&sequence.stream, hash.data(), sizeof(sequence.stream));
  return sequence;
}

Result<std::vector<float>> decoded(const model::WeightsFile& file, const Tensor& tensor) {
  std::vector<std::byte> raw(tensor.bytes);
  if (auto done = file.read(tensor, 0, raw); !done) return std::unexpected(done.error());
  std::vector<float> values(tensor.elements);
  model::decode(*tensor.type, raw, values);
  if (!std::isfinite(largest_magnitude(values))) return bad_values(file, tensor);
  return values;
}

}  // namespace

int passes(const MergeRecipe& recipe) {
  if (recipe.method == MergeMethod::slerp) return 2;
  return facts(recipe.method).thinning == Thinning::trim ? 3 : 1;
}

TensorMerge::TensorMerge(const MergeRecipe& recipe, const MergeInputs& inputs,
                         const Workers& workers, std::function<void(std::uint64_t)> progress)
    : recipe_(recipe),
      method_(facts(recipe.method)),
      inputs_(inputs),
      workers_(workers),
      progress_(std::move(progress)),
      scratch_(workers.count()) {
  for (Scratch& scratch : scratch_) {
    scratch.raw.resize(inputs.files.size());
    scratch.values.resize(inputs.files.size());
    scratch.models.resize(recipe.models.size());
    if (method_.thinning == Thinning::trim) scratch.counts.resize(recipe.models.size());
  }
}

std::uint64_t TensorMerge::pieces(const TensorPlan& plan) const {
  const std::uint64_t rows = plan.base->elements / plan.base->shape[0];
  const std::uint64_t at_once = std::max<std::uint64_t>(1, kPieceElements / plan.base->shape[0]);
  return (rows + at_once - 1) / at_once;
}

TensorMerge::Piece TensorMerge::piece(const TensorPlan& plan, std::uint64_t index) const {
  const std::uint64_t length = plan.base->shape[0];
  const std::uint64_t at_once = std::max<std::uint64_t>(1, kPieceElements / length);
  const std::uint64_t row = index * at_once;
  const std::uint64_t rows = std::min(at_once, plan.base->elements / length - row);
  return {.row = row, .rows = rows, .begin = row * length, .size = rows * length};
}

/// The inputs' bytes.
Result<void> TensorMerge::read(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const {
  for (std::size_t i = 0; i < inputs_.files.size(); ++i) {
    const Tensor* tensor = plan.inputs[i];
    if (tensor == nullptr) continue;  // an adapter
    scratch.raw[i].resize(bytes_of(*tensor->type, piece.size));
    const std::uint64_t begin = bytes_of(*tensor->type, piece.begin);
    if (auto done = inputs_.files[i].read(*tensor, begin, scratch.raw[i]); !done) return done;
  }
  return {};
}

/// Their values.
Result<void> TensorMerge::load(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const {
  if (auto done = read(plan, piece, scratch); !done) return done;
  const std::size_t before = method_.base ? 1 : 0;  // the models' files follow the base's
  for (std::size_t i = 0; i < inputs_.files.size(); ++i) {
    const Tensor* tensor = plan.inputs[i];
    if (tensor == nullptr) continue;
    scratch.values[i].resize(piece.size);
    model::decode(*tensor->type, scratch.raw[i], scratch.values[i]);
    if (!std::isfinite(largest_magnitude(scratch.values[i]))) {
      return bad_values(inputs_.files[i], *tensor);
    }
    if (i >= before) scratch.models[i - before] = scratch.values[i].data();
  }
  return {};
}

/// The models' values as differences to the base's.
Result<void> TensorMerge::load_deltas(const TensorPlan& plan, const Piece& piece,
                                      Scratch& scratch) const {
  if (auto done = load(plan, piece, scratch); !done) return done;
  for (std::size_t i = 1; i < scratch.values.size(); ++i) {
    subtract(scratch.values[i], scratch.values.front());
  }
  return {};
}

Result<SlerpFactors> TensorMerge::survey_angle(const TensorPlan& plan) {
  std::vector<Angle> angles(pieces(plan));
  const auto done = workers_.run(angles.size(), [&](std::size_t worker, std::uint64_t index) {
    Scratch& scratch = scratch_[worker];
    const Piece at = piece(plan, index);
    Result<void> loaded = load(plan, at, scratch);
    if (!loaded) return loaded;
    angles[index] = angle_of(scratch.values[0], scratch.values[1]);
    progress_(at.size);
    return loaded;
  });
  if (!done) return std::unexpected(done.error());
  Angle whole;
  for (const Angle& part : angles) whole += part;
  return slerp_factors(whole, plan.t);
}

Result<std::vector<float>> TensorMerge::survey_magnitudes(const TensorPlan& plan) {
  const std::size_t models = recipe_.models.size();
  std::vector<std::uint64_t> kept(models);
  std::vector<std::uint32_t> upper(models);
  std::vector<float> least(models);
  for (std::size_t m = 0; m < models; ++m) {
    kept[m] = kept_elements(plan.base->elements, plan.densities[m]);
  }
  for (const bool first : {true, false}) {
    for (Scratch& scratch : scratch_) {
      std::ranges::for_each(scratch.counts, &MagnitudeCounts::clear);
    }
    const auto done = workers_.run(pieces(plan), [&](std::size_t worker, std::uint64_t index) {
      Scratch& scratch = scratch_[worker];
      const Piece at = piece(plan, index);
      Result<void> loaded = load_deltas(plan, at, scratch);
      if (!loaded) return loaded;
      for (std::size_t m = 0; m < models; ++m) {
        if (first) {
          scratch.counts[m].count_upper(scratch.values[m + 1]);
        } else {
          scratch.counts[m].count_lower(scratch.values[m + 1], upper[m]);
        }
      }
      progress_(at.size);
      return loaded;
    });
    if (!done) return std::unexpected(done.error());
    for (std::size_t m = 0; m < models; ++m) {
      MagnitudeCounts& sum = scratch_.front().counts[m];
      for (std::size_t w = 1; w < scratch_.size(); ++w) sum += scratch_[w].counts[m];
      const MagnitudeCounts::Place place = sum.find(kept[m]);
      kept[m] = place.within;
      if (first) {
        upper[m] = place.bucket;
      } else {
        least[m] = MagnitudeCounts::magnitude(upper[m], place.bucket);
      }
    }
  }
  return least;
}

/// An adapter's product for each matrix of the tensor (of experts there are several); none without
/// a pair for it.
Result<std::vector<LowRank>> TensorMerge::load_adapter(const TensorPlan& plan,
                                                       std::size_t model) const {
  const model::WeightsFile& file = inputs_.files[model + 1];
  const AdapterPair pair = adapter_pair(file, plan.base->name);
  std::vector<LowRank> products;
  if (!pair) return products;
  const bool turned = turned_pair(plan.base->name);
  Result<std::vector<float>> a = decoded(file, *pair.a);
  if (!a) return std::unexpected(a.error());
  Result<std::vector<float>> b = decoded(file, *pair.b);
  if (!b) return std::unexpected(b.error());
  const std::vector<float>&left = turned ? *a : *b, &right = turned ? *b : *a;
  const std::size_t rank = pair.b->shape[0], matrices = plan.base->shape[2];
  const std::size_t rows = plan.base->shape[1], columns = plan.base->shape[0];
  const float alpha = file.info().adapter_lora_alpha.value_or(0);
  const double scale = plan.weights[model] * (alpha != 0 ? alpha / static_cast<double>(rank) : 1);
  for (std::size_t i = 0; i < matrices; ++i) {
    LowRank product{.left = {}, .right = {}, .rank = rank, .scale = scale};
    const auto from = left.begin() + static_cast<std::ptrdiff_t>(i * rows * rank);
    product.left.assign(from, from + static_cast<std::ptrdiff_t>(rows * rank));
    product.right.resize(rank * columns);
    for (std::size_t r = 0; r < rank; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        product.right[r * columns + c] =
            turned ? right[c * rank + r] : right[(i * rank + r) * columns + c];
      }
    }
    products.push_back(std::move(product));
  }
  return products;
}

Result<TensorMerge::Whole> TensorMerge::survey(const TensorPlan& plan) {
  Whole whole;
  if (recipe_.method == MergeMethod::slerp) {
    auto factors = survey_angle(plan);
    if (!factors) return std::unexpected(factors.error());
    whole.slerp = *factors;
  } else if (recipe_.method == MergeMethod::lora) {
    for (std::size_t m = 0; m < recipe_.models.size(); ++m) {
      auto adapter = load_adapter(plan, m);
      if (!adapter) return std::unexpected(adapter.error());
      whole.adapters.push_back(*std::move(adapter));
    }
  } else if (method_.thinning == Thinning::trim) {
    auto least = survey_magnitudes(plan);
    if (!least) return std::unexpected(least.error());
    whole.least = *std::move(least);
  } else if (method_.random()) {
    for (std::size_t m = 0; m < recipe_.models.size(); ++m) {
      whole.sequences.push_back(sequence_of(recipe_.seed, m, plan.base->name));
    }
  }
  return whole;
}

void TensorMerge::thin(const TensorPlan& plan, std::size_t model, const Whole& whole,
                       const Piece& piece, Scratch& scratch) const {
  std::vector<float>& deltas = scratch.values[model + 1];
  if (method_.thinning == Thinning::trim) trim(deltas, whole.least[model]);
  if (!method_.random()) return;
  scratch.words.resize(piece.size);
  whole.sequences[model].draw(piece.begin, scratch.words);
  if (method_.thinning == Thinning::drop) {
    drop_and_rescale(deltas, plan.densities[model], scratch.words);
    return;
  }
  const std::size_t length = plan.base->shape[0];
  for (std::size_t begin = 0; begin < piece.size; begin += length) {
    scratch.mag_prune.apply(std::span(deltas).subspan(begin, length), plan.densities[model],
                            plan.epsilons[model], std::span(scratch.words).subspan(begin, length));
  }
}

void TensorMerge::merge_deltas(const TensorPlan& plan, const Whole& whole, const Piece& piece,
                               Scratch& scratch) const {
  for (std::size_t m = 0; m < plan.weights.size(); ++m) thin(plan, m, whole, piece, scratch);
  if (method_.elects) {
    elect_and_merge(scratch.values.front(), scratch.models,
                    {.weights = plan.weights, .lambda = recipe_.lambda, .mean = recipe_.normalize},
                    scratch.merged);
  } else {
    add_task_vectors(scratch.values.front(), scratch.models, plan.weights, recipe_.lambda,
                     scratch.merged);
  }
}

/// The inputs are loaded, as differences where the method wants them.
void TensorMerge::merge(const TensorPlan& plan, const Whole& whole, const Piece& piece,
                        Scratch& scratch) const {
  scratch.merged.resize(piece.size);
  if (recipe_.method == MergeMethod::linear) {
    weighted_sum(scratch.models, plan.weights, scratch.merged);
  } else if (recipe_.method == MergeMethod::slerp) {
    const double weights[] = {whole.slerp.a, whole.slerp.b};
    weighted_sum(scratch.models, weights, scratch.merged);
  } else if (recipe_.method == MergeMethod::lora) {
    std::ranges::copy(scratch.values.front(), scratch.merged.begin());
    const std::size_t length = plan.base->shape[0], rows = plan.base->shape[1];
    for (const std::vector<LowRank>& adapter : whole.adapters) {
      for (std::size_t i = 0; i < piece.rows && !adapter.empty(); ++i) {
        const std::uint64_t row = piece.row + i;
        add_low_rank(adapter[row / rows], row % rows,
                     std::span(scratch.merged).subspan(i * length, length));
      }
    }
  } else {
    merge_deltas(plan, whole, piece, scratch);
  }
}

/// Rows that have come out as the base has them keep the base's bytes: quantizing again would move
/// them. Tells how many elements are not the base's.
Result<std::uint64_t> TensorMerge::encode(const TensorPlan& plan, const Piece& piece,
                                          Scratch& scratch) const {
  const float largest = largest_magnitude(scratch.merged);
  if (!(largest <= model::largest_encodable(*plan.type))) {
    return fail(Errc::unsupported, "tensor " + model::gguf::quoted(plan.base->name) +
                                       " gets values up to " + std::to_string(largest) +
                                       ", which " + std::string(plan.type->name) +
                                       " cannot hold; take smaller weights or another type");
  }
  const std::size_t length = plan.base->shape[0];
  const std::size_t row_bytes = bytes_of(*plan.type, length);
  scratch.encoded.resize(bytes_of(*plan.type, piece.size));
  std::uint64_t changed = 0;
  for (std::size_t row = 0; row < piece.rows; ++row) {
    const auto merged = std::span(scratch.merged).subspan(row * length, length);
    const auto base = std::span(scratch.values.front()).subspan(row * length, length);
    const auto out = std::span(scratch.encoded).subspan(row * row_bytes, row_bytes);
    const bool same = std::equal(merged.begin(), merged.end(), base.begin());
    if (!same) changed += length;
    if (same && plan.type == plan.base->type) {
      std::memcpy(out.data(), scratch.raw.front().data() + row * row_bytes, row_bytes);
    } else {
      model::encode(*plan.type, merged, out);
    }
  }
  return changed;
}

/// A piece of an opaque tensor.
Result<std::uint64_t> TensorMerge::copy(const TensorPlan& plan, const Piece& piece,
                                        Scratch& scratch) const {
  if (auto done = read(plan, piece, scratch); !done) return std::unexpected(done.error());
  scratch.encoded = scratch.raw.front();
  for (std::size_t i = 1; i < scratch.raw.size(); ++i) {
    const Tensor* tensor = plan.inputs[i];
    if (tensor == nullptr || (tensor->type == plan.base->type && scratch.raw[i] == scratch.encoded))
      continue;
    const TensorType& type = model::has_codec(*tensor->type) ? *plan.base->type : *tensor->type;
    return fail(Errc::unsupported,
                "tensor " + model::gguf::quoted(plan.base->name) + " differs between the models " +
                    "and is of type " + std::string(type.name) +
                    ", which cannot be merged; quantize them to q8_0 or f16 first");
  }
  return 0;
}

Result<std::uint64_t> TensorMerge::run(const TensorPlan& plan, std::size_t index,
                                       const model::WeightsWriter& writer) {
  Whole whole;
  if (!plan.opaque) {
    auto surveyed = survey(plan);
    if (!surveyed) return std::unexpected(surveyed.error());
    whole = *std::move(surveyed);
  }
  const bool deltas = method_.base && recipe_.method != MergeMethod::lora;
  std::atomic<std::uint64_t> changed = 0;
  const auto work = [&](std::size_t worker, std::uint64_t number) -> Result<void> {
    Scratch& scratch = scratch_[worker];
    const Piece at = piece(plan, number);
    Result<std::uint64_t> done = 0;
    if (plan.opaque) {
      done = copy(plan, at, scratch);
    } else {
      auto loaded = deltas ? load_deltas(plan, at, scratch) : load(plan, at, scratch);
      if (!loaded) return loaded;
      merge(plan, whole, at, scratch);
      done = encode(plan, at, scratch);
    }
    if (!done) return std::unexpected(done.error());
    changed += *done;
    progress_(at.size);
    return writer.write(index, bytes_of(*plan.type, at.begin), scratch.encoded);
  };
  if (auto done = workers_.run(pieces(plan), work); !done) return std::unexpected(done.error());
  return changed.load();
}

}  // namespace lichen::mechanisms
