#include "mechanisms/distillation/training/trainer.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <exception>
#include <system_error>
#include <utility>

#include "mechanisms/distillation/training/loss_names.h"

namespace lichen::training {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<Batch> all_batches(std::span<const Example> examples, const TrainerOptions& options) {
  std::vector<Batch> batches;
  if (examples.empty()) return batches;
  BatchOrder order(examples, options.batch_tokens, options.seed);
  const std::uint64_t count = order.batches(1);
  for (std::uint64_t i = 0; i < count; ++i) batches.push_back(make_batch(examples, order.next()));
  return batches;
}

double total_weight(const Batch& batch) {
  double sum = 0;
  for (const float weight : batch.weights) sum += weight;
  return sum;
}

boost::json::object with_options(boost::json::object identity, const TrainerOptions& options) {
  identity["loss"] = name_of(options.loss.kind);
  identity["beta"] = options.loss.beta;
  identity["skew"] = options.loss.skew;
  identity["hard"] = options.loss.hard;
  identity["learning_rate"] = options.schedule.learning_rate;
  identity["final_share"] = options.schedule.final_share;
  identity["warmup"] = options.schedule.warmup;
  identity["weight_decay"] = options.adamw.weight_decay;
  identity["beta1"] = options.adamw.beta1;
  identity["beta2"] = options.adamw.beta2;
  identity["clip"] = options.adamw.clip;
  identity["steps"] = options.steps;
  identity["seconds"] = options.within.count();
  identity["batch_tokens"] = options.batch_tokens;
  identity["accumulate"] = options.accumulate;
  identity["seed"] = options.seed;
  return identity;
}

}  // namespace

Trainer::Trainer(Engine& engine, std::span<const Example> examples,
                 std::span<const Example> held_out, TrainerOptions options,
                 boost::json::object identity)
    : engine_(engine),
      examples_(examples),
      held_out_(all_batches(held_out, options)),
      options_(std::move(options)),
      // Through text, so that it compares equal to what a checkpoint gives back.
      identity_(
          boost::json::parse(boost::json::serialize(with_options(std::move(identity), options_)))
              .as_object()),
      order_(examples, options_.batch_tokens, options_.seed) {}

Result<TrainingReport> Trainer::run(const std::function<void(const Progress&)>& progress,
                                    std::stop_token stop) {
  // libtorch's errors are exceptions: here they end.
  try {
    return run_steps(progress, std::move(stop));
  } catch (const std::bad_alloc&) {
    return fail(Errc::overloaded,
                "memory has ended; take fewer tokens at once (--batch-tokens), bf16, or LoRA");
  } catch (const std::exception& error) {
    const std::string what = error.what();
    return fail(Errc::overloaded, "libtorch cannot go on after step " +
                                      std::to_string(state_.step) + ": " +
                                      what.substr(0, what.find('\n')));
  }
}

Result<TrainingReport> Trainer::run_steps(const std::function<void(const Progress&)>& progress,
                                          std::stop_token stop) {
  const auto resumed = resume();
  if (!resumed) return std::unexpected(resumed.error());
  const RunState from = state_;
  TrainingReport report{.resumed = *resumed, .resumed_at = *resumed ? state_.step : 0};
  const auto rate = [&] {
    const double seconds = state_.seconds - from.seconds;
    return seconds > 0 ? static_cast<double>(state_.tokens - from.tokens) / seconds : 0;
  };
  if (!held_out_.empty() && state_.step == 0) {
    const auto before = measured();
    if (!before) return std::unexpected(before.error());
    state_.before = *before;
  }
  std::optional<RunEnd> end = ended();
  while (!end) {
    if (stop.stop_requested()) {
      if (auto kept = keep(); !kept) return std::unexpected(kept.error());
      return fail(Errc::cancelled,
                  "stopped after step " + std::to_string(state_.step) +
                      (options_.checkpoint.empty() ? "; nothing is kept without --checkpoint"
                                                   : "; the same command goes on from there"));
    }
    const auto begin = Clock::now();
    if (auto done = step(); !done) return std::unexpected(done.error());
    state_.seconds += seconds_since(begin);
    end = ended();
    if (!held_out_.empty() && (end || state_.step % options_.measure_every == 0)) {
      if (auto done = measure(); !done) return std::unexpected(done.error());
      if (!end) end = ended();
    }
    if (state_.step % options_.checkpoint_every == 0) {
      if (auto kept = keep(); !kept) return std::unexpected(kept.error());
    }
    const double done = share();
    progress({.state = &state_,
              .share = done,
              .tokens_per_second = rate(),
              .seconds_left = done > 0 ? state_.seconds * (1 - done) / done : 0});
  }
  if (auto kept = keep(); !kept) return std::unexpected(kept.error());
  restore_best();
  report.end = *end;
  report.tokens_per_second = rate();
  report.state = state_;
  return report;
}

