#include "mechanisms/distillation/training/checkpoint.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstddef>
#include <exception>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "model/gguf/opened.h"
#include "model/tensor_codec.h"
#include "model/weights_file.h"
#include "model/weights_writer.h"

namespace lichen::training {

namespace {

namespace json = boost::json;

constexpr const char* kStateKey = "lichen.training.state";
constexpr const char* kIdentityKey = "lichen.training.run";

struct SlotName {
  Slot slot;
  const char* prefix;
};
constexpr std::array kSlots = {SlotName{Slot::value, "value."},
                               SlotName{Slot::first_moment, "first."},
                               SlotName{Slot::second_moment, "second."}};
constexpr const char* kBest = "best.";

/// The shortest text that is read back to the bit: Boost.JSON's own numbers are not.
std::string exact(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

/// Throws where it is no number.
double exact(const json::value& value) {
  const json::string& text = value.as_string();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("no number");
  }
  return number;
}

json::object to_json(const Measured& measured) {
  json::object object{{"loss", exact(measured.loss)}};
  if (measured.acceptance) object["acceptance"] = exact(*measured.acceptance);
  return object;
}

/// None where the key is not there.
std::optional<Measured> measured(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  const json::object& parts = value->as_object();
  Measured measured{.loss = exact(parts.at("loss"))};
  if (const auto* share = parts.if_contains("acceptance")) measured.acceptance = exact(*share);
  return measured;
}

json::object to_json(const CurvePoint& point) {
  json::object object{{"step", point.step},
                      {"loss", exact(point.loss)},
                      {"learning_rate", exact(point.learning_rate)},
                      {"gradient_norm", exact(point.gradient_norm)}};
  if (point.held_out) object["held_out"] = to_json(*point.held_out);
  return object;
}

CurvePoint curve_point(const json::object& object) {
  CurvePoint point{.step = object.at("step").to_number<std::int64_t>(),
                   .loss = exact(object.at("loss")),
                   .learning_rate = exact(object.at("learning_rate")),
                   .gradient_norm = exact(object.at("gradient_norm"))};
  point.held_out = measured(object, "held_out");
  return point;
}

json::object to_json(const RunState& state) {
  json::array curve;
  for (const CurvePoint& point : state.curve) curve.push_back(to_json(point));
  json::object object{{"step", state.step},           {"batches", state.batches},
                      {"tokens", state.tokens},       {"seconds", exact(state.seconds)},
                      {"best_step", state.best_step}, {"worse", state.worse},
                      {"curve", std::move(curve)}};
  if (state.before) object["before"] = to_json(*state.before);
  if (state.best) object["best"] = to_json(*state.best);
  return object;
}

/// Throws where something is missing.
RunState run_state(const json::object& object) {
  RunState state{.step = object.at("step").to_number<std::int64_t>(),
                 .batches = object.at("batches").to_number<std::uint64_t>(),
                 .tokens = object.at("tokens").to_number<std::int64_t>(),
                 .seconds = exact(object.at("seconds")),
                 .best_step = object.at("best_step").to_number<std::int64_t>(),
                 .worse = object.at("worse").to_number<int>()};
  for (const json::value& point : object.at("curve").as_array()) {
    state.curve.push_back(curve_point(point.as_object()));
  }
  state.before = measured(object, "before");
  state.best = measured(object, "best");
  return state;
}

model::TensorToWrite header(const std::string& name, const TrainedTensor& tensor) {
  model::TensorToWrite header{.name = name, .type = model::codec_type("f32")};
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    header.shape[i] = static_cast<std::uint64_t>(tensor.shape[tensor.shape.size() - 1 - i]);
  }
  return header;
}

/// The first key whose value is another one.
Result<void> check_identity(const std::filesystem::path& file, const json::object& kept,
                            const json::object& wanted) {
  for (const auto& [key, value] : wanted) {
    const json::value* before = kept.if_contains(key);
    if (before != nullptr && *before == value) continue;
    return fail(Errc::bad_request,
                file.string() + " is of another run: its " + std::string(key) + " is " +
                    (before == nullptr ? "not given" : json::serialize(*before)) + ", here it is " +
                    json::serialize(value) + "; take another folder, or start it as before");
  }
  return {};
}

class Reader {
 public:
  explicit Reader(const model::WeightsFile& file) : file_(file) {}

