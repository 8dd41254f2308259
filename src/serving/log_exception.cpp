#include "serving/log_exception.h"

#include <spdlog/spdlog.h>

namespace lichen::serving {

void log_exception(std::exception_ptr problem) {
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    spdlog::error("server: {}", error.what());
  } catch (...) {
    spdlog::error("server: an exception of unknown type");
  }
}

}  // namespace lichen::serving
