// lichen completion: what the shells ask for when Tab is pressed.
#include "cli/completion.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"

namespace lichen::cli {
namespace {

bool every(const CLI::App*) { return true; }

struct Word {
  std::string text;
  std::string description;
};

/// What may follow a command's name: its subcommands and options, and the options of those above,
/// which are understood anywhere.
std::vector<Word> words_after(const CLI::App& command) {
  std::vector<Word> words;
  const auto add = [&words](std::string text, const std::string& description) {
    if (std::ranges::find(words, text, &Word::text) != words.end()) return;  // the nearest counts
    words.push_back({std::move(text), description});
  };
  for (const CLI::App* sub : command.get_subcommands(every)) {
    add(sub->get_name(), sub->get_description());
  }
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (app != &command && option == app->get_version_ptr()) continue;
      for (const auto& name : option->get_snames()) add("-" + name, option->get_description());
      for (const auto& name : option->get_lnames()) add("--" + name, option->get_description());
    }
  }
  return words;
}

/// Calls `visit` for each command with the path that leads to it: "", "run", "ledger show".
void each_command(const CLI::App& app, const std::string& path,
                  const std::function<void(const CLI::App&, const std::string&)>& visit) {
  visit(app, path);
  for (const CLI::App* sub : app.get_subcommands(every)) {
    each_command(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), visit);
  }
}

/// Shell code that walks the words typed so far and leaves the path of the command in `command`.
/// `$1` of each shell: how the words before the current one are listed.
std::string path_finder(const CLI::App& app, std::string_view typed) {
  std::string paths;
  each_command(app, "", [&](const CLI::App&, const std::string& path) {
    if (!path.empty()) paths += (paths.empty() ? "" : "|") + shell_quoted(path);
  });
  return fmt::format(
      "  local command='' word\n"
      "  for word in {}; do\n"
      "    case \"${{command:+$command }}$word\" in\n"
      "      {}) command=\"${{command:+$command }}$word\" ;;\n"
      "    esac\n"
      "  done\n",
      typed, paths);
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  each_command(app, "", [&](const CLI::App& command, const std::string& path) {
    std::string words;
    for (const auto& word : words_after(command)) {
      if (!words.empty()) words += ' ';
      words += word.text;
    }
    cases += fmt::format("    {}) words={} ;;\n", shell_quoted(path), shell_quoted(words));
  });
  return fmt::format(
      "# bash completion for {0}: source <({0} completion bash)\n"
      "_{0}() {{\n"
      "{1}"
      "  local words=''\n"
      "  case \"$command\" in\n"
      "{2}"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "}}\n"
      "complete -o bashdefault -o default -F _{0} {0}\n",
      app.get_name(), path_finder(app, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\""), cases);
}

std::string zsh_completion(const CLI::App& app) {
  std::string cases;
  each_command(app, "", [&](const CLI::App& command, const std::string& path) {
    std::string words;
    for (const auto& word : words_after(command)) {
      std::string entry;
      for (const char c : word.text) entry += c == ':' ? "\\:" : std::string(1, c);
      words += " " + shell_quoted(entry + ":" + word.description);
    }
    cases += fmt::format("    {}) candidates=({} ) ;;\n", shell_quoted(path), words);
  });
  return fmt::format(
      "#compdef {0}\n"
      "# zsh completion for {0}: put it into a folder of $fpath as _{0}, or source it\n"
      "_{0}() {{\n"
      "{1}"
      "  local -a candidates\n"
      "  case \"$command\" in\n"
      "{2}"
      "  esac\n"
      "  _describe -o {0} candidates\n"
      "  _files\n"
      "}}\n"
      "if [ \"$funcstack[1]\" = _{0} ]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n",
      app.get_name(), path_finder(app, "\"${(@)words[2,CURRENT-1]}\""), cases);
}

void add_completion(CLI::App& app, Invocation& invocation) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "Completions for a shell");
  command->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->type_name("SHELL");
  command->footer(
      "Examples:\n"
      "  source <(lichen completion bash)\n"
      "  lichen completion zsh > ~/.zfunc/_lichen");
  command->callback([&app, &invocation, shell] {
    invocation.action = [&app, shell] {
      Terminal::of(stdout).write(*shell == "bash" ? bash_completion(app) : zsh_completion(app));
      return kOk;
    };
  });
}

}  // namespace lichen::cli
