// A made-up world of 5,000 towns, people and products with four facts each, always the same. An
// entity's rank says how often training speaks of it: the first ones can be learned by a small
// model, the last ones cannot.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

enum class Kind : std::uint8_t { town, person, product };

struct Entity {
  Kind kind;
  std::string name;
  std::array<std::string, 4> values;  // of the attributes, in their order
};

/// By rank.
const std::vector<Entity>& world();

struct Attribute {
  std::string_view noun;      // "founder"
  std::string_view sentence;  // "{e} was founded by {v}."
  Phrasings questions;        // "Who founded {e}?"
};
std::span<const Attribute, 4> attributes(Kind kind);
std::string_view to_string(Kind kind);

/// An entity as often as its rank says, within the ranks of the maker's level.
const Entity& random_entity(Maker& maker);
const Entity& random_entity(Maker& maker, Kind kind);

/// Values of the same attribute that other entities of that kind have, different from `value`.
std::vector<std::string> other_values(Random& random, Kind kind, std::size_t attribute,
                                      std::string_view value);

}  // namespace lichen::eval::tasks
