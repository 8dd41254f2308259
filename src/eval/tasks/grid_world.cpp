#include "eval/tasks/grid_world.h"

#include <algorithm>
#include <array>

#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::size_t kMaxPlanBytes = 4'096;
constexpr int kMaxSide = 64;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '.') {
      if (!word.empty()) words.push_back(lowercase(std::exchange(word, {})));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(lowercase(word));
  return words;
}

/// -1 where it is none, or too large to matter.
int number_in(std::string_view word) {
  if (word.empty() || word.size() > 4) return -1;
  int value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Cell> direction(std::string_view word) {
  if (word == "left") return Cell{-1, 0};
  if (word == "right") return Cell{1, 0};
  if (word == "up") return Cell{0, -1};
  if (word == "down") return Cell{0, 1};
  return std::nullopt;
}

constexpr std::string_view kKey = "key";

/// The state of an execution.
class Execution {
 public:
  explicit Execution(GridWorld world) : world_(std::move(world)) {}

  std::optional<std::string> step(const std::vector<std::string>& words) {
    if (const auto towards = direction(words[0])) {
      const int count = words.size() > 1 ? number_in(words[1]) : 1;
      if (count < 1 || words.size() > 2) return text("no step: ", join(words, " "));
      for (int i = 0; i < count; ++i) {
        if (auto problem = move(*towards)) return problem;
      }
      return std::nullopt;
    }
    if (words.size() != 2) return text("no step: ", join(words, " "));
    if (++steps_ > world_.max_steps) return "too many steps";
    if (words[0] == "pick") return pick(words[1]);
    if (words[0] == "drop") return drop(words[1]);
    if (words[0] == "open" && words[1] == "door") return open();
    return text("no step: ", join(words, " "));
  }

  std::optional<std::string> missing() const {
    for (const Thing& goal : world_.goals) {
      if (goal.name == "robot") {
        if (world_.robot != goal.cell) return "the robot is not at the goal";
      } else if (carried_ == goal.name || !contains(world_.things, goal)) {
        return text("the ", goal.name, " is not at the goal");
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> move(Cell towards) {
    if (++steps_ > world_.max_steps) return "too many steps";
    const Cell next{world_.robot.x + towards.x, world_.robot.y + towards.y};
    if (!world_.inside(next)) return "the robot leaves the grid";
    if (world_.blocked(next)) return "the robot runs into a wall or a closed door";
    world_.robot = next;
    return std::nullopt;
  }

  std::optional<std::string> pick(const std::string& name) {
    const auto thing = std::ranges::find(world_.things, name, &Thing::name);
    if (thing == world_.things.end() || thing->cell != world_.robot || carried_ == name) {
      return text("no ", name, " here");
    }
    if (name == kKey) {
      has_key_ = true;
      world_.things.erase(thing);
      return std::nullopt;
    }
    if (!carried_.empty()) return text("carries the ", carried_, " already");
    carried_ = name;
    return std::nullopt;
  }

  std::optional<std::string> drop(const std::string& name) {
    if (carried_ != name) return text("does not carry the ", name);
    std::ranges::find(world_.things, name, &Thing::name)->cell = world_.robot;
    carried_.clear();
    return std::nullopt;
  }

  std::optional<std::string> open() {
    if (!has_key_) return "opens a door without the key";
    const auto removed = std::erase_if(world_.doors, [this](Cell door) {
      return std::abs(door.x - world_.robot.x) + std::abs(door.y - world_.robot.y) == 1;
    });
    if (removed == 0) return "no closed door here";
    return std::nullopt;
  }

  GridWorld world_;
  std::string carried_;
  bool has_key_ = false;
  int steps_ = 0;
};

}  // namespace

bool GridWorld::inside(Cell cell) const {
  return cell.x >= 0 && cell.y >= 0 && cell.x < width && cell.y < height;
}

bool GridWorld::blocked(Cell cell) const { return contains(walls, cell) || contains(doors, cell); }

std::string GridWorld::to_text() const {
  std::string out = text("grid ", width, " ", height, "\nrobot ", robot.x, " ", robot.y);
  for (const Cell cell : walls) out += text("\nwall ", cell.x, " ", cell.y);
  for (const Cell cell : doors) out += text("\ndoor ", cell.x, " ", cell.y);
  for (const auto& [name, cell] : things) out += text("\nthing ", name, " ", cell.x, " ", cell.y);
  for (const auto& [name, cell] : goals) out += text("\ngoal ", name, " ", cell.x, " ", cell.y);
  return out + text("\nsteps ", max_steps);
}

std::optional<GridWorld> GridWorld::parse(std::string_view whole) {
  GridWorld world;
  bool has_robot = false;
  for (const auto line : split(whole, "\n")) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    const bool named = words[0] == "thing" || words[0] == "goal";
    std::array<int, 2> numbers{};
    const std::size_t first = named ? 2 : 1;
    const std::size_t count = words[0] == "steps" ? 1 : 2;
    if (words.size() != first + count) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) {
      numbers[i] = number_in(words[first + i]);
      if (numbers[i] < 0) return std::nullopt;
    }
    const Cell cell{numbers[0], numbers[1]};
    if (words[0] == "grid") {
      world.width = std::min(cell.x, kMaxSide);
      world.height = std::min(cell.y, kMaxSide);
    } else if (words[0] == "steps") {
      world.max_steps = numbers[0];
    } else if (!world.inside(cell)) {
      return std::nullopt;
    } else if (words[0] == "robot") {
      world.robot = cell;
      has_robot = true;
    } else if (words[0] == "wall") {
      world.walls.push_back(cell);
    } else if (words[0] == "door") {
      world.doors.push_back(cell);
    } else if (words[0] == "thing") {
      world.things.push_back({words[1], cell});
    } else if (words[0] == "goal") {
      world.goals.push_back({words[1], cell});
    } else {
      return std::nullopt;
    }
  }
  if (!has_robot || world.goals.empty()) return std::nullopt;
  return world;
}

std::optional<std::string> problem_with(std::string_view plan, GridWorld world) {
  if (plan.size() > kMaxPlanBytes) return "the plan is too long";
  std::string lines(plan);
  std::ranges::replace_if(lines, [](char c) { return c == ',' || c == ';'; }, '\n');
  Execution execution(std::move(world));
  for (const auto line : split(lines, "\n")) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    if (auto problem = execution.step(words)) return problem;
  }
  return execution.missing();
}

}  // namespace lichen::eval::tasks
