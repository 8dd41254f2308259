#include "cli/app.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>

#include "cli/turns.h"

namespace lichen::cli {
namespace {

/// What the arguments are understood as; nothing is run.
struct Parsed {
  Invocation invocation;
  int status = kOk;
};

Parsed parse(std::vector<std::string> arguments) {
  Parsed parsed;
  const auto app = make_app(parsed.invocation);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app->parse(arguments);
  } catch (const CLI::ParseError& e) {
    std::ostringstream unseen;
    parsed.status = app->exit(e, unseen, unseen) == 0 ? kOk : kUsage;
  }
  return parsed;
}

TEST(App, EachCommandIsUnderstood) {
  const std::vector<std::vector<std::string>> good = {
      {"run", "hello"},
      {"run"},
      {"run", "-"},
      {"run", "--json", "hello"},
      {"run", "-p", "x", "-s", "y", "-n", "5", "-t", "0.5", "--seed", "9223372036854775807", "hi"},
      {"run", "--document", "-", "hi"},
      {"chat", "--plan", "x", "-d", "a.txt"},
      {"serve", "--host", "127.0.0.1", "--port", "0"},
      {"demo", "--quick", "--json", "-", "--plans", "small,large"},
      {"demo", "--html", "none"},
      {"eval"},
      {"eval", "--suite", "mine.jsonl", "--judge", "large", "--limit", "5", "--fresh"},
      {"eval", "--plans", "auto", "--feedback"},
      {"eval", "--plans", "a,b", "--families", "add,sort", "--levels", "1,2", "--seed", "7"},
      {"eval", "--html", "a.html", "--svg", "a.svg", "--json", "-", "--journal", "a.jsonl"},
      {"bench", "speculate"},
      {"bench", "speculate", "--plans", "a,b", "--requests", "1,8", "--temperatures", "0,0.8"},
      {"blend", "--plan", "mean", "-o", "a.weights"},
      {"blend", "--plan", "a", "-o", "b", "--families", "add,sort", "--limit", "9", "--json", "-"},
      {"distill", "train", "--student", "a.gguf", "--data", "a.jsonl", "-o", "b.gguf"},
      {"distill", "on-policy", "-o", "b.gguf", "--count", "90", "--", "--epochs", "1"},
      {"distill", "bench", "--families", "add,sort", "--steps", "9", "--", "--type", "bf16"},
      {"guard"},
      {"guard", "--own"},
      {"guard", "--model", "large", "--false-alarms", "0", "--window", "64", "--json", "-"},
      {"route", "collect", "--small", "a", "--large", "b", "-o", "a.jsonl"},
      {"route", "train", "--data", "a.jsonl", "-o", "a.router"},
      {"route", "train", "--plan", "a", "-o", "a.head", "--json", "-"},
      {"route", "calibrate", "--plan", "a", "-o", "a.calibration", "--alpha", "0.1"},
      {"route", "calibrate", "--router", "a.router", "--ledger", "--small", "a", "--large", "b"},
      {"route", "eval", "--data", "a.jsonl", "--router", "knn", "--folds", "2"},
      {"route", "risk", "--data", "a.jsonl", "--resamples", "10"},
      {"models", "inspect", "a.gguf"},
      {"models", "compare", "a.gguf", "b.gguf"},
      {"doctor"},
      {"doctor", "--json"},
      {"doctor", "--json", "out.json"},
      {"ledger"},
      {"ledger", "--since", "7d", "--json"},
      {"ledger", "show", "rcpt_1"},
      {"ledger", "tail", "-n", "3"},
      {"keys", "--json"},
      {"keys", "make", "laptop", "--plan", "a", "--plan", "b", "--budget", "2.5", "--period",
       "day"},
      {"keys", "change", "laptop", "--unlimited", "budget", "--requests-per-minute", "5"},
      {"keys", "revoke", "laptop", "--json"},
      {"feedback", "rcpt_1", "0.5", "--comment", "why"},
      {"completion", "bash"},
      {"completion", "zsh"},
  };
  for (const auto& arguments : good) {
    const auto parsed = parse(arguments);
    EXPECT_EQ(parsed.status, kOk) << arguments[0];
    EXPECT_TRUE(parsed.invocation.action) << arguments[0];
  }
}

TEST(App, WrongArgumentsAreUsageErrors) {
  const std::vector<std::vector<std::string>> bad = {
      {},
      {"walk"},
      {"run", "a", "b"},
      {"run", "--max-tokens", "0", "a"},
      {"run", "--max-tokens", "many", "a"},
      {"run", "--temperature", "3", "a"},
      {"run", "--seed", "-1", "a"},
      {"run", "--no-such-option", "a"},
      {"serve", "--port", "70000"},
      {"demo", "--concurrency", "0"},
      {"suite", "--document", "10"},
      {"suite", "--document", "2000", "--families", "add"},
      {"eval", "--limit", "0"},
      {"eval", "--levels", "many"},
      {"eval", "--max-tokens", "0"},
      {"bench"},
      {"bench", "speculate", "--requests", "0"},
      {"blend", "--plan", "mean"},
      {"blend", "-o", "a.weights"},
      {"guard", "--false-alarms", "1.5"},
      {"guard", "--window", "10"},
      {"route"},
      {"route", "train", "--data", "a.jsonl"},
      {"route", "calibrate", "--alpha", "1"},
      {"route", "risk", "--resamples", "0"},
      {"models"},
      {"models", "inspect"},
      {"models", "compare", "a.gguf"},
      {"ledger", "show"},
      {"ledger", "tail", "-n", "0"},
      {"keys", "make"},
      {"keys", "make", "a", "--budget", "-1"},
      {"keys", "make", "a", "--requests-per-minute", "0"},
      {"keys", "make", "a", "--period", "year"},
      {"keys", "change", "a", "--unlimited", "everything"},
      {"keys", "revoke"},
      {"feedback", "rcpt_1"},
      {"feedback", "rcpt_1", "2"},
      {"feedback", "rcpt_1", "good"},
      {"completion", "fish"},
  };
  for (const auto& arguments : bad) {
    const auto parsed = parse(arguments);
    EXPECT_EQ(parsed.status, kUsage) << testing::PrintToString(arguments);
    EXPECT_FALSE(parsed.invocation.action) << testing::PrintToString(arguments);
  }
}

TEST(App, GlobalOptionsStandBeforeOrAfterTheCommand) {
  EXPECT_EQ(parse({"--config", "a.yaml", "doctor"}).invocation.config, "a.yaml");
  EXPECT_EQ(parse({"doctor", "--config", "a.yaml"}).invocation.config, "a.yaml");
  EXPECT_EQ(parse({"ledger", "tail", "-c", "a.yaml"}).invocation.config, "a.yaml");
  EXPECT_TRUE(parse({"doctor", "-v"}).invocation.verbose);
}

TEST(App, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(parse({"--help"}).status, kOk);
  EXPECT_EQ(parse({"--version"}).status, kOk);
  EXPECT_EQ(parse({"run", "--help"}).status, kOk);
  EXPECT_EQ(parse({"ledger", "tail", "--help"}).status, kOk);
}

TEST(App, RequestOptionsBecomeARequest) {
  RequestOptions options;
  CLI::App command;
  add_request_options(command, options);
  command.parse("--plan route --system Briefly. -n 7 -t 0.5 --seed 3");
  EXPECT_EQ(options.plan, "route");
  const auto request = make_request(options, {{.role = "user", .content = "hi"}});
  ASSERT_EQ(request.messages.size(), 2u);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[0].content, "Briefly.");
  EXPECT_EQ(request.messages[1].content, "hi");
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.sampling.temperature, 0.5f);
  EXPECT_EQ(request.sampling.seed, 3);

  const auto plain = make_request({}, {{.role = "user", .content = "hi"}});
  EXPECT_EQ(plain.messages.size(), 1u);
  EXPECT_EQ(plain.max_tokens, std::nullopt);
  EXPECT_EQ(plain.sampling.temperature, std::nullopt);
  EXPECT_EQ(plain.sampling.seed, std::nullopt);
}

TEST(App, ErrorsHaveTheirExitStatus) {
  EXPECT_EQ(exit_status({Errc::bad_config, ""}), kUsage);
  EXPECT_EQ(exit_status({Errc::not_found, ""}), kUsage);
  EXPECT_EQ(exit_status({Errc::cancelled, ""}), kCancelled);
  EXPECT_EQ(exit_status({Errc::upstream, ""}), kFailed);
  EXPECT_EQ(exit_status({Errc::context_overflow, ""}), kFailed);
}

TEST(App, JsonGoesToAFile) {
  const auto file = testing::TempDir() + "lichen_app_test.json";
  ASSERT_TRUE(write_output(file, "{}"));
  std::ifstream stream(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "{}\n");
  const auto refused = write_output("/nonexistent/folder/x.json", "{}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::storage);
}

}  // namespace
}  // namespace lichen::cli
