#include "cli/turns.h"

#include <CLI/CLI.hpp>

#include "cli/progress.h"
#include "cli/prompt.h"

namespace lichen::cli {
namespace {

/// Writes pieces as they come, and takes `bar` away for them, which may be null. Called on the
/// thread of whoever generates, one piece at a time, while the main thread waits.
class TerminalSink : public Sink {
 public:
  TerminalSink(Palette& palette, const Terminal& terminal, ProgressBar* bar)
      : palette_(palette), terminal_(terminal), bar_(bar) {}

  awaitable<bool> write(Piece piece) override {
    if (bar_ != nullptr) bar_->clear();
    bytes_ += piece.text.size();
    terminal_.write(terminal_.styled(terminal_.harmless(piece.text), palette_.style(piece.model)));
    co_return std::ferror(terminal_.file) == 0;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  Palette& palette_;
  const Terminal& terminal_;
  ProgressBar* const bar_;
  std::size_t bytes_ = 0;
};

}  // namespace

void add_request_options(CLI::App& command, RequestOptions& options) {
  command.add_option("-p,--plan", options.plan, "Plan or model that answers")->type_name("NAME");
  command.add_option("-s,--system", options.system, "System message")->type_name("TEXT");
  command
      .add_option("-d,--document", options.document_file,
                  "Text that the question is about, of any length for a plan with `extract`; - is "
                  "stdin")
      ->type_name("FILE");
  command.add_option("-n,--max-tokens", options.max_tokens, "Most tokens of an answer")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  command
      .add_option("-t,--temperature", options.temperature,
                  "0 takes the likeliest token, higher is more varied")
      ->type_name("T")
      ->check(CLI::Range(0.0, 2.0));
  command.add_option("--seed", options.seed, "The same seed gives the same answer")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--offline", options.offline,
                   "Ask no remote model: each fails at once, and another answers where the plan "
                   "says so");
}

Result<void> load_document(RequestOptions& options, std::istream& piped) {
  if (options.document_file.empty()) return {};
  auto document = read_document(options.document_file, piped);
  if (!document) return std::unexpected(document.error());
  options.document = std::move(*document);
  return {};
}

Request make_request(const RequestOptions& options, std::vector<Message> messages) {
  if (!options.system.empty()) {
    messages.insert(messages.begin(), {.role = "system", .content = options.system});
  }
  Request request{.messages = std::move(messages), .document = options.document};
  request.max_tokens = options.max_tokens;
  request.sampling.temperature = options.temperature;
  request.sampling.seed = options.seed;
  return request;
}

Palette palette_of(const Runtime& runtime) {
  std::vector<std::string> names;
  for (const auto& model : runtime.models()) names.push_back(model->name());
  return Palette(names);
}

ShownTurn answer_shown(Host& host, Request request, const std::string& plan, Palette& palette,
                       const Terminal& out) {
  std::optional<ProgressBar> bar;
  if (request.document) bar.emplace(Terminal::of(stderr));
  TerminalSink sink(palette, out, bar ? &*bar : nullptr);
  Turn turn(plan, &sink);
  if (bar) {
    turn.progress = [&bar](std::string_view what, double done) { bar->update(done, what); };
  }
  auto answer = host.answer(std::move(request), turn);
  bar.reset();
  bool wrote = sink.bytes() > 0;
  if (answer && answer->text.size() > sink.bytes()) {  // what the mechanism did not stream
    out.write(coloured(answer->text, sink.bytes(), answer->authors, palette, out));
    wrote = true;
  }
  if (wrote) out.write("\n");
  return {.answer = std::move(answer), .receipt = std::move(turn.receipt)};
}

}  // namespace lichen::cli
