// A small world for plans: a robot on a grid with walls, doors and things. A plan is right if
// executing it reaches the goal; how does not matter.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::eval::tasks {

struct Cell {
  int x = 0;  // from the left, from 0
  int y = 0;  // from the top, from 0

  bool operator==(const Cell&) const = default;
};

struct Thing {
  std::string name;
  Cell cell;
  bool operator==(const Thing&) const = default;
};

struct GridWorld {
  int width = 0;
  int height = 0;
  Cell robot;
  std::vector<Cell> walls;
  std::vector<Cell> doors;  // closed ones; each opens from the next cell by who carries the key
  std::vector<Thing> things;
  std::vector<Thing> goals;  // where things, or "robot", must be
  int max_steps = 0;         // of single moves and actions

  /// One line a part: "grid 6 5", "robot 0 0", "wall 2 1", "door 2 3", "thing key 4 4",
  /// "goal cup 1 1", "steps 40".
  std::string to_text() const;
  /// Nothing where a line cannot be read, or a cell lies outside.
  static std::optional<GridWorld> parse(std::string_view text);

  bool inside(Cell cell) const;
  bool blocked(Cell cell) const;
};

/// Executes "right 2, pick key, up 1, open door, drop key": steps are separated by commas,
/// semicolons or line feeds; a robot carries one thing at a time, except that the key goes into its
/// pocket. Says what went wrong, or nothing where the goal is reached.
std::optional<std::string> problem_with(std::string_view plan, GridWorld world);

}  // namespace lichen::eval::tasks
