// Plans for a robot on a grid, checked by executing them.
//
// A wall fills a whole column and has one gap or door, so a way can be thought out: to the gap,
// through it, on to the goal.
#include "eval/tasks/families.h"
#include "eval/tasks/grid_world.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kAskPlan[] = {
    "{w} {g} Give the plan.",
    "Robot. {w} {g} What is the plan?",
    "{w} Task: {g} Write the steps.",
    "Plan for a robot. {w} {g}",
    "{w} {g} Which steps does it take?",
    "Here is a task for a robot: {g} {w} Write down the steps.",
    "Please help. {w} {g} What must the robot do?",
    "I need a plan for a robot. {w} {g}",
    "A robot needs your help. {w} {g} Which steps will get it there?",
    "Here is the world of a robot: {w} Its task: {g} Give your plan.",
    "How can the robot do this? {w} {g}",
    "{w} The task is this: {g} [List|Name] the steps of a good plan.",
    "Task: {g} World: {w} Plan:",
    "{g} [How is that done|What is to be done]? {w}",
    "If the robot starts like this, what steps does it need? {w} {g}",
    "Make a plan, step by step. {w} {g}",
    "Steps for the robot, please: {w} {g}",
    "{w} {g} Write [out|down] all the steps, one by one.",
    "Help the robot. {w} {g} Give the steps.",
    "{g} {w} What is the plan?",
    "Here is a robot. {w} {g} Write the plan.",
    "{w} Task: {g} Give the plan.",
    "{g} {w} Give the steps for the robot.",
    "Write the plan for a robot. {w} {g}"};
constexpr std::string_view kGoTo[] = {"Go to {c}.",
                                      "Move to {c}.",
                                      "Drive the robot to {c}.",
                                      "Please drive over to {c}.",
                                      "[Steer|Lead] the robot to {c}.",
                                      "Get the robot to {c}.",
                                      "Make the robot go to {c}.",
                                      "Your goal: get to the cell {c}.",
                                      "The goal of the robot is to reach {c}.",
                                      "The robot must be at {c} at the end.",
                                      "{c} is where the robot must end.",
                                      "Bring yourself to {c}.",
                                      "Can you bring the robot as far as {c}?",
                                      "Where to go: {c}.",
                                      "I [want|need] the robot at {c}.",
                                      "Reach {c}.",
                                      "Drive to {c}.",
                                      "The robot must get to {c}.",
                                      "Bring the robot to {c}.",
                                      "The goal is {c}.",
                                      "The robot must go to {c}.",
                                      "Get to {c}."};
constexpr std::string_view kBring[] = {"Bring the {o} to {c}.",
                                       "Carry the {o} to {c}.",
                                       "Take the {o} and put it down at {c}.",
                                       "Please take the {o} over to {c}.",
                                       "Let the robot move the {o} to {c}.",
                                       "Can you move the {o} so that it lies at {c}?",
                                       "Please move it: the {o} to {c}.",
                                       "I want you to get the {o} over to {c}.",
                                       "Fetch the {o} and get it to {c}.",
                                       "[Pick up|Fetch] the {o} and put it at {c}.",
                                       "The {o} must be at {c} at the end.",
                                       "Let the {o} go to {c}.",
                                       "Where must the {o} go? To {c}.",
                                       "The goal for the {o} is {c}.",
                                       "Deliver the {o} to {c}.",
                                       "The {o} belongs at {c}.",
                                       "I need the {o} at {c}.",
                                       "Take the {o} to {c}.",
                                       "The {o} must get to {c}.",
                                       "Move the {o} to {c}.",
                                       "Put the {o} at {c}.",
                                       "Get the {o} to {c}.",
                                       "The {o} must go to {c}."};
constexpr std::string_view kRules =
    "Steps: left n, right n, up n, down n, pick thing, drop thing, open door. x goes right, y goes "
    "down. ";

std::string written(Cell cell) { return text("(", cell.x, ",", cell.y, ")"); }

/// Builds world and plan together: the plan is what the robot did while the world was made.
class Tour {
 public:
  Tour(Random& random, int width, int height) : random_(random) {
    world_.width = width;
    world_.height = height;
    world_.robot = at_ = free_cell();
  }

  /// A wall over a whole column, left open at one row; returns the opening.
  void build_wall(int column) {
    column_ = column;
    gap_ = random_.below(world_.height);
    for (int y = 0; y < world_.height; ++y) {
      if (y != gap_) world_.walls.push_back({column, y});
    }
  }
  /// The gap becomes a door; the key lies on the robot's side.
  void close_gap() {
    world_.doors.push_back({column_, gap_});
    const Cell key = free_cell(side(at_));
    world_.things.push_back({"key", key});
    go(key);
    steps_.push_back("pick key");
  }

