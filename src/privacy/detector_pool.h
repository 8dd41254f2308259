// One detector for all who look for the same.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "lichen/result.h"
#include "privacy/detector.h"

namespace lichen::privacy {

/// Not thread-safe; its detectors are, and may outlive it.
class DetectorPool {
 public:
  /// `kept`: see DetectorOptions.
  explicit DetectorPool(std::filesystem::path kept = {}) : kept_(std::move(kept)) {}

  /// Made the first time. Fails as `Detector::make`.
  Result<std::shared_ptr<const Detector>> get(KindSet kinds, const std::vector<Term>& dictionary);

 private:
  struct Known {
    KindSet kinds;
    std::vector<Term> dictionary;
    std::shared_ptr<const Detector> detector;
  };

  const std::filesystem::path kept_;
  std::vector<Known> known_;
};

}  // namespace lichen::privacy
