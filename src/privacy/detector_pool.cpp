#include "privacy/detector_pool.h"

namespace lichen::privacy {

Result<std::shared_ptr<const Detector>> DetectorPool::get(KindSet kinds,
                                                          const std::vector<Term>& dictionary) {
  for (const Known& known : known_) {
    if (known.kinds == kinds && known.dictionary == dictionary) return known.detector;
  }
  auto made = Detector::make({.kinds = kinds, .dictionary = dictionary, .kept = kept_});
  if (!made) return std::unexpected(made.error());
  return known_.emplace_back(kinds, dictionary, std::make_shared<const Detector>(*std::move(made)))
      .detector;
}

}  // namespace lichen::privacy
