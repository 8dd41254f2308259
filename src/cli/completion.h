// Shell completions, made from the tree of commands itself, so that they cannot go stale.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace lichen::cli {

/// A script for `source <(lichen completion bash)`.
std::string bash_completion(const CLI::App& app);
/// A file `_lichen` for zsh's $fpath, which can be sourced, too.
std::string zsh_completion(const CLI::App& app);

}  // namespace lichen::cli