  Result<std::vector<float>> values(const std::string& name, const TrainedTensor& like) const {
    const model::gguf::Tensor* tensor = file_.find(name);
    if (tensor == nullptr || tensor->type->name != "f32" ||
        static_cast<std::int64_t>(tensor->elements) != like.elements) {
      return damaged("tensor '" + name + "' is missing or of another size");
    }
    std::vector<float> values(tensor->elements);
    auto done = file_.read(*tensor, 0, std::as_writable_bytes(std::span(values)));
    if (!done) return std::unexpected(done.error());
    return values;
  }
  Result<json::object> object(const char* key) const {
    const auto* value = file_.header().find(key);
    if (value == nullptr || !value->is(model::gguf::Kind::string)) {
      return damaged(std::string("it has no ") + key + ": no checkpoint of lichen-distill");
    }
    boost::system::error_code error;
    json::value parsed = json::parse(value->bytes, error);
    if (error || !parsed.is_object()) return damaged(std::string(key) + " is no JSON object");
    return std::move(parsed.as_object());
  }
  std::unexpected<Error> damaged(const std::string& why) const {
    return std::unexpected(model::gguf::file_error(file_.path(), why));
  }

 private:
  const model::WeightsFile& file_;
};

}  // namespace

Result<base::File> lock_checkpoint(const std::filesystem::path& file) {
  std::error_code error;  // the file's own says why
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  auto lock = base::File::open_to_write(file.string() + ".lock");
  if (!lock || lock->lock()) return lock;
  return fail(Errc::overloaded, file.string() +
                                    ": another run is at work on this checkpoint; wait for it, or "
                                    "name another folder");
}

Result<void> write_checkpoint(const std::filesystem::path& file, const Engine& engine,
                              const RunState& state, const json::object& identity) {
  const std::vector<TrainedTensor>& trained = engine.trained();
  model::gguf::Metadata metadata;
  metadata.set_text("general.type", "checkpoint");
  metadata.set_text("general.architecture", "lichen-training");
  metadata.set_text(kIdentityKey, json::serialize(identity));
  metadata.set_text(kStateKey, json::serialize(to_json(state)));
  std::vector<model::TensorToWrite> headers;
  for (const SlotName& slot : kSlots) {
    for (const TrainedTensor& tensor : trained) {
      headers.push_back(header(slot.prefix + tensor.name, tensor));
    }
  }
  for (std::size_t i = 0; i < state.best_weights.size(); ++i) {
    headers.push_back(header(kBest + trained[i].name, trained[i]));
  }
  auto writer = model::WeightsWriter::create(file, metadata, headers);
  if (!writer) return std::unexpected(writer.error());
  std::size_t next = 0;
  std::vector<float> values;
  for (const SlotName& slot : kSlots) {
    for (std::size_t i = 0; i < trained.size(); ++i) {
      values.resize(static_cast<std::size_t>(trained[i].elements));
      engine.read(i, slot.slot, values.data());
      auto done = writer->write(next++, 0, std::as_bytes(std::span(values)));
      if (!done) return done;
    }
  }
  for (const std::vector<float>& best : state.best_weights) {
    if (auto done = writer->write(next++, 0, std::as_bytes(std::span(best))); !done) return done;
  }
  return writer->finish();
}

Result<RunState> read_checkpoint(const std::filesystem::path& file, Engine& engine,
                                 const json::object& identity) {
  const auto opened = model::WeightsFile::open(file);
  if (!opened) return std::unexpected(opened.error());
  const Reader reader(*opened);
  const auto kept = reader.object(kIdentityKey);
  if (!kept) return std::unexpected(kept.error());
  if (auto same = check_identity(file, *kept, identity); !same) {
    return std::unexpected(same.error());
  }
  const auto object = reader.object(kStateKey);
  if (!object) return std::unexpected(object.error());
  RunState state;
  try {
    state = run_state(*object);
  } catch (const std::exception&) {  // Boost's, of a value that is missing or of another kind
    return reader.damaged(std::string(kStateKey) + " lacks a value");
  }
  const std::vector<TrainedTensor>& trained = engine.trained();
  for (const SlotName& slot : kSlots) {
    for (std::size_t i = 0; i < trained.size(); ++i) {
      const auto values = reader.values(slot.prefix + trained[i].name, trained[i]);
      if (!values) return std::unexpected(values.error());
      engine.write(i, slot.slot, values->data());
    }
  }
  if (!state.best) return state;
  for (const TrainedTensor& tensor : trained) {
    auto values = reader.values(kBest + tensor.name, tensor);
    if (!values) return std::unexpected(values.error());
    state.best_weights.push_back(*std::move(values));
  }
  return state;
}

}  // namespace lichen::training
