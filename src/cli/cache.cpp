// lichen cache: from which similarity on a cache may take two questions for the same.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "eval/baselines.h"
#include "eval/question_pairs.h"
#include "mechanisms/policy/question_facts.h"
#include "mechanisms/policy/similarity_calibration.h"
#include "policy/identity.h"

namespace lichen::cli {
namespace {

using mechanisms::ScoredPair;

constexpr std::size_t kAtOnce = 32;

struct CalibrateCommand {
  std::string pairs;
  std::string test;
  std::string embedder;
  std::string output;
  std::string json;
  std::string equal = "words";
  double alpha = 0.01;
  double delta = 0.05;
};

mechanisms::Equal equal_of(const CalibrateCommand& options) {
  return options.equal == "facts" ? mechanisms::Equal::facts : mechanisms::Equal::words;
}

struct PairsCommand {
  std::string output;
  std::string split = "calibration";
  std::size_t count = 4'000;
  std::uint64_t seed = 1;
};

/// A pair that the embedder cannot take is no hit.
struct Scores {
  std::vector<ScoredPair> pairs;
  std::size_t not_embedded = 0;
};

Result<Embeddings> embed(Host& host, const std::string& embedder, std::vector<std::string> texts) {
  Turn turn(embedder);
  const CancelOnSignal watch(host.io(), [&turn] { turn.cancel(); });
  return boost::asio::co_spawn(host.io(), host.runtime().embed(std::move(texts), turn),
                               boost::asio::use_future)
      .get();
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() ? std::inner_product(a.begin(), a.end(), b.begin(), 0.0) : -1;
}

Result<Scores> scores_of(Host& host, const CalibrateCommand& options,
                         std::span<const eval::QuestionPair> pairs) {
  ProgressBar bar(Terminal::of(stderr));
  Scores scores;
  for (std::size_t first = 0; first < pairs.size(); first += kAtOnce) {
    const auto some = pairs.subspan(first, std::min(kAtOnce, pairs.size() - first));
    std::vector<std::string> texts;
    for (const eval::QuestionPair& pair : some) {
      texts.push_back(pair.a);
      texts.push_back(pair.b);
    }
    const Result<Embeddings> vectors = embed(host, options.embedder, std::move(texts));
    if (!vectors && vectors.error().code != Errc::context_overflow) {
      return std::unexpected(vectors.error());
    }
    if (!vectors) scores.not_embedded += some.size();
    for (std::size_t i = 0; i < some.size(); ++i) {
      scores.pairs.push_back(
          {.cosine = vectors ? cosine((*vectors)[2 * i], (*vectors)[2 * i + 1]) : -1,
           .same_facts = mechanisms::facts_of(some[i].a, equal_of(options)) ==
                         mechanisms::facts_of(some[i].b, equal_of(options)),
           .same = some[i].same});
    }
    bar.update(static_cast<double>(first + some.size()) / static_cast<double>(pairs.size()),
               "embedding");
  }
  bar.clear();
  return scores;
}

/// As if nothing had to be equal.
std::vector<ScoredPair> without_veto(std::vector<ScoredPair> pairs) {
  for (ScoredPair& pair : pairs) pair.same_facts = true;
  return pairs;
}

std::int64_t same_in(std::span<const ScoredPair> pairs) {
  return std::ranges::count_if(pairs, &ScoredPair::same);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// One threshold on some pairs, as a row and as JSON.
struct Figures {
  std::string name;
  mechanisms::SimilarityPoint at;
  std::int64_t same = 0;  // of the pairs
  std::int64_t pairs = 0;

  static Figures of(std::string name, std::span<const ScoredPair> pairs, double threshold) {
    return {.name = std::move(name),
            .at = mechanisms::count_at(pairs, threshold),
            .same = same_in(pairs),
            .pairs = static_cast<std::int64_t>(pairs.size())};
  }
  double recall() const { return share(at.hits - at.wrong, same); }
  boost::json::object json() const {
    return {{"name", name},       {"threshold", at.threshold},
            {"pairs", pairs},     {"same", same},
            {"hits", at.hits},    {"wrong", at.wrong},
            {"recall", recall()}, {"error", share(at.wrong, at.hits)}};
  }
  void add_to(Table& table) const {
    table.row({name, fmt::format("{:.5f}", at.threshold), format_count(pairs),
               format_count(at.hits), format_percent(recall()), format_count(at.wrong),
               format_percent(share(at.wrong, at.hits))});
  }
};

std::string none_message(const mechanisms::RiskTarget& target, std::span<const ScoredPair> pairs) {
  return fmt::format(
      "{} pairs, {} of them the same, show no threshold at which at most {} of the hits are wrong "
      "at confidence {}; it takes {} hits without a wrong one at least. Nothing was written",
      format_count(static_cast<std::int64_t>(pairs.size())), format_count(same_in(pairs)),
      format_percent(target.alpha), format_percent(1 - target.delta),
      format_count(mechanisms::least_data(target)));
}

int calibrate(const CalibrateCommand& options, const Invocation& invocation) {
  const auto pairs = eval::load_pairs(options.pairs);
  if (!pairs) return report_error(pairs.error());
  std::optional<eval::QuestionPairs> test;
  if (!options.test.empty()) {
    auto loaded = eval::load_pairs(options.test);
    if (!loaded) return report_error(loaded.error());
    test = *std::move(loaded);
  }
  auto config = load_chosen_config(invocation.config);
  if (!config) return report_error(config.error());
  config->plans.clear();  // one of them may wait for what is made here
  config->serve.plan.clear();
  auto identity = policy::model_identity(*config, options.embedder);
  if (!identity) return report_error(identity.error());
  auto host = Host::open(eval::for_measuring(*std::move(config)));
  if (!host) return report_error(host.error());
  const auto scores = scores_of(**host, options, pairs->pairs);
  if (!scores) return report_error(scores.error());

  const mechanisms::RiskTarget target{.alpha = options.alpha, .delta = options.delta};
  const auto choice = mechanisms::choose_similarity(scores->pairs, target);
  const std::vector<ScoredPair> unvetoed = without_veto(scores->pairs);
  const auto without = mechanisms::choose_similarity(unvetoed, target);
  if (!choice) {
    return report_error({Errc::bad_model, none_message(target, scores->pairs)});
  }
  const double threshold = choice->at.threshold;
  std::vector<Figures> figures{
      Figures::of("chosen", scores->pairs, threshold),
      Figures::of("the same, whatever else differs", unvetoed, threshold),
      Figures::of(options.equal + " alone, at any similarity", scores->pairs, -1)};
  if (without) {
    figures.push_back(Figures::of("chosen where all may differ", unvetoed, without->at.threshold));
  }
  if (test) {
    const auto tested = scores_of(**host, options, test->pairs);
    if (!tested) return report_error(tested.error());
    figures.push_back(Figures::of("test: chosen", tested->pairs, threshold));
    figures.push_back(Figures::of("test: the same, whatever else differs",
                                  without_veto(tested->pairs), threshold));
  }
  const auto saved =
      mechanisms::save_similarity({.embedder = *std::move(identity),
                                   .equal = equal_of(options),
                                   .target = target,
                                   .choice = *choice,
                                   .pairs = static_cast<std::int64_t>(scores->pairs.size()),
                                   .data_hash = pairs->data_hash},
                                  options.output);
  if (!saved) return report_error(saved.error());

  if (options.json != "-") {
    Table table({{"", Table::Align::left},
                 {"threshold"},
                 {"pairs"},
                 {"hits"},
                 {"of the same found"},
                 {"wrong"},
                 {"of the hits"}});
    for (const Figures& row : figures) row.add_to(table);
    const auto out = Terminal::of(stdout);
    out.write(table.text(out));
    out.write(fmt::format(
        "\nAt confidence {} at most {} of the hits are wrong, among pairs like "
        "these.\nwritten: {} (threshold {:.5f}, {} pairs)\n",
        format_percent(1 - target.delta), format_percent(choice->upper_bound), options.output,
        threshold, format_count(static_cast<std::int64_t>(scores->pairs.size()))));
    if (scores->not_embedded > 0) {
      out.write(fmt::format("{} pairs were too long for the embedder, in batches of {}\n",
                            format_count(static_cast<std::int64_t>(scores->not_embedded)),
                            kAtOnce));
    }
  }
  if (options.json.empty()) return kOk;
  boost::json::array rows;
  for (const Figures& row : figures) rows.push_back(row.json());
  const boost::json::object json{{"embedder", options.embedder},
                                 {"equal", options.equal},
                                 {"alpha", target.alpha},
                                 {"delta", target.delta},
                                 {"threshold", threshold},
                                 {"upper_bound", choice->upper_bound},
                                 {"not_embedded", scores->not_embedded},
                                 {"figures", std::move(rows)}};
  const auto written = write_output(options.json, boost::json::serialize(json));
  return written ? kOk : report_error(written.error());
}

int write_pairs(const PairsCommand& options) {
  const auto pairs = eval::generated_pairs(
      {.split = eval::tasks::split_named(options.split).value_or(eval::tasks::Split::calibration),
       .seed = options.seed},
      options.count);
  std::string lines;
  for (const eval::QuestionPair& pair : pairs) {
    if (!lines.empty()) lines += '\n';
    lines += eval::to_json_line(pair);
  }
  const auto written = write_output(options.output, lines);
  return written ? kOk : report_error(written.error());
}

void add_calibrate(CLI::App& cache, Invocation& invocation) {
  auto options = std::make_shared<CalibrateCommand>();
  auto* command = cache.add_subcommand(
      "calibrate", "Choose from which similarity on two questions are the same");
  command->add_option("--pairs", options->pairs, "JSONL of {\"a\", \"b\", \"same\"}")
      ->type_name("FILE")
      ->required();
  command->add_option("--embedder", options->embedder, "Model of the configuration that embeds")
      ->type_name("NAME")
      ->required();
  command->add_option("-o,--output", options->output, "File that the plan names as `calibration`")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--equal", options->equal,
                   "What must be equal beside: all telling words, or facts alone")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"words", "facts"}))
      ->capture_default_str();
  command->add_option("--alpha", options->alpha, "Share of the hits that may be wrong")
      ->type_name("SHARE")
      ->check(CLI::Range(1e-6, 1 - 1e-6).description(""))
      ->capture_default_str();
  command->add_option("--delta", options->delta, "Probability that more of them are")
      ->type_name("SHARE")
      ->check(CLI::Range(1e-6, 1 - 1e-6).description(""))
      ->capture_default_str();
  command->add_option("--test", options->test, "Other pairs, on which the threshold is tried")
      ->type_name("FILE");
  add_json(*command, options->json);
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return calibrate(*options, invocation); };
  });
}