  /// A cell that nothing occupies; on the given side of the wall, -1, or 1, or on any with 0.
  Cell free_cell(int wanted_side = 0) {
    for (;;) {
      const int x = random_.below(world_.width);
      const Cell cell{x, random_.below(world_.height)};
      const bool taken =
          contains(world_.things, cell, &Thing::cell) || contains(world_.goals, cell, &Thing::cell);
      if (taken || x == column_ || cell == at_) continue;
      if (wanted_side == 0 || side(cell) == wanted_side) return cell;
    }
  }

  void go(Cell to) {
    if (column_ >= 0 && side(at_) != side(to)) {
      const Cell before{column_ + side(at_), gap_};
      walk(before);
      if (!world_.doors.empty() && !opened_) {
        steps_.push_back("open door");
        opened_ = true;
      }
      walk({column_ - side(at_), gap_});
    }
    walk(to);
  }

  void bring(const std::string& name, Cell from, Cell to) {
    world_.things.push_back({name, from});
    world_.goals.push_back({name, to});
    go(from);
    steps_.push_back("pick " + name);
    go(to);
    steps_.push_back("drop " + name);
  }

  void finish(Cell goal) {
    world_.goals.push_back({"robot", goal});
    go(goal);
  }

  int side(Cell cell) const { return cell.x < column_ ? -1 : 1; }
  Cell at() const { return at_; }
  const std::vector<std::string>& steps() const { return steps_; }

  /// With room for detours.
  GridWorld world() const {
    GridWorld world = world_;
    world.max_steps = 2 * moves_ + 10 + static_cast<int>(steps_.size());
    return world;
  }

  std::string described() const {
    std::string out = text("Grid ", world_.width, " x ", world_.height, ". The robot is at ",
                           written(world_.robot), ".");
    if (column_ >= 0) {
      out +=
          text(" Column ", column_, " is a wall with a ",
               world_.doors.empty() ? "gap" : "closed door", " at ", written({column_, gap_}), ".");
    }
    if (!world_.doors.empty()) out += " The door opens with the key from the next cell.";
    for (const auto& [name, cell] : world_.things) {
      out += text(" The ", name, " is at ", written(cell), ".");
    }
    return out;
  }

 private:
  /// First along x, then along y: nothing stands in the way on either side of the wall.
  void walk(Cell to) {
    const auto horizontally = [&] {
      if (to.x != at_.x)
        steps_.push_back(text(to.x > at_.x ? "right " : "left ", std::abs(to.x - at_.x)));
    };
    const auto vertically = [&] {
      if (to.y != at_.y)
        steps_.push_back(text(to.y > at_.y ? "down " : "up ", std::abs(to.y - at_.y)));
    };
    horizontally();
    vertically();
    moves_ += std::abs(to.x - at_.x) + std::abs(to.y - at_.y);
    at_ = to;
  }

  Random& random_;
  GridWorld world_;
  Cell at_{-1, -1};
  int column_ = -1;
  int gap_ = 0;
  bool opened_ = false;
  int moves_ = 0;
  std::vector<std::string> steps_;
};

}  // namespace

Task make_robot(Maker& maker) {
  Random& random = maker.random;
  const int width = random.between(maker.by_level(4, 5, 6, 7), maker.by_level(6, 8, 9, 10));
  const int height = random.between(4, maker.by_level(5, 6, 7, 8));
  Tour tour(random, width, height);
  if (maker.level >= 3) {
    int column = random.between(1, width - 2);
    while (column == tour.at().x) column = random.between(1, width - 2);
    tour.build_wall(column);
  }
  const bool door = maker.level == 4 && random.chance(60);
  if (door) tour.close_gap();
  const auto objects = random.draw(kObjects, 2);
  std::vector<std::string> goals;
  const auto bring = [&](std::string_view name, int from_side, int to_side) {
    const Cell from = tour.free_cell(from_side);
    Cell to = tour.free_cell(to_side);
    while (to == from) to = tour.free_cell(to_side);
    tour.bring(std::string(name), from, to);
    goals.push_back(phrase(maker, kBring, {{"o", name}, {"c", written(to)}}));
  };
  const int here = tour.side(tour.at());
  switch (maker.level) {
    case 1: break;
    case 2: bring(objects[0], 0, 0); break;
    case 3: bring(objects[0], here, -here); break;
    default:
      bring(objects[0], here, -here);
      if (!door) bring(objects[1], -here, random.chance(50) ? here : -here);
  }
  if (maker.level == 1 || (maker.level == 4 && door)) {
    const Cell goal = tour.free_cell();
    tour.finish(goal);
    goals.push_back(phrase(maker, kGoTo, {{"c", written(goal)}}));
  }
  Task task{
      .question = text(kRules, phrase(maker, kAskPlan,
                                      {{"w", tour.described()}, {"g", join(goals, " Then: ")}})),
      .answer = join(tour.steps()),
      .check = "plan",
      .reference = tour.world().to_text()};
  return task;
}

}  // namespace lichen::eval::tasks
