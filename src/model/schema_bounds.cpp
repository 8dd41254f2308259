#include "model/schema_bounds.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <set>
#include <string>
#include <string_view>

namespace lichen::model {
namespace {

namespace json = boost::json;

template <class Visit>
void for_each_child(const json::value& value, Visit visit) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [name, child] : *object) visit(std::string_view(name), child);
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& child : *array) visit(std::string_view(), child);
  }
}

/// Levels of objects and arrays in each other; more than `bound` count as one more.
std::size_t nesting(const json::value& value, std::size_t bound) {
  if (!value.is_structured()) return 0;
  std::size_t deepest = 0;
  if (bound > 0) {
    for_each_child(value, [&](std::string_view, const json::value& child) {
      deepest = std::max(deepest, nesting(child, bound - 1));
    });
  }
  return deepest + 1;
}

/// What "#/a/b" leads to in `root`, or null. As the converter, which knows no "~1".
const json::value* resolve(const json::value& root, std::string_view reference) {
  const json::value* at = &root;
  while (at != nullptr && reference.contains('/')) {
    reference.remove_prefix(reference.find('/') + 1);
    const std::string_view key = reference.substr(0, reference.find('/'));
    if (const json::object* object = at->if_object()) {
      at = object->if_contains(key);
    } else if (const json::array* array = at->if_array()) {
      std::size_t index = array->size();
      std::from_chars(key.data(), key.data() + key.size(), index);
      at = array->if_contains(index);
    } else {
      at = nullptr;
    }
  }
  return at;
}

/// What a schema holds whose nesting is known to be within its bound.
struct Contents {
  std::size_t longest_name = 0;
  /// The converter follows each reference once, at worst all of them one inside the other.
  std::size_t referred_nesting = 0;
  std::set<std::string_view> references = {};

  void add(const json::value& root, const json::value& value) {
    for_each_child(value, [&](std::string_view name, const json::value& child) {
      longest_name = std::max(longest_name, name.size());
      if (name == "$ref" && child.is_string()) add_reference(root, child.get_string());
      add(root, child);
    });
  }

  void add_reference(const json::value& root, std::string_view reference) {
    longest_name = std::max(longest_name, reference.size());
    const bool enough = referred_nesting > SchemaBounds::kReferredNesting;
    if (enough || !references.insert(reference).second) return;
    const json::value* target = resolve(root, reference);
    referred_nesting += 1 + (target == nullptr ? 0 : nesting(*target, SchemaBounds::kNesting));
  }
};

std::unexpected<Error> beyond(const std::string& what, std::size_t bound) {
  return fail(Errc::bad_request, "the JSON schema has " + what + "; at most " +
                                     std::to_string(bound) + " are allowed");
}

}  // namespace

Result<void> check_schema(const json::value& schema) {
  if (nesting(schema, SchemaBounds::kNesting) > SchemaBounds::kNesting) {
    return beyond("more levels of values in values than can be followed", SchemaBounds::kNesting);
  }
  if (const std::size_t bytes = json::serialize(schema).size(); bytes > SchemaBounds::kBytes) {
    return beyond(std::to_string(bytes) + " bytes", SchemaBounds::kBytes);
  }
  Contents contents;
  contents.add(schema, schema);
  if (contents.longest_name > SchemaBounds::kNameBytes) {
    return beyond("a name or `$ref` of " + std::to_string(contents.longest_name) + " bytes",
                  SchemaBounds::kNameBytes);
  }
  if (contents.referred_nesting > SchemaBounds::kReferredNesting) {
    return beyond(
        "too many `$ref`s: the levels of all that they lead to, one in the other, are more than "
        "can be followed",
        SchemaBounds::kReferredNesting);
  }
  return {};
}

}  // namespace lichen::model
