// lichen chat: several turns with their history.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "base/utf8.h"
#include "cli/chat_input.h"
#include "cli/command.h"
#include "cli/turns.h"

namespace lichen::cli {
namespace {

constexpr std::string_view kHelp =
    "/plan NAME   answer by another plan or model\n"
    "/receipt     what the last answer cost and who wrote it\n"
    "/reset       forget the conversation\n"
    "/exit        leave (so does Ctrl-D)\n";

/// One conversation. Everything happens on the main thread.
class Chat {
 public:
  Chat(Host& host, RequestOptions options)
      : host_(host),
        options_(std::move(options)),
        palette_(palette_of(host.runtime())),
        plan_(options_.plan) {}

  /// Returns the exit status: when not a terminal, the last turn's.
  int run();

 private:
  void greet() const;
  void obey(const ChatInput& input);
  void change_plan(const std::string& name);
  void say(std::string text);

  Host& host_;
  const RequestOptions options_;
  Palette palette_;
  std::string plan_;  // empty: the default
  std::vector<Message> history_;
  Receipt last_;
  int status_ = kOk;
  const Terminal out_ = Terminal::of(stdout);
  const Terminal err_ = Terminal::of(stderr);
  const bool person_ = Terminal::of(stdin).interactive;
};

int Chat::run() {
  if (person_) greet();
  std::string line;
  while (true) {
    if (person_) err_.write(err_.styled(plan_ + "> ", Style::bold));
    if (!std::getline(std::cin, line)) break;
    const ChatInput input = read_chat_input(line);
    if (input.kind == ChatInput::exit) return person_ ? kOk : status_;
    if (input.kind == ChatInput::text) {
      say(input.argument);
    } else {
      obey(input);
    }
  }
  if (person_) err_.write("\n");
  return person_ ? kOk : status_;
}

void Chat::greet() const { err_.write("Say something; /help tells what else there is.\n"); }

void Chat::obey(const ChatInput& input) {
  switch (input.kind) {
    case ChatInput::reset: history_.clear(); break;
    case ChatInput::plan: change_plan(input.argument); break;
    case ChatInput::receipt:
      err_.write(last_.id.empty() ? "no answer yet\n" : receipt_text(last_, palette_, err_));
      break;
    case ChatInput::help: err_.write(kHelp); break;
    case ChatInput::unknown:
      err_.write("no command " + err_.harmless(input.argument) + "; there are\n" +
                 std::string(kHelp));
      break;
    case ChatInput::nothing:
    case ChatInput::text:
    case ChatInput::exit: break;
  }
}

void Chat::change_plan(const std::string& name) {
  if (auto found = host_.runtime().find(name); !found || name.empty()) {
    err_.write((found ? "/plan needs a name" : err_.harmless(found.error().detail)) + "\n");
    return;
  }
  plan_ = name;
}

void Chat::say(std::string text) {
  if (!base::valid_utf8(text)) {
    status_ = report_error({Errc::bad_request, "the message is not UTF-8"});
    return;
  }
  history_.push_back({.role = "user", .content = std::move(text)});
  auto turn = answer_shown(host_, make_request(options_, history_), plan_, palette_, out_);
  last_ = std::move(turn.receipt);
  if (!turn.answer) {
    history_.pop_back();  // so that it can be asked again
    status_ = report_error(turn.answer.error());
    return;
  }
  status_ = kOk;
  err_.write(citations_text(turn.answer->citations, err_));
  history_.push_back({.role = "assistant", .content = std::move(turn.answer->text)});
}

int chat(RequestOptions options, const Invocation& invocation) {
  if (options.document_file == "-") {
    return report_error(
        {Errc::bad_request, "the turns come from stdin, so the document cannot: name its file"});
  }
  if (auto loaded = load_document(options, std::cin); !loaded) return report_error(loaded.error());
  auto host = Host::open(invocation.config, options.offline);
  if (!host) return report_error(host.error());
  if (auto found = (*host)->runtime().find(options.plan); !found) {
    return report_error(found.error());
  }
  return Chat(**host, std::move(options)).run();
}

}  // namespace

void add_chat(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RequestOptions>();
  auto* command = app.add_subcommand("chat", "Several turns with their history");
  add_request_options(*command, *options);
  command->footer(
      "While chatting:\n" + std::string(kHelp) +
      "A line that starts with // is sent with one slash. Piped in, each line is a turn.\n"
      "\n"
      "Examples:\n"
      "  lichen chat\n"
      "  printf 'What is 2 + 3?\\n/receipt\\n' | lichen chat --plan cascade");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return chat(*options, invocation); };
  });
}

}  // namespace lichen::cli
