// suite_generator: the suite's tasks as JSONL on stdout. One static executable without any file
// beside it, to be carried to where models are trained.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <vector>

#include "eval/tasks/sample.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kHelp =
    R"(suite_generator [--split train|calibration|test] [--seed N] [--from N] [--count N]
                [--families NAME,...] [--levels 1,2,...] [--weights NAME:WEIGHT,...]

Writes the tasks FROM to FROM+COUNT-1 of the suite (split, seed) to stdout, one JSON object a line:
id, family, level, prompt, reference, check, answer where what to write is not the reference, and in
the train split follow_ups: further questions about the same text and their answers.
A task depends on nothing but split, seed and its number, so parts can be made in parallel.

Families come as often as their weights say; --weights changes those of some. Without --families all
of them are written. Without options: --split train --seed 1 --from 0 --count 1000.
)";

struct Options {
  SampleOptions sample{.split = Split::train};
  std::uint64_t from = 0;
  std::uint64_t count = 1'000;
  std::vector<const Family*> families;      // empty: all
  std::map<const Family*, double> weights;  // of families that do not keep their own
  std::vector<int> levels;
};

template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_families(std::string_view list, std::vector<const Family*>& families) {
  for (const auto name : split(list, ",")) {
    families.push_back(find_family(name));
    if (families.back() == nullptr) return false;
  }
  return true;
}

bool parse_weights(std::string_view list, std::map<const Family*, double>& weights) {
  for (const auto entry : split(list, ",")) {
    const auto parts = split(entry, ":");
    const Family* family = find_family(parts[0]);
    if (family == nullptr || parts.size() != 2) return false;
    if (!parse(parts[1], weights[family]) || weights[family] <= 0) return false;
  }
  return true;
}

bool set_option(std::string_view name, std::string_view value, Options& options) {
  if (name == "--split") {
    const auto chosen = split_named(value);
    if (chosen) options.sample.split = *chosen;
    return chosen.has_value();
  }
  if (name == "--seed") return parse(value, options.sample.seed);
  if (name == "--from") return parse(value, options.from);
  if (name == "--count") return parse(value, options.count);
  if (name == "--families") return parse_families(value, options.families);
  if (name == "--weights") return parse_weights(value, options.weights);
  if (name == "--levels") {
    for (const auto level : split(value, ",")) {
      if (!parse(level, options.levels.emplace_back())) return false;
      if (options.levels.back() < 1 || options.levels.back() > kLevels) return false;
    }
    return true;
  }
  return false;
}

/// As many entries of each cell as its family's weight says, a twentieth being one.
std::vector<FamilyLevel> weighted_cells(const Options& options) {
  std::vector<FamilyLevel> cells;
  for (const FamilyLevel& cell : cells_of(options.families, options.levels)) {
    const auto chosen = options.weights.find(cell.family);
    const double weight = chosen == options.weights.end() ? cell.family->weight : chosen->second;
    cells.insert(cells.end(), std::max<std::size_t>(1, std::lround(weight * 20)), cell);
  }
  return cells;
}

int write_tasks(const Options& options) {
  const auto cells = weighted_cells(options);
  std::string buffer;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    // A draw of its own for each task, where a suite takes turns: training text is long enough for
    // the shares to come out right.
    const auto index = options.from + i;
    Random random(mixed(mixed(options.sample.seed, index), 0x63656c6c));
    const FamilyLevel& cell = random.pick(cells);
    buffer += to_training_line(make_sample(options.sample, *cell.family, cell.level, index),
                               text(cell.family->name, "-", cell.level, "-", index));
    buffer += '\n';
    if (buffer.size() < 1u << 20 && i + 1 < options.count) continue;
    if (std::fwrite(buffer.data(), 1, buffer.size(), stdout) != buffer.size()) {
      std::fprintf(stderr, "suite_generator: cannot write: %s\n", std::strerror(errno));
      return 1;
    }
    buffer.clear();
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int run(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::cout << kHelp;
      return 0;
    }
    if (i + 1 == argc || !set_option(name, argv[i + 1], options)) {
      std::cerr << "suite_generator: cannot understand " << name << " "
                << (i + 1 < argc ? argv[i + 1] : "") << "\n\n"
                << kHelp;
      return 2;
    }
  }
  return write_tasks(options);
}

}  // namespace
}  // namespace lichen::eval::tasks

int main(int argc, char** argv) { return lichen::eval::tasks::run(argc, argv); }
