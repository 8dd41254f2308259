// What computes: a student, its gradients and its optimizer, without a word of libtorch in the
// interface. Everything above it is ordinary code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mechanisms/distillation/training/adamw_options.h"
#include "mechanisms/distillation/training/loss_options.h"
#include "mechanisms/distillation/training/student_shape.h"
#include "mechanisms/distillation/training/training_method.h"

namespace lichen::training {

/// Sequences that are computed together, and what is wanted of their tokens.
struct Batch {
  std::int64_t sequences = 0;
  std::int64_t length = 0;  // of the longest
  /// [sequences, length], the shorter ones padded at their ends.
  std::vector<std::int64_t> tokens = {};

  // Of each of n supervised tokens:
  std::vector<std::int64_t> rows = {};  // where in `tokens` stands the one before it
  std::vector<std::int64_t> next = {};  // the token
  std::vector<float> weights = {};      // its share of the loss

  // What a teacher says of them; empty where there is none.
  std::int64_t width = 0;            // outcomes that are listed, k
  std::vector<float> logprobs = {};  // [n, k]
  /// [n, k], -1 where there are fewer; empty: sorted, of any tokens.
  std::vector<std::int64_t> ids = {};
  std::vector<float> tail = {};  // [n], log-probability of all others; empty: there are none
};

/// What a student is measured by without being trained: sums of weight * value over a batch's
/// tokens.
struct Measured {
  double loss = 0;
  /// Drafts that the teacher accepts (torch/losses.h); none where the batch has no odds of tokens.
  std::optional<double> acceptance = {};
};

struct TrainedTensor {
  std::string name;
  std::vector<std::int64_t> shape;  // outermost first
  std::int64_t elements = 0;
};

/// What is kept of a trained tensor.
enum class Slot : std::uint8_t { value, first_moment, second_moment };

/// For one thread at a time; computes on several. Where memory ends, or libtorch cannot go on for
/// another reason, an exception leaves it; it must not be used afterwards.
class Engine {
 public:
  Engine(StudentShape shape, TrainingMethod method);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) = delete;

  /// Threads that all engines compute with; their number decides the order of sums, hence last
  /// digits.
  static void use_threads(int threads);

  /// Every tensor of the student, once, then `finish`. Floats are copied.
  void add(const std::string& name, const std::vector<std::int64_t>& shape, const float* values);
  void finish();

  /// The sum of weight * loss over a batch's tokens; adds the gradient of `scale` times that to
  /// what the next step goes by.
  double accumulate(const Batch& batch, const LossOptions& loss, double scale);
  /// Without gradients.
  Measured measure(const Batch& batch, const LossOptions& loss);
  /// [n, vocabulary]
  std::vector<float> logits(const Batch& batch);

  /// The norm of what has been accumulated.
  double gradient_norm() const;
  /// Moves the weights; `step` counts from 1.
  void step(const AdamWOptions& options, double learning_rate, std::int64_t step);

  const std::vector<TrainedTensor>& trained() const;
  void read(std::size_t tensor, Slot slot, float* out) const;
  void write(std::size_t tensor, Slot slot, const float* values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lichen::training
