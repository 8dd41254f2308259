// lichen distill export: a capture for trainers on clusters.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "base/format.h"
#include "base/sha256.h"
#include "cli/distill_commands.h"
#include "cli/host.h"
#include "cli/progress.h"
#include "cli/stop_on_signal.h"
#include "cli/suite_options.h"
#include "cli/table.h"
#include "mechanisms/distillation/capture_export.h"

namespace lichen::cli {
namespace {

namespace fs = std::filesystem;

struct ExportCommand {
  std::string capture;
  std::string output;
  std::string tokenizer;  // a GGUF; empty: the teacher's, if the configuration has it
  bool chats_only = false;
  mechanisms::OddsOptions odds;
  std::string json;
};

/// The GGUF of the configuration's model that was the teacher; empty: none was, as far as that can
/// be told.
fs::path teacher_file(const std::string& teacher, const Invocation& invocation) {
  const auto config = load_chosen_config(invocation.config);
  if (!config) return {};
  for (const policy::ModelConfig& model : config->models) {
    const auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    const auto identity =
        local == nullptr ? Result<std::string>() : base::file_identity(local->gguf);
    if (local != nullptr && identity && teacher == "gguf " + *identity) return local->gguf;
  }
  return {};
}

struct Exported {
  mechanisms::ExportedChats chats = {};
  std::optional<mechanisms::ExportedOdds> odds = {};  // none: chats only
  std::string no_odds = {};                           // and why
  fs::path chat_file, odds_file, config_file;
};

Result<void> make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return {};
  return fail(Errc::storage, folder.string() + " cannot be made: " + error.message());
}

/// The GGUF whose tokens the odds are to be in; empty, and why, where there are to be none.
fs::path tokenizer_of(const ExportCommand& command, const mechanisms::CaptureFile& capture,
                      const Invocation& invocation, std::string& why_not) {
  if (command.chats_only) {
    why_not = "not asked for";
  } else if (capture.tokens() == 0 || capture.info().alternatives == 0) {
    why_not = "the teacher gave no log-probabilities";
  } else if (!command.tokenizer.empty()) {
    return command.tokenizer;
  } else if (fs::path file = teacher_file(capture.info().teacher, invocation); !file.empty()) {
    return file;
  } else {
    why_not =
        "no model of the configuration was the teacher, so its tokens have no numbers; --tokenizer "
        "MODEL.gguf names a model of its vocabulary";
  }
  return {};
}

Result<Exported> exported(const ExportCommand& command, const Invocation& invocation) {
  const auto capture = mechanisms::CaptureFile::open(command.capture);
  if (!capture) return std::unexpected(capture.error());
  Exported all;
  const fs::path folder = command.output, data = folder / "odds";
  all.chat_file = folder / "chat.jsonl";
  const fs::path gguf = tokenizer_of(command, *capture, invocation, all.no_odds);
  std::optional<model::Tokenizer> tokenizer;
  if (!gguf.empty()) {
    auto opened = model::open_tokenizer(gguf);
    if (!opened) return std::unexpected(opened.error());
    tokenizer = *std::move(opened);
  }
  if (auto made = make_folders(tokenizer ? data : folder); !made) {
    return std::unexpected(made.error());
  }

  const StopOnSignal stop;
  ProgressBar bar(Terminal::of(stderr));
  const auto shown = [&](const char* what) {
    return [&stop, &bar, what](double share) {
      bar.update(share, what);
      return !stop.token().stop_requested();
    };
  };
  const auto chats = mechanisms::export_chats(*capture, all.chat_file, shown("writing chats"));
  if (!chats) return std::unexpected(chats.error());
  all.chats = *chats;
  if (!tokenizer) return all;
  all.odds_file = data / "train.jsonl";
  all.config_file = folder / "distillkit.yaml";
  const auto odds = mechanisms::export_odds(*capture, *tokenizer, command.odds, all.odds_file,
                                            shown("writing odds"));
  if (!odds) return std::unexpected(odds.error());
  all.odds = *odds;
  if (auto written = write_output(all.config_file.string(),
                                  mechanisms::distillkit_config(*odds, fs::absolute(data)));
      !written) {
    return std::unexpected(written.error());
  }
  return all;
}

std::string summary(const Exported& all) {
  const auto count = [](auto number) { return format_count(static_cast<std::int64_t>(number)); };
  std::string text =
      fmt::format("written  {}: {} chats", all.chat_file.string(), count(all.chats.chats));
  if (all.chats.cut_off > 0) {
    text += fmt::format("; {} answers were cut off and are left out", count(all.chats.cut_off));
  }
  if (!all.odds) return text + "\nodds     none: " + all.no_odds + "\n";
  text += fmt::format("\nwritten  {}: {} rows of {} tokens, {} alternatives of {} tokens",
                      all.odds_file.string(), count(all.odds->rows), count(all.odds->length),
                      all.odds->alternatives, count(all.odds->vocabulary));
  if (all.odds->too_long > 0) text += fmt::format("; {} are longer", count(all.odds->too_long));
  if (all.odds->texts_only > 0) {
    text += fmt::format("; {} have no odds in these tokens", count(all.odds->texts_only));
  }
  return text + fmt::format("\nwritten  {}: fill in the student\n", all.config_file.string());
}

boost::json::object json_of(const Exported& all) {
  boost::json::object json{{"chats",
                            {{"file", all.chat_file.string()},
                             {"count", all.chats.chats},
                             {"cut_off", all.chats.cut_off}}}};
  if (!all.odds) {
    json["odds"] = nullptr;
    json["no_odds"] = all.no_odds;
    return json;
  }
  json["odds"] = {{"file", all.odds_file.string()},
                  {"config", all.config_file.string()},
                  {"rows", all.odds->rows},
                  {"length", all.odds->length},
                  {"vocabulary", all.odds->vocabulary},
                  {"alternatives", all.odds->alternatives},
                  {"too_long", all.odds->too_long},
                  {"texts_only", all.odds->texts_only}};
  return json;
}

int export_capture(const ExportCommand& command, const Invocation& invocation) {
  const auto all = exported(command, invocation);
  if (!all) return report_error(all.error());
  if (command.json != "-") Terminal::of(stdout).write(summary(*all));
  if (command.json.empty()) return kOk;
  const auto written = write_output(command.json, boost::json::serialize(json_of(*all)));
  return written ? kOk : report_error(written.error());
}

}  // namespace

