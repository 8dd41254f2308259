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

/// Goes the converter's way through a schema whose nesting and references are within bounds, and
/// counts what it makes, up to the bound.
class Conversion {
 public:
  explicit Conversion(const json::value& root) : root_(root) {}

  void run(const std::set<std::string_view>& references) {
    visit(root_);
    for (const std::string_view reference : references) {  // of each the target, once
      if (const json::value* target = resolve(root_, reference)) visit(*target);
    }
    count_square(patterns_);
  }
  bool within() const { return made_ <= SchemaBounds::kMade; }
  /// An `allOf` holds itself.
  bool in_circle() const { return circle_; }

 private:
  bool count(std::size_t more) {
    if (within()) made_ += more;
    return within() && !circle_;
  }
  /// What is made once for each pair is cheaper than a schema.
  bool count_square(std::size_t parts) { return count(parts * parts / 8); }

  void visit(const json::value& value) {
    if (const json::array* array = value.if_array()) {
      if (!count(array->size() / 8)) return;  // of values, which are copied with a schema
      for (const json::value& child : *array) visit(child);
    }
    const json::object* object = value.if_object();
    if (object == nullptr) return;
    const json::value* type = object->if_contains("type");
    const json::array* types = type == nullptr ? nullptr : type->if_array();
    for (std::size_t copies = types == nullptr ? 1 : types->size(); copies > 0; --copies) {
      if (!count(1)) return;
      visit(*object);
    }
  }

  void visit(const json::object& object) {
    if (object.contains("$ref")) return;
    if (object.contains("pattern")) ++patterns_;
    if (!count_square(optional_properties(object))) return;
    for (const auto& [name, child] : object) {
      if (name == "properties") {  // whose names may be any of the words here
        for_each_child(child, [&](std::string_view, const json::value& one) { visit(one); });
      } else if (name == "allOf") {
        std::size_t properties = 0;
        take_over(child, properties);
        count_square(properties);
      } else {
        visit(child);
      }
    }
  }

  /// Into an `allOf`: from behind references, too, and each time anew.
  void take_over(const json::value& value, std::size_t& properties) {
    if (const json::array* array = value.if_array()) {
      for (const json::value& child : *array) take_over(child, properties);
    }
    const json::object* object = value.if_object();
    if (object == nullptr || !count(1)) return;
    const json::value* reference = object->if_contains("$ref");
    if (reference != nullptr && reference->is_string()) {
      const json::value* target = resolve(root_, reference->get_string());
      if (target == nullptr) return;
      if (!within_.insert(target).second) {
        circle_ = true;
        return;
      }
      take_over(*target, properties);
      within_.erase(target);
      return;
    }
    for (const char* alternatives : {"anyOf", "oneOf"}) {
      if (const json::value* some = object->if_contains(alternatives)) take_over(*some, properties);
    }
    const json::value* own = object->if_contains("properties");
    if (own != nullptr && own->is_object()) properties += own->get_object().size();
    visit(*object);
  }

  /// `required` may name one twice, and what is none.
  static std::size_t optional_properties(const json::object& object) {
    const json::value* own = object.if_contains("properties");
    const json::object* properties = own == nullptr ? nullptr : own->if_object();
    if (properties == nullptr) return 0;
    std::set<std::string_view> needed;
    const json::value* required = object.if_contains("required");
    if (required != nullptr) {
      for_each_child(*required, [&](std::string_view, const json::value& name) {
        if (name.is_string() && properties->contains(name.get_string())) {
          needed.insert(name.get_string());
        }
      });
    }
    return properties->size() - needed.size();
  }

  const json::value& root_;
  std::set<const json::value*> within_;  // what references in `allOf`s lead to, on the way here
  std::size_t made_ = 0;
  std::size_t patterns_ = 0;
  bool circle_ = false;
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
  Conversion conversion(schema);
  conversion.run(contents.references);
  if (conversion.in_circle()) {
    return fail(Errc::bad_request, "the JSON schema has an `allOf` that refers to itself");
  }
  if (!conversion.within()) {
    return beyond(
        "too many schemas, with those that lists of types, `$ref`s and optional properties make of "
        "them",
        SchemaBounds::kMade);
  }
  return {};
}

}  // namespace lichen::model
