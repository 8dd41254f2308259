// What comes out of a training run: an adapter, or a whole student, as GGUF.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "lichen/result.h"
#include "mechanisms/distillation/training/engine.h"
#include "mechanisms/distillation/training/training_method.h"
#include "model/weights_file.h"

namespace lichen::training {

/// How a result came to be; kept in its metadata under lichen.distill.*.
struct Provenance {
  std::string name;                // general.name
  std::string base_identity;       // base::file_identity of the student's file
  std::string from_identity = {};  // of the adapter that training went on from; empty: from none
  boost::json::object recipe = {};
};

/// The LoRA pairs in F32. `storage` where the disk refuses.
Result<void> write_adapter(const std::filesystem::path& output, const Engine& engine,
                           const model::WeightsFile& base, const LoraOptions& lora,
                           const Provenance& provenance);

/// All weights, with the metadata of the student that training began with. `type`: of the matrices;
/// null: each as it was. Rows that its blocks do not divide become q8_0, or f16.
Result<void> write_student(const std::filesystem::path& output, const Engine& engine,
                           const model::WeightsFile& base, const model::gguf::TensorType* type,
                           const Provenance& provenance);

}  // namespace lichen::training
