// What `run` and `chat` share: the options of a request, and a turn whose answer is written to the
// terminal while it comes.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "cli/host.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "lichen/request.h"

namespace CLI {
class App;
}

namespace lichen::cli {

struct RequestOptions {
  std::string plan;  // empty: the configuration's default
  std::string system;
  std::string document_file;            // "-": stdin; empty: none
  std::optional<std::string> document;  // what load_document has read
  std::optional<int> max_tokens;
  std::optional<float> temperature;
  std::optional<std::int64_t> seed;
  bool offline = false;
};

/// --plan, --system, --document, --max-tokens, --temperature, --seed, --offline. `options` must
/// outlive `command`.
void add_request_options(CLI::App& command, RequestOptions& options);

/// Reads the document that the options name, if any.
Result<void> load_document(RequestOptions& options, std::istream& piped);

/// A request of these messages, the system's first.
Request make_request(const RequestOptions& options, std::vector<Message> messages);

/// Colours for the models of a configuration.
Palette palette_of(const Runtime& runtime);

/// Answers on `out`, with a progress bar on stderr while a document is being read: streamed, each
/// author in its colour, ended by a line feed if anything was written. An empty plan is the
/// configuration's default. The turn's receipt is complete afterwards, also when it failed.
struct ShownTurn {
  Result<Answer> answer;
  Receipt receipt;
};
ShownTurn answer_shown(Host& host, Request request, const std::string& plan, Palette& palette,
                       const Terminal& out);

}  // namespace lichen::cli
