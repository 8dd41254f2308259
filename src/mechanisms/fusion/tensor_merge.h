// One tensor after the other out of its like in all models, in pieces that fit the cache: read,
// converted to float, merged, converted back, written.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mechanisms/fusion/della.h"
#include "mechanisms/fusion/lora.h"
#include "mechanisms/fusion/merge_plan.h"
#include "mechanisms/fusion/merge_recipe.h"
#include "mechanisms/fusion/philox.h"
#include "mechanisms/fusion/slerp.h"
#include "mechanisms/fusion/ties.h"
#include "mechanisms/fusion/workers.h"
#include "model/weights_writer.h"

namespace lichen::mechanisms {

/// Needs memory for some hundred thousand elements of each model and thread, whatever the tensors'
/// size, and for the adapters' share of one tensor. What comes out does not depend on the
/// number of threads.
class TensorMerge {
 public:
  /// All must outlive it. `progress` is called from any worker with the elements that are done.
  TensorMerge(const MergeRecipe& recipe, const MergeInputs& inputs, const Workers& workers,
              std::function<void(std::uint64_t)> progress);

  /// Writes tensor `index` of the output. Tells how many of its elements are not the base's.
  Result<std::uint64_t> run(const TensorPlan& plan, std::size_t index,
                            const model::WeightsWriter& writer);

 private:
  /// A piece of a tensor: whole rows.
  struct Piece {
    std::uint64_t row = 0;  // the first
    std::uint64_t rows = 0;
    std::uint64_t begin = 0;  // in elements
    std::size_t size = 0;
  };
  /// What one worker works in.
  struct Scratch {
    std::vector<std::vector<std::byte>> raw;  // of each input
    std::vector<std::vector<float>> values;   // the same as floats
    std::vector<const float*> models;         // of each model, into `values`
    std::vector<float> merged;
    std::vector<std::byte> encoded;
    std::vector<std::uint32_t> words;
    std::vector<MagnitudeCounts> counts;  // of each model
    MagPrune mag_prune;
  };
  /// What must be known of a whole tensor before its first piece can be merged.
  struct Whole {
    SlerpFactors slerp;
    // Of each model:
    std::vector<float> least;                    // the magnitude that is kept
    std::vector<RandomSequence> sequences;       // what it draws
    std::vector<std::vector<LowRank>> adapters;  // for each matrix of the tensor
  };

  std::uint64_t pieces(const TensorPlan& plan) const;
  Piece piece(const TensorPlan& plan, std::uint64_t index) const;

  Result<void> read(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const;
  Result<void> load(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const;
  Result<void> load_deltas(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const;

  Result<Whole> survey(const TensorPlan& plan);
  Result<SlerpFactors> survey_angle(const TensorPlan& plan);
  Result<std::vector<float>> survey_magnitudes(const TensorPlan& plan);
  Result<std::vector<LowRank>> load_adapter(const TensorPlan& plan, std::size_t model) const;

  void merge(const TensorPlan& plan, const Whole& whole, const Piece& piece,
             Scratch& scratch) const;
  void merge_deltas(const TensorPlan& plan, const Whole& whole, const Piece& piece,
                    Scratch& scratch) const;
  void thin(const TensorPlan& plan, std::size_t model, const Whole& whole, const Piece& piece,
            Scratch& scratch) const;
  Result<std::uint64_t> encode(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const;
  Result<std::uint64_t> copy(const TensorPlan& plan, const Piece& piece, Scratch& scratch) const;

  const MergeRecipe& recipe_;
  const MethodFacts& method_;
  const MergeInputs& inputs_;
  const Workers& workers_;
  const std::function<void(std::uint64_t)> progress_;
  std::vector<Scratch> scratch_;  // of each worker
};

/// How often a tensor's elements are read for one method.
int passes(const MergeRecipe& recipe);

}  // namespace lichen::mechanisms
