#include "cli/distill/train.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/cores.h"
#include "base/sha256.h"
#include "cli/distill/memory_check.h"
#include "cli/distill/run_report.h"
#include "cli/distill/train_data.h"
#include "cli/distill/train_options.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "mechanisms/distillation/training/adapter_file.h"
#include "mechanisms/distillation/training/blas.h"
#include "mechanisms/distillation/training/student_file.h"
#include "mechanisms/distillation/training/student_output.h"
#include "mechanisms/distillation/training/trainer.h"
#include "model/tensor_codec.h"

namespace lichen::cli {
namespace {

using namespace lichen::training;  // NOLINT: this file is its command

Result<void> check_blas() {
  const std::string library = blas_library();
  if (is_fast_blas(library)) return {};
  return fail(Errc::unsupported,
              "libtorch multiplies with " + library +
                  ", which is about 17 times slower than OpenBLAS; install libopenblas0-openmp (on "
                  "Debian: apt install libopenblas0-openmp, then update-alternatives --config "
                  "libblas.so.3-x86_64-linux-gnu)");
}

/// Null: each matrix as it was.
Result<const model::gguf::TensorType*> out_type_of(const TrainOptions& options) {
  if (options.out_type == "same") return nullptr;
  if (const auto* type = model::codec_type(options.out_type)) return type;
  return fail(Errc::bad_request, "--out-type " + options.out_type +
                                     " is unknown; there are same, f32, f16, bf16, q8_0, q6_K, "
                                     "q5_K, q4_K, q3_K, q2_K");
}

/// Whole steps that see the data so often.
std::int64_t steps_of(double epochs, const TrainData& data, const TrainerOptions& trainer) {
  const BatchOrder order(data.learned, trainer.batch_tokens, trainer.seed);
  const auto whole = static_cast<std::uint64_t>(epochs);
  const double rest = epochs - static_cast<double>(whole);
  const auto before = static_cast<double>(order.batches(whole));
  const auto next = static_cast<double>(order.batches(whole + 1)) - before;
  return std::max<std::int64_t>(1, std::llround((before + rest * next) / trainer.accumulate));
}

/// One training, from its options to its files: each step after the one before.
class Training {
 public:
  explicit Training(TrainOptions options) : options_(std::move(options)) {}

  Result<void> prepare();
  Result<void> run();
  Result<void> write() const;
  TrainedRun report(std::string command_line) const;

 private:
  Result<void> read_options();
  Result<void> open_student();
  /// The adapter to go on from, where there is one; either way how one is made.
  Result<void> choose_method();
  Result<void> read_data();
  std::int64_t parameters() const { return static_cast<std::int64_t>(student_->info().parameters); }
  std::int64_t trained() const {
    return method_.full ? parameters() : adapter_elements(shape_, method_.lora);
  }
  std::string method_text() const { return method_.full ? "full" : lora_text(method_.lora); }
  std::string outcome(const CurvePoint& point) const;

