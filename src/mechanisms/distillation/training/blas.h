// Which library multiplies libtorch's matrices.
#pragma once

#include <string>

namespace lichen::training {

/// Its file, or "MKL" where libtorch has that inside; empty where it cannot be told.
std::string blas_library();

/// Whether it is one that is made for speed. Debian's default is not: it trains 17 times slower.
bool is_fast_blas(const std::string& library);

}  // namespace lichen::training
