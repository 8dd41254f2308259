// Small files of what was learned or counted: one line of JSON, and under it the SHA-256 of that
// line, so that damage is noticed. The first key names the format, its value is the version.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string_view>

#include "lichen/result.h"

namespace lichen::mechanisms {

struct SealedFormat {
  std::string_view key;      // "lichen_calibration"
  std::string_view what;     // "calibration", for messages
  std::string_view command;  // that makes such a file
};

/// `not_found`, `too_large` (over 4 MiB) or `bad_model`: no such file, another format or version, a
/// wrong checksum.
Result<boost::json::object> load_sealed(const std::filesystem::path& file,
                                        const SealedFormat& format);
/// Replaces the file at once; adds the format's key in front of `content`. `storage` on failure.
Result<void> save_sealed(const boost::json::object& content, const std::filesystem::path& file,
                         const SealedFormat& format);

/// `bad_model`: the file is whole, and yet does not hold what it should.
std::unexpected<Error> bad_sealed(const std::filesystem::path& file, const SealedFormat& format,
                                  std::string_view what);

}  // namespace lichen::mechanisms
