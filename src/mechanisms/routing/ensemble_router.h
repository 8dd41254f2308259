// `ensemble`: the mean of what `linear`, `knn` and `mf` say of one prompt. Each errs in its own
// way, and their needs are in one unit.
#pragma once

#include <memory>

#include "mechanisms/routing/text_router.h"

namespace lichen::mechanisms {

/// A file's tables: those of the three.
Result<std::unique_ptr<VectorRouter>> make_ensemble_router(const RouterFile& file);

}  // namespace lichen::mechanisms
