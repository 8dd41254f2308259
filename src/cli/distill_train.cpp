// lichen distill train: hands over to lichen-distill, which has libtorch.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "cli/distill_commands.h"
#include "cli/find_trainer.h"

namespace lichen::cli {
namespace {

int train(const std::vector<std::string>& arguments) {
  const auto trainer = find_trainer();
  if (!trainer) return report_error(trainer.error());
  std::vector<std::string> all = {trainer->string(), "train"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (arguments.empty()) all.emplace_back("--help");
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(argv.front(), argv.data());
  return report_error({Errc::storage, trainer->string() + " cannot be run: " +
                                          std::generic_category().message(errno)});
}

}  // namespace

void add_distill_train(CLI::App& distill, Invocation& invocation) {
  auto arguments = std::make_shared<std::vector<std::string>>();
  auto* command = distill.add_subcommand("train", "Train a student on captures or chats");
  command->prefix_command();
  command->fallthrough(false);  // whatever stands here is the trainer's
  command->set_help_flag();     // the trainer has its own
  command->footer(
      "The arguments are those of lichen-distill: alone, `lichen distill train` shows them.");
  command->callback([&invocation, command, arguments] {
    *arguments = command->remaining();
    invocation.action = [arguments] { return train(*arguments); };
  });
}

}  // namespace lichen::cli
