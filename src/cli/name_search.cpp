#include "cli/name_search.h"

#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "cli/home.h"
#include "mechanisms/privacy/name_tagger.h"
#include "model/open_local_model.h"

namespace lichen::cli {
namespace {

/// What a model may find. Others' spans of the same kinds are joined with its own.
constexpr privacy::Kind kFound[] = {privacy::Kind::person,      privacy::Kind::organization,
                                    privacy::Kind::location,    privacy::Kind::address,
                                    privacy::Kind::nationality, privacy::Kind::title,
                                    privacy::Kind::age,         privacy::Kind::date};

/// A mask with no model would leave names in clear text unseen, so without one there is an error.
Result<std::filesystem::path> bundled_names() {
  constexpr const char* kInstead = "; give a model with --names, or --names none";
  const auto home = find_home();
  if (!home) return fail(home.error().code, home.error().detail + kInstead);
  auto file = *home / "models/lichen-names.gguf";
  std::error_code unknown;
  if (std::filesystem::exists(file, unknown)) return file;
  return fail(Errc::not_found, file.string() + " is not there" + kInstead);
}

double process_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

Result<NameSearch> NameSearch::open(const DetectorChoice& choice,
                                    const NameSearchOptions& options) {
  NameSearch search;
  const auto kinds = chosen_kinds(choice);
  if (!kinds) return std::unexpected(kinds.error());
  for (const privacy::Kind kind : kFound) {
    search.kinds_.set(privacy::index_of(kind), kinds->test(privacy::index_of(kind)));
  }
  if (choice.names == "none" || search.kinds_.none()) return search;
  const Result<std::filesystem::path> file =
      choice.names.empty() ? bundled_names() : std::filesystem::path(choice.names);
  if (!file) return std::unexpected(file.error());
  auto lane = model::open_lane({.name = "names", .threads = options.threads});
  if (!lane) return std::unexpected(lane.error());
  auto tagger = mechanisms::NameTagger::open({.gguf = *file, .threshold = choice.threshold},
                                             *std::move(lane));
  if (!tagger) return std::unexpected(tagger.error());
  search.finder_ = *std::move(tagger);
  return search;
}

Result<privacy::Spans> NameSearch::find(std::vector<std::string> texts) {
  if (finder_ == nullptr) return privacy::Spans(texts.size());
  for (const std::string& text : texts) bytes_ += static_cast<double>(text.size());
  const double begun = process_seconds();
  boost::asio::io_context io;
  Turn turn("names");
  auto found =
      boost::asio::co_spawn(io, finder_->find(std::move(texts), turn), boost::asio::use_future);
  io.run();
  auto spans = found.get();
  seconds_ += process_seconds() - begun;
  for (const Step& step : turn.receipt.steps) tokens_ += static_cast<double>(step.tokens_in);
  if (!spans) return std::unexpected(spans.error());
  for (auto& of_text : *spans) {
    std::erase_if(of_text, [&](const privacy::Span& span) {
      return !kinds_.test(privacy::index_of(span.kind));
    });
  }
  return spans;
}

}  // namespace lichen::cli
