#include "mechanisms/distillation/training/engine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <cstring>
#include <optional>
#include <utility>

#include "mechanisms/distillation/training/torch/adamw.h"
#include "mechanisms/distillation/training/torch/losses.h"
#include "mechanisms/distillation/training/torch/network.h"
#include "mechanisms/distillation/training/torch/parameters.h"

namespace lichen::training {

namespace {

/// The vector's own memory: it must outlive the tensor.
template <class T>
at::Tensor view_of(const std::vector<T>& values, at::IntArrayRef shape, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values.data()), shape, type);
}

Targets targets_of(const Batch& batch) {
  const auto n = static_cast<std::int64_t>(batch.next.size());
  Targets targets;
  targets.tokens = view_of(batch.next, {n}, at::kLong);
  if (batch.width == 0) return targets;
  targets.logprobs = view_of(batch.logprobs, {n, batch.width}, at::kFloat);
  if (!batch.ids.empty()) targets.ids = view_of(batch.ids, {n, batch.width}, at::kLong);
  if (!batch.tail.empty()) targets.tail = view_of(batch.tail, {n}, at::kFloat);
  return targets;
}

at::Tensor weighted_sum(const at::Tensor& values, const Batch& batch) {
  return at::dot(values, view_of(batch.weights, values.sizes(), at::kFloat));
}

at::Tensor& chosen(Parameter& parameter, Slot slot) {
  if (slot == Slot::first_moment) return parameter.first;
  return slot == Slot::second_moment ? parameter.second : parameter.value;
}

}  // namespace

struct Engine::State {
  State(StudentShape its_shape, const TrainingMethod& method)
      : shape(std::move(its_shape)), parameters(method) {}

  at::Tensor logits_of(const Batch& batch) {
    const auto n = static_cast<std::int64_t>(batch.rows.size());
    return network->logits(view_of(batch.tokens, {batch.sequences, batch.length}, at::kLong),
                           view_of(batch.rows, {n}, at::kLong));
  }

  StudentShape shape;
  Parameters parameters;
  std::optional<Network> network;
  std::vector<TrainedTensor> trained;
};

Engine::Engine(StudentShape shape, TrainingMethod method)
    : state_(std::make_unique<State>(std::move(shape), method)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

void Engine::use_threads(int threads) {
  at::set_num_threads(threads);
  // Debian has an OpenBLAS with threads of its own, of which libtorch knows nothing.
  using SetThreads = void (*)(int);
  if (void* const set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<SetThreads>(set)(threads);
  }
}

void Engine::add(const std::string& name, const std::vector<std::int64_t>& shape,
                 const float* values) {
  state_->parameters.add(name, shape, values);
}

void Engine::finish() {
  state_->parameters.finish();
  state_->network.emplace(state_->shape, state_->parameters);
  for (const Parameter& parameter : state_->parameters.trained()) {
    state_->trained.push_back(
        {parameter.name, parameter.value.sizes().vec(), parameter.value.numel()});
  }
}

double Engine::accumulate(const Batch& batch, const LossOptions& loss, double scale) {
  const at::Tensor sum =
      weighted_sum(token_losses(state_->logits_of(batch), targets_of(batch), loss), batch);
  (sum * scale).backward();
  state_->parameters.collect_gradients();
  return sum.item<double>();
}

Measured Engine::measure(const Batch& batch, const LossOptions& loss) {
  const at::NoGradGuard guard;
  const at::Tensor logits = state_->logits_of(batch);
  const Targets targets = targets_of(batch);
  Measured sums{weighted_sum(token_losses(logits, targets, loss), batch).item<double>(), {}};
  if (!targets.ids.defined()) return sums;
  sums.acceptance = weighted_sum(acceptances(logits, targets), batch).item<double>();
  return sums;
}

std::vector<float> Engine::logits(const Batch& batch) {
  const at::NoGradGuard guard;
  const at::Tensor logits = state_->logits_of(batch).contiguous();
  const float* values = logits.data_ptr<float>();
  return std::vector<float>(values, values + logits.numel());
}

double Engine::gradient_norm() const {
  return training::gradient_norm(state_->parameters.trained());
}

void Engine::step(const AdamWOptions& options, double learning_rate, std::int64_t step) {
  const at::NoGradGuard guard;
  const double norm = options.clip > 0 ? gradient_norm() : 0;
  adamw_step(state_->parameters.trained(), options, learning_rate,
             norm > options.clip ? options.clip / norm : 1, step);
  state_->parameters.refresh();
}

const std::vector<TrainedTensor>& Engine::trained() const { return state_->trained; }

void Engine::read(std::size_t tensor, Slot slot, float* out) const {
  const at::Tensor& from = chosen(state_->parameters.trained()[tensor], slot);
  std::memcpy(out, from.data_ptr<float>(), static_cast<std::size_t>(from.numel()) * sizeof(float));
}

void Engine::write(std::size_t tensor, Slot slot, const float* values) {
  const at::NoGradGuard guard;
  Parameter& parameter = state_->parameters.trained()[tensor];
  at::Tensor& to = chosen(parameter, slot);
  std::memcpy(to.data_ptr<float>(), values, static_cast<std::size_t>(to.numel()) * sizeof(float));
  if (slot == Slot::value) state_->parameters.refresh();
}

}  // namespace lichen::training
