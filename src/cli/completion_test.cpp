#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/app.h"

namespace lichen::cli {
namespace {

using testing::HasSubstr;

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() {
    tree_.add_option("-c,--config", config_, "Configuration");
    auto* show = tree_.add_subcommand("show", "Show it's worth");
    show->add_flag("--json", json_, "As JSON: all of it");
    show->add_subcommand("deep", "Deeper")->add_option("-n,--count", count_, "How many");
  }
  bool json_ = false;
  int count_ = 0;
  std::string config_;
  CLI::App tree_{"", "lichen"};
};

TEST_F(CompletionTest, BashKnowsEveryCommandAndItsOptions) {
  const auto script = bash_completion(tree_);
  EXPECT_THAT(script, HasSubstr("'') words='show -h --help -c --config' ;;"));
  EXPECT_THAT(script, HasSubstr("'show') words='deep -h --help --json -c --config' ;;"));
  EXPECT_THAT(script, HasSubstr("'show deep') words='-h --help -n --count --json -c --config' ;;"));
  EXPECT_THAT(script, HasSubstr("'show'|'show deep') command="));
}

TEST_F(CompletionTest, ZshQuotesDescriptions) {
  const auto script = zsh_completion(tree_);
  EXPECT_THAT(script, HasSubstr("#compdef lichen\n"));
  EXPECT_THAT(script, HasSubstr("'show:Show it'\\''s worth'"));
  EXPECT_THAT(script, HasSubstr("'--json:As JSON: all of it'"));
}

// Whatever is added to the program's own tree is in its completions.
TEST(Completion, HoldsTheWholeTree) {
  Invocation invocation;
  const auto app = make_app(invocation);
  const auto bash = bash_completion(*app), zsh = zsh_completion(*app);
  int commands = 0;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    ++commands;
    EXPECT_THAT(bash, HasSubstr("'" + command->get_name() + "') words="));
    EXPECT_THAT(zsh, HasSubstr("'" + command->get_name() + ":"));
    for (const CLI::Option* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) EXPECT_THAT(bash, HasSubstr("--" + name));
    }
  }
  EXPECT_GE(commands, 8);
}

}  // namespace
}  // namespace lichen::cli
