#include "lichen/answerer.h"

#include "base/document.h"

namespace lichen {

awaitable<Result<std::int64_t>> Model::count_tokens(Request request) {
  constexpr std::size_t kBytes = 4;
  co_return static_cast<std::int64_t>((base::text_bytes(request) + kBytes - 1) / kBytes);
}

}  // namespace lichen