  TrainOptions options_;
  TrainingMethod method_;
  TrainerOptions trainer_;
  const model::gguf::TensorType* out_type_ = nullptr;
  std::optional<base::File> lock_;  // of the checkpoint
  std::optional<model::WeightsFile> student_;
  std::string student_identity_;
  std::optional<model::WeightsFile> from_;
  std::string from_identity_;
  StudentShape shape_;
  TrainData data_;
  MemoryNeed need_;
  std::optional<Engine> engine_;
  TrainingReport report_;
};

Result<void> Training::prepare() {
  if (auto read = read_options(); !read) return read;
  if (auto blas = check_blas(); !blas) return blas;
  if (!trainer_.checkpoint.empty()) {
    auto lock = lock_checkpoint(trainer_.checkpoint);
    if (!lock) return std::unexpected(lock.error());
    lock_.emplace(*std::move(lock));
  }
  if (auto opened = open_student(); !opened) return opened;
  if (auto chosen = choose_method(); !chosen) return chosen;
  return read_data();
}

Result<void> Training::read_options() {
  auto trainer = trainer_options_of(options_);
  if (!trainer) return std::unexpected(trainer.error());
  trainer_ = *std::move(trainer);
  const auto type = out_type_of(options_);
  if (!type) return std::unexpected(type.error());
  out_type_ = *type;
  if (options_.threads == 0) options_.threads = base::usable_cores();
  return {};
}

Result<void> Training::open_student() {
  auto student = model::WeightsFile::open(options_.student);
  if (!student) return std::unexpected(student.error());
  student_.emplace(*std::move(student));
  auto shape = read_shape(*student_);
  if (!shape) return std::unexpected(shape.error());
  shape_ = *std::move(shape);
  auto identity = base::file_identity(options_.student);
  if (!identity) return std::unexpected(identity.error());
  student_identity_ = *std::move(identity);
  return {};
}

Result<void> Training::choose_method() {
  std::optional<LoraOptions> begun;
  if (!options_.from.empty()) {
    auto from = model::WeightsFile::open(options_.from);
    if (!from) return std::unexpected(from.error());
    from_.emplace(*std::move(from));
    auto identity = base::file_identity(options_.from);
    if (!identity) return std::unexpected(identity.error());
    from_identity_ = *std::move(identity);
    auto lora = read_lora(*from_, *student_, student_identity_);
    if (!lora) return std::unexpected(lora.error());
    begun = *std::move(lora);
  }
  auto method = method_of(options_, begun);
  if (!method) return std::unexpected(method.error());
  method_ = *std::move(method);
  return {};
}

Result<void> Training::read_data() {
  auto data = load_train_data(options_, shape_, trainer_.loss.kind);
  if (!data) return std::unexpected(data.error());
  data_ = *std::move(data);
  if (options_.epochs > 0) trainer_.steps = steps_of(options_.epochs, data_, trainer_);
  RunSize size = run_size(data_.learned, !data_.held_out.empty(), trainer_);
  size.parameters = parameters();
  size.trained = trained();
  need_ = memory_need(shape_, method_, size);
  return check_memory(need_, method_.full, memory_available());
}

Result<void> Training::run() {
  Engine::use_threads(options_.threads);
  engine_.emplace(shape_, method_);
  if (auto loaded = load_weights(*student_, shape_, *engine_); !loaded) return loaded;
  if (from_) {
    if (auto loaded = load_lora(*from_, *engine_); !loaded) return loaded;
  }
  const StopOnSignal stop;
  ProgressBar bar(Terminal::of(stderr));
  bar.update(0, "before the first step");
  Trainer trainer(*engine_, data_.learned, data_.held_out, trainer_,
                  {{"student", student_identity_},
                   {"from", from_identity_},
                   {"data", data_.identity},
                   {"held_out", options_.held_out},
                   {"longest", options_.longest},
                   {"method", method_text()},
                   {"type", options_.type},
                   {"threads", options_.threads}});
  auto report = trainer.run(
      [&bar, this](const Progress& now) {
        bar.update(now.share, fmt::format("{}, {:.0f} tokens/s", outcome(now.state->curve.back()),
                                          now.tokens_per_second));
      },
      stop.token());
  bar.clear();
  if (!report) return std::unexpected(report.error());
  report_ = *std::move(report);
  return {};
}

std::string Training::outcome(const CurvePoint& point) const {
  return fmt::format("step {}{}, loss {:.4f}", point.step,
                     trainer_.steps > 0 ? fmt::format("/{}", trainer_.steps) : "", point.loss);
}

Result<void> Training::write() const {
  const std::filesystem::path out = options_.out;
  Provenance provenance{.name = options_.name.empty() ? out.stem().string() : options_.name,
                        .base_identity = student_identity_,
                        .from_identity = from_identity_};
  provenance.recipe = {{"data", data_.identity},
                       {"examples", data_.learned.size()},
                       {"loss", options_.loss},
                       {"method", method_text()},
                       {"type", options_.type},
                       {"learning_rate", trainer_.schedule.learning_rate},
                       {"batch_tokens", trainer_.batch_tokens},
                       {"accumulate", trainer_.accumulate},
                       {"steps", report_.state.step},
                       {"seed", options_.seed}};
  return options_.full ? write_student(out, *engine_, *student_, out_type_, provenance)
                       : write_adapter(out, *engine_, *student_, method_.lora, provenance);
}

TrainedRun Training::report(std::string command_line) const {
  return {.options = options_,
          .command_line = std::move(command_line),
          .architecture = shape_.architecture,
          .method = method_text(),
          .parameters = parameters(),
          .trained = trained(),
          .learned = data_.learned.size(),
          .held_out = data_.held_out.size(),
          .left_out = data_.left_out,
          .memory_estimate = need_.total(),
          .report = report_};
}

Result<void> show(const TrainedRun& run) {
  const TrainOptions& options = run.options;
  if (options.json != "-") Terminal::of(stdout).write(summary(run));
  if (!options.html.empty()) {
    if (auto done = write_output(options.html, to_html(page_of(run))); !done) return done;
  }
  if (options.json.empty()) return {};
  return write_output(options.json, boost::json::serialize(to_json(run)));
}

int train(const TrainOptions& options, const std::string& command_line) {
  Training training(options);
  Result<void> done = training.prepare();
  if (done) done = training.run();
  if (done) done = training.write();
  if (done) done = show(training.report(command_line));
  return done ? kOk : report_error(done.error());
}

}  // namespace

void add_train(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<TrainOptions>();
  auto* command = app.add_subcommand("train", "A student learns from examples");
  add_options(*command, *options);
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return train(*options, invocation.command_line); };
  });
}

}  // namespace lichen::cli
