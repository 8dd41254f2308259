#include "mechanisms/distillation/capture.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/sha256.h"
#include "mechanisms/distillation/capture_form.h"

namespace lichen::mechanisms {
namespace {

using base::bytes_of;

struct Column {
  const char* name;
  const char* type;
  std::size_t dimensions;
};

constexpr Column kColumns[] = {
    {"example_ends", "U64", 1}, {"token_ends", "U64", 1}, {"piece_ends", "U64", 1},
    {"spans", "U32", 2},        {"top", "U32", 2},        {"logprobs", "F16", 2},
    {"tail", "F16", 1},         {"pieces", "U8", 1},      {"examples", "U8", 1}};

}  // namespace

std::string capture_key(const std::vector<Message>& messages) {
  return base::sha256_hex(capture_form::json_of({.messages = messages}));
}

Result<CaptureFile> CaptureFile::open(const std::filesystem::path& path) {
  Result<base::File> file = base::File::open(path);
  if (!file) return std::unexpected(file.error());
  CaptureFile capture(*std::move(file));
  if (Result<void> loaded = capture.load(); !loaded) return std::unexpected(loaded.error());
  return capture;
}

Error CaptureFile::damaged(const std::string& what) const {
  return {.code = Errc::bad_request, .detail = file_.path().string() + ": " + what};
}

Result<void> CaptureFile::load() {
  const Result<std::uint64_t> size = file_.size();
  if (!size) return std::unexpected(size.error());
  std::string start(std::min<std::uint64_t>(*size, sizeof(std::uint64_t)), '\0');
  if (auto read = file_.read(0, std::as_writable_bytes(std::span(start))); !read) return read;
  const Result<std::uint64_t> json_size = header_size(start, *size);
  if (!json_size) return std::unexpected(damaged(json_size.error().detail));
  std::string json(*json_size, '\0');
  if (auto read = file_.read(start.size(), std::as_writable_bytes(std::span(json))); !read) {
    return read;
  }
  Result<SafetensorsHeader> header = read_header(json, *size);
  if (!header) return std::unexpected(damaged(header.error().detail));
  header_ = *std::move(header);
  if (header_.metadata["format"] != capture_form::kFormat) {
    return std::unexpected(damaged("no capture of `lichen distill collect`"));
  }
  info_.teacher = header_.metadata["teacher"];
  const std::string& width = header_.metadata["alternatives"];
  std::from_chars(width.data(), width.data() + width.size(), info_.alternatives);
  if (Result<void> shaped = check_shapes(); !shaped) return shaped;

  for (const auto& [name, last, out] :
       {std::tuple("example_ends", array("examples").elements(), &example_ends_),
        std::tuple("token_ends", array("tail").elements(), &token_ends_),
        std::tuple("piece_ends", array("pieces").elements(), &piece_ends_)}) {
    Result<std::vector<std::uint64_t>> read = ends(name, last);
    if (!read) return std::unexpected(read.error());
    *out = *std::move(read);
  }
  pieces_.resize(array("pieces").elements());
  return file_.read(array("pieces").begin, std::as_writable_bytes(std::span(pieces_)));
}

Result<void> CaptureFile::check_shapes() const {
  for (const Column& column : kColumns) {
    const ArrayInfo* found = header_.find(column.name);
    if (found == nullptr || found->type != column.type ||
        found->shape.size() != column.dimensions) {
      return std::unexpected(
          damaged(fmt::format("its array `{}` is missing or of another type", column.name)));
    }
  }
  const auto width = static_cast<std::uint64_t>(std::max(info_.alternatives, 0));
  const std::uint64_t tokens = array("tail").elements();
  const auto shaped = [&](const char* name, std::uint64_t columns) {
    return array(name).shape == std::vector<std::uint64_t>{tokens, columns};
  };
  if (info_.alternatives < 0 || info_.alternatives > capture_form::kMostAlternatives ||
      !shaped("spans", 2) || !shaped("top", width) || !shaped("logprobs", width) ||
      array("example_ends").elements() != array("token_ends").elements()) {
    return std::unexpected(damaged("its arrays are of different lengths"));
  }
  return {};
}

Result<std::vector<std::uint64_t>> CaptureFile::ends(const char* name, std::uint64_t last) const {
  const ArrayInfo& info = array(name);
  std::vector<std::uint64_t> ends(info.elements());
  if (auto read = file_.read(info.begin, std::as_writable_bytes(std::span(ends))); !read) {
    return std::unexpected(read.error());
  }
  if (!std::ranges::is_sorted(ends) || (ends.empty() ? 0 : ends.back()) != last) {
    return std::unexpected(damaged(fmt::format("its array `{}` is damaged", name)));
  }
  return ends;
}

std::uint64_t CaptureFile::tokens_of(std::size_t example) const {
  return token_ends_[example] - (example == 0 ? 0 : token_ends_[example - 1]);
}

std::string_view CaptureFile::piece(PieceId piece) const {
  const std::uint64_t begin = piece == 0 ? 0 : piece_ends_[piece - 1];
  return std::string_view(pieces_).substr(begin, piece_ends_[piece] - begin);
}

Result<CapturedExample> CaptureFile::read(std::size_t example) const {
  const std::uint64_t begin = example == 0 ? 0 : example_ends_[example - 1];
  std::string json(example_ends_[example] - begin, '\0');
  const Result<void> read =
      file_.read(array("examples").begin + begin, std::as_writable_bytes(std::span(json)));
  if (!read) return std::unexpected(read.error());
  Result<CapturedExample> captured = capture_form::example_from(json);
  if (!captured) return std::unexpected(damaged(fmt::format("example {} is damaged", example)));
  if (Result<void> tokens = read_tokens(example, captured->tokens); !tokens) {
    return std::unexpected(tokens.error());
  }
  for (const CapturedToken& token : captured->tokens) {
    const bool whole = token.begin <= token.end && token.end <= captured->answer.size() &&
                       std::ranges::all_of(token.top, [&](const PieceOdds& odds) {
                         return odds.piece < pieces() && odds.logprob <= 0;
                       });
    if (!whole) return std::unexpected(damaged(fmt::format("example {} is damaged", example)));
  }
  return captured;
}

Result<void> CaptureFile::read_tokens(std::size_t example,
                                      std::vector<CapturedToken>& tokens) const {
  const std::uint64_t count = tokens_of(example), first = token_ends_[example] - count;
  capture_form::TokenRows rows(count, info_.alternatives);
  const auto fill = [&](const char* name, auto& values) -> Result<void> {
    if (values.empty()) return {};
    const std::uint64_t row = bytes_of(values).size() / count;
    return file_.read(array(name).begin + first * row, std::as_writable_bytes(std::span(values)));
  };
  for (Result<void> read : {fill("spans", rows.spans), fill("top", rows.top),
                            fill("logprobs", rows.logprobs), fill("tail", rows.tail)}) {
    if (!read) return read;
  }
  tokens = capture_form::tokens_of(rows, info_.alternatives);
  return {};
}

}  // namespace lichen::mechanisms
