// What a JSON schema may be before it is turned into a grammar.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>

#include "lichen/result.h"

namespace lichen::model {

/// Each keeps the recursion of llama.cpp's converter, and of std::regex inside it, small, or its
/// work.
struct SchemaBounds {
  static constexpr std::size_t kBytes = 1 << 18;
  static constexpr std::size_t kNesting = 128;            // values in values
  static constexpr std::size_t kNameBytes = 1'024;        // of a property or `$ref`
  static constexpr std::size_t kReferredNesting = 2'000;  // of all that `$ref`s lead to, added up
  /// Schemas that the converter makes of it: copies for each type of a list, of what `$ref`s lead
  /// to, and a square of optional properties, of which any may be the first, and of patterns.
  static constexpr std::size_t kMade = 8'192;
};

/// `bad_request` with the bound that the schema exceeds. References in a circle are fine where they
/// describe something: a tree, say. They do not where an `allOf` would hold itself.
Result<void> check_schema(const boost::json::value& schema);

}  // namespace lichen::model