Result<bool> Trainer::resume() {
  std::error_code error;
  if (options_.checkpoint.empty() || !std::filesystem::exists(options_.checkpoint, error)) {
    return false;
  }
  auto state = read_checkpoint(options_.checkpoint, engine_, identity_);
  if (!state) return std::unexpected(state.error());
  state_ = *std::move(state);
  order_.seek(state_.batches);
  return true;
}

Result<void> Trainer::step() {
  std::vector<Batch> batches;
  double weight = 0;
  for (int i = 0; i < options_.accumulate; ++i) {
    batches.push_back(make_batch(examples_, order_.next()));
    weight += total_weight(batches.back());
  }
  const std::int64_t number = state_.step + 1;
  const auto broken = [number](const std::string& what) {
    return fail(Errc::bad_request,
                what + " of step " + std::to_string(number) +
                    " is no finite number; the weights are those of the step before: take a "
                    "smaller learning rate, or look at the data");
  };
  CurvePoint point{.step = number};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const double loss = engine_.accumulate(batches[i], options_.loss, 1 / weight);
    if (!std::isfinite(loss)) {
      return broken("the loss of batch " + std::to_string(order_.taken() - batches.size() + i + 1));
    }
    point.loss += loss / weight;
    state_.tokens += batches[i].sequences * batches[i].length;
  }
  point.gradient_norm = engine_.gradient_norm();
  if (!std::isfinite(point.gradient_norm)) return broken("the gradient");
  state_.step = number;  // the rate of the first step is not 0
  point.learning_rate = options_.schedule.rate(share());
  engine_.step(options_.adamw, point.learning_rate, number);
  state_.batches = order_.taken();
  state_.curve.push_back(point);
  return {};
}

Result<Measured> Trainer::measured() {
  Measured sum;
  double weight = 0;
  for (const Batch& batch : held_out_) {
    const Measured of_batch = engine_.measure(batch, options_.loss);
    sum.loss += of_batch.loss;
    if (of_batch.acceptance) sum.acceptance = sum.acceptance.value_or(0) + *of_batch.acceptance;
    weight += total_weight(batch);
  }
  sum.loss /= weight;
  if (sum.acceptance) *sum.acceptance /= weight;
  if (std::isfinite(sum.loss)) return sum;
  return fail(Errc::bad_request,
              "the loss of the held-out examples is no finite number after step " +
                  std::to_string(state_.step));
}

Result<void> Trainer::measure() {
  const auto now = measured();
  if (!now) return std::unexpected(now.error());
  state_.curve.back().held_out = *now;
  if (state_.best && now->loss >= state_.best->loss) {
    ++state_.worse;
    return {};
  }
  state_.best = *now;
  state_.best_step = state_.step;
  state_.worse = 0;
  state_.best_weights = weights();
  return {};
}

Result<void> Trainer::keep() const {
  if (options_.checkpoint.empty()) return {};
  return write_checkpoint(options_.checkpoint, engine_, state_, identity_);
}

double Trainer::share() const {
  double done = 0;
  if (options_.steps > 0) {
    done = static_cast<double>(state_.step) / static_cast<double>(options_.steps);
  }
  if (options_.within.count() > 0) {
    done = std::max(done, state_.seconds / static_cast<double>(options_.within.count()));
  }
  return std::min(done, 1.0);
}

std::optional<RunEnd> Trainer::ended() const {
  if (options_.patience > 0 && state_.worse >= options_.patience) return RunEnd::patience;
  if (options_.steps > 0 && state_.step >= options_.steps) return RunEnd::steps;
  if (options_.within.count() > 0 &&
      state_.seconds >= static_cast<double>(options_.within.count())) {
    return RunEnd::time;
  }
  return std::nullopt;
}

void Trainer::restore_best() {
  for (std::size_t i = 0; i < state_.best_weights.size(); ++i) {
    engine_.write(i, Slot::value, state_.best_weights[i].data());
  }
}

Weights Trainer::weights() const {
  Weights all;
  for (std::size_t i = 0; i < engine_.trained().size(); ++i) {
    all.emplace_back(static_cast<std::size_t>(engine_.trained()[i].elements));
    engine_.read(i, Slot::value, all.back().data());
  }
  return all;
}

}  // namespace lichen::training