void add_distill_export(CLI::App& distill, Invocation& invocation) {
  auto options = std::make_shared<ExportCommand>();
  auto* command = distill.add_subcommand(
      "export", "Write a capture as the files that trainers on clusters read");
  command->add_option("capture", options->capture, "What `lichen distill collect` made")
      ->type_name("CAPTURE")
      ->required();
  command
      ->add_option("-o,--output", options->output, "Folder; what it has of these files is replaced")
      ->type_name("FOLDER")
      ->required();
  command
      ->add_option("--tokenizer", options->tokenizer,
                   "GGUF in whose tokens the odds are written; without it the teacher's own, where "
                   "the configuration has that")
      ->type_name("MODEL.gguf");
  command
      ->add_option("--longest", options->odds.longest,
                   "Leave out prompts that have with their answers more tokens")
      ->type_name("TOKENS")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1'000'000}).description(""))
      ->capture_default_str();
  command->add_flag("--chats-only", options->chats_only, "No odds");
  add_json(*command, options->json);
  command->footer(
      "FOLDER/chat.jsonl        {\"messages\": [...]}, for TRL's SFTTrainer and GKDTrainer\n"
      "FOLDER/odds/train.jsonl  the teacher's odds, for DistillKit\n"
      "FOLDER/distillkit.yaml   a configuration for them\n"
      "docs/distillation.md says how to train there and how the result comes back.\n"
      "\n"
      "Examples:\n"
      "  lichen distill export large.safetensors -o cluster\n"
      "  lichen distill export cloud.safetensors --tokenizer same-family.gguf -o cluster");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return export_capture(*options, invocation); };
  });
}

}  // namespace lichen::cli
