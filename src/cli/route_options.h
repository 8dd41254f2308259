// What the subcommands of `lichen route` share: their options, where their data comes from, how
// they show what came out.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>

#include "cli/command.h"
#include "cli/evaluation.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "eval/route_data.h"
#include "mechanisms/routing/router_training.h"

namespace lichen::cli {

struct RouteOptions {
  std::string data;
  bool recorded = false;          // the data is in a ledger ...
  std::string ledger;             // ... in this file; empty: in the configuration's
  std::filesystem::path config;   // --config
  std::string router = "linear";  // a kind, or a file
  std::string embedder;           // a GGUF whose embeddings `knn` reads; empty: it reads the text
  std::string output;
  std::string json;
  std::string small, large;
  std::string split = "prompt";
  std::uint64_t seed = 1;
  int folds = 5;
  double alpha = 0.05;
  double delta = 0.1;
  int resamples = 300;
  std::size_t calibration = 0;
  std::string plan;
  EvaluationOptions measuring{.suite = "calibration"};
  const Invocation* invocation = nullptr;
};

/// While it lives, a progress bar is shown and Ctrl-C stops the work.
class LongWork {
 public:
  explicit LongWork(std::string label) : label_(std::move(label)) {}

  mechanisms::TrainingOptions training(const RouteOptions& options,
                                       const std::string& embedder_hash);

 private:
  const std::string label_;
  ProgressBar bar_{Terminal::of(stderr)};
  std::stop_source stop_;
  boost::asio::io_context io_{1};
  CancelOnSignal watch_{io_, [this] { stop_.request_stop(); }};
  std::jthread thread_{[this] { io_.run(); }};

 public:
  ~LongWork() { io_.stop(); }
};

/// A line on stderr.
void say(const std::string& words);
void say_duplicates(const eval::RouteData& data);

/// Where the data comes from, for messages.
std::string source_of(const RouteOptions& options);

/// Outcomes, and of which model their features are embeddings; empty: of none.
struct LoadedData : eval::RouteData {
  std::string embedder_hash = {};
};

/// From a file, or from recorded traffic. `router`: the trained one that is to read the data, or
/// null.
Result<LoadedData> load_data(const RouteOptions& options, const mechanisms::RouterFile* router);

/// The table for people, unless stdout is for the JSON; then the JSON where it is wanted.
int finish(const RouteOptions& options, const std::string& table, const boost::json::object& json);

using RouteAction = int (*)(const RouteOptions&);

/// Declares options of one subcommand.
struct RouteCommand {
  CLI::App& app;
  RouteOptions& options;

  void data(const std::string& what);
  void plan(const std::string& what);
  /// What a plan is measured on.
  void suite();
  void kind();
  void embedder();
  void seed();
  void target();
  void json();
};

/// Options shared by the caller through `options`; `add` declares them.
void add_route_command(CLI::App& route, Invocation& invocation, const std::string& name,
                       const std::string& description, const std::string& examples,
                       RouteAction action, void (*add)(RouteCommand));

}  // namespace lichen::cli