void add_pairs(CLI::App& cache, Invocation& invocation) {
  auto options = std::make_shared<PairsCommand>();
  auto* command = cache.add_subcommand("pairs", "Make pairs of questions out of the suite");
  command->add_option("-o,--output", options->output, "JSONL of {\"a\", \"b\", \"same\"}")
      ->type_name("FILE")
      ->required();
  command->add_option("--count", options->count, "How many pairs, half of them the same")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{200'000}).description(""))
      ->capture_default_str();
  command->add_option("--split", options->split, "train, calibration or test")
      ->type_name("NAME")
      ->check(CLI::IsMember({"train", "calibration", "test"}))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed makes other pairs")
      ->type_name("N")
      ->capture_default_str();
  command->callback(
      [&invocation, options] { invocation.action = [options] { return write_pairs(*options); }; });
}

}  // namespace

void add_cache(CLI::App& app, Invocation& invocation) {
  auto* cache = app.add_subcommand("cache", "Choose from when on a cache takes questions for one");
  cache->require_subcommand(1);
  cache->footer(
      "Examples:\n"
      "  lichen cache pairs -o pairs.jsonl --count 4000\n"
      "  lichen cache calibrate --pairs pairs.jsonl --embedder small -o my.similarity\n"
      "and in the plan\n"
      "  cache: {of: large, semantic: {embedder: small, calibration: my.similarity}}");
  add_calibrate(*cache, invocation);
  add_pairs(*cache, invocation);
}

}  // namespace lichen::cli
