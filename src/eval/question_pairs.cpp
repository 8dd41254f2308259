#include "eval/question_pairs.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/sha256.h"

namespace lichen::eval {
namespace {

namespace json = boost::json;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{64} << 20;
constexpr std::uint64_t kCandidates = 24;
/// Longer questions are about a text of their own, which is what makes them alike.
constexpr std::size_t kLongest = 400;  // bytes

std::optional<QuestionPair> pair_from(std::string_view line) {
  boost::system::error_code wrong;
  const json::value value = json::parse(line, wrong);
  if (wrong || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const json::value* a = object.if_contains("a");
  const json::value* b = object.if_contains("b");
  const json::value* same = object.if_contains("same");
  if (object.size() != 3 || a == nullptr || !a->is_string() || a->get_string().empty() ||
      b == nullptr || !b->is_string() || b->get_string().empty() || same == nullptr ||
      !same->is_bool()) {
    return std::nullopt;
  }
  return QuestionPair{.a = std::string(a->get_string()),
                      .b = std::string(b->get_string()),
                      .same = same->get_bool()};
}

std::set<std::string, std::less<>> words_of(std::string_view text) {
  std::set<std::string, std::less<>> words;
  std::string word;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank) word += c;
    if (blank && !word.empty()) words.insert(std::exchange(word, {}));
  }
  if (!word.empty()) words.insert(std::move(word));
  return words;
}

/// Share of the words of both that are in both (Jaccard).
double alike(std::string_view a, std::string_view b) {
  const auto left = words_of(a), right = words_of(b);
  std::vector<std::string> common;
  std::ranges::set_intersection(left, right, std::back_inserter(common));
  const std::size_t all = left.size() + right.size() - common.size();
  return all == 0 ? 0 : static_cast<double>(common.size()) / static_cast<double>(all);
}

/// The tasks of one family at one level, each of which is used once.
class PairMaker {
 public:
  PairMaker(const tasks::SampleOptions& options, const tasks::FamilyLevel& cell)
      : options_(options), cell_(cell) {}

  /// None: the next task has no second wording, or all that are like it have its answer.
  std::optional<QuestionPair> same() {
    const std::uint64_t task = next_++;
    const tasks::Sample first = sample(task, 0);
    for (std::uint64_t wording = 1; wording <= kCandidates; ++wording) {
      tasks::Sample second = sample(task, wording);
      if (second.reference != first.reference) return std::nullopt;  // its wording is its task
      if (second.prompt == first.prompt || second.prompt.size() > kLongest) continue;
      if (first.prompt.size() > kLongest) return std::nullopt;
      return QuestionPair{.a = first.prompt, .b = std::move(second.prompt), .same = true};
    }
    return std::nullopt;
  }
  std::optional<QuestionPair> different() {
    const tasks::Sample first = sample(next_++, 0);
    std::optional<QuestionPair> nearest;
    double most = -1;
    for (std::uint64_t i = 0; i < kCandidates; ++i) {
      tasks::Sample other = sample(next_++, i);
      if (other.reference == first.reference || other.prompt == first.prompt) continue;
      if (std::max(first.prompt.size(), other.prompt.size()) > kLongest) continue;
      const double common = alike(first.prompt, other.prompt);
      if (common <= most) continue;
      most = common;
      nearest = QuestionPair{.a = first.prompt, .b = std::move(other.prompt), .same = false};
    }
    return nearest;
  }

 private:
  tasks::Sample sample(std::uint64_t task, std::uint64_t wording) const {
    return tasks::reworded_sample(options_, *cell_.family, cell_.level, task, wording);
  }

  const tasks::SampleOptions options_;
  const tasks::FamilyLevel cell_;
  std::uint64_t next_ = 0;
};

}  // namespace

Result<QuestionPairs> load_pairs(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return fail(Errc::not_found, file.string() + " cannot be read");
  if (size > kMostBytes) {
    return fail(Errc::too_large, file.string() + ": a file of pairs has at most 64 MiB");
  }
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  QuestionPairs result{.pairs = {}, .data_hash = base::sha256_hex(bytes)};
  std::string_view rest = bytes;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto pair = pair_from(line);
    if (!pair) {
      return fail(Errc::bad_request,
                  fmt::format("{}:{}: a pair is {{\"a\": TEXT, \"b\": TEXT, \"same\": true or "
                              "false}}",
                              file.string(), number));
    }
    result.pairs.push_back(*std::move(pair));
  }
  if (result.pairs.empty()) return fail(Errc::bad_request, file.string() + " holds no pair");
  return result;
}

std::string to_json_line(const QuestionPair& pair) {
  return json::serialize(json::object{{"a", pair.a}, {"b", pair.b}, {"same", pair.same}});
}

std::vector<QuestionPair> generated_pairs(const tasks::SampleOptions& options, std::size_t count) {
  std::vector<PairMaker> makers;
  for (const tasks::FamilyLevel& cell : tasks::cells_of({}, {})) {
    PairMaker maker(options, cell);
    // A trial of its own: whether the family has pairs at all.
    PairMaker trial(options, cell);
    int found = 0;
    for (int i = 0; i < 3; ++i) {
      found += trial.same().has_value() ? 1 : 0;
      found += trial.different().has_value() ? 1 : 0;
    }
    if (cell.family->prompt.empty() && found == 6) makers.push_back(std::move(maker));
  }
  std::vector<QuestionPair> pairs;
  for (std::size_t i = 0; pairs.size() < count; ++i) {
    PairMaker& maker = makers[i / 2 % makers.size()];
    auto pair = i % 2 == 0 ? maker.same() : maker.different();
    if (pair) pairs.push_back(*std::move(pair));
  }
  return pairs;
}

}  // namespace lichen::eval
