#include "mechanisms/distillation/capture_writer.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "mechanisms/distillation/capture_form.h"

namespace lichen::mechanisms {
namespace {

using base::bytes_of;
using capture_form::Half;

constexpr std::string_view kJournalMark = "lichen capture journal 1\n";
constexpr std::uint32_t kFrameMark = 0x4C63'4578;
constexpr std::uint32_t kMostFrame = 1u << 30;

/// In front of each frame of the journal.
struct FrameHeader {
  std::uint32_t mark = kFrameMark;
  std::uint32_t size = 0;   // of what follows
  std::uint32_t check = 0;  // CRC-32 of it
};

/// At the beginning of a frame, before the JSON, the token's rows and the pieces that are new.
struct FrameSizes {
  std::uint32_t json = 0;
  std::uint32_t tokens = 0;
  std::uint32_t pieces = 0;  // bytes of all of them, each with its length in front
};

std::uint32_t checksum(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

void append_bytes(std::string& out, std::span<const std::byte> bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::span<const std::byte> bytes_of_text(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string journal_start(const CaptureInfo& info) {
  std::string start(kJournalMark);
  start += fmt::format("{}\n", info.alternatives);
  append_bytes(start, bytes_of(static_cast<std::uint64_t>(info.teacher.size())));
  return start + info.teacher;
}

/// A frame taken apart; all of it lies within `text`.
struct FrameParts {
  std::uint32_t tokens = 0;
  std::string_view json = {}, spans = {}, top = {}, logprobs = {}, tail = {}, pieces = {};
};

std::optional<FrameParts> parts_of(std::string_view text, int alternatives) {
  FrameSizes sizes;
  if (text.size() < sizeof sizes) return std::nullopt;
  std::memcpy(&sizes, text.data(), sizeof sizes);
  text.remove_prefix(sizeof sizes);
  const std::uint64_t tokens = sizes.tokens, cells = tokens * static_cast<unsigned>(alternatives);
  FrameParts parts{.tokens = sizes.tokens};
  const std::pair<std::string_view*, std::uint64_t> pieces[] = {
      {&parts.json, sizes.json},
      {&parts.spans, tokens * 2 * sizeof(std::uint32_t)},
      {&parts.top, cells * sizeof(std::uint32_t)},
      {&parts.logprobs, cells * sizeof(Half)},
      {&parts.tail, tokens * sizeof(Half)},
      {&parts.pieces, sizes.pieces}};
  for (const auto& [part, size] : pieces) {
    if (size > text.size()) return std::nullopt;
    *part = text.substr(0, size);
    text.remove_prefix(size);
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

/// The alternatives by piece, those of the same bytes together, likeliest first.
std::vector<PieceOdds> joined(std::vector<PieceOdds> odds) {
  std::ranges::sort(odds, {}, &PieceOdds::piece);
  std::vector<PieceOdds> result;
  for (const PieceOdds& next : odds) {
    if (!result.empty() && result.back().piece == next.piece) {
      result.back().logprob = std::log(std::exp(result.back().logprob) + std::exp(next.logprob));
    } else {
      result.push_back(next);
    }
  }
  std::ranges::sort(result, [](const PieceOdds& a, const PieceOdds& b) {
    return a.logprob > b.logprob || (a.logprob == b.logprob && a.piece < b.piece);
  });
  return result;
}

/// Natural logarithm of what is left beside `odds`.
float tail_of(const std::vector<PieceOdds>& odds) {
  double sum = 0;
  for (const PieceOdds& each : odds) sum += std::exp(static_cast<double>(each.logprob));
  constexpr double kNone = 1e-7;  // what rounding leaves
  return sum > 1 - kNone ? -std::numeric_limits<float>::infinity()
                         : static_cast<float>(std::log1p(-sum));
}

}  // namespace

Result<CaptureWriter> CaptureWriter::open(const std::filesystem::path& file,
                                          const CaptureInfo& info) {
  if (info.alternatives < 0 || info.alternatives > capture_form::kMostAlternatives) {
    return fail(Errc::bad_request, fmt::format("a capture keeps 0 to {} alternatives of a token",
                                               capture_form::kMostAlternatives));
  }
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  Result<base::File> journal = base::File::open_to_write(file.string() + ".partial");
  if (!journal) return std::unexpected(journal.error());
  if (!journal->lock()) {
    return fail(Errc::overloaded, journal->path().string() +
                                      ": another process is making this capture; wait for it, or "
                                      "name another file");
  }
  CaptureWriter writer(file, *std::move(journal), info);
  writer.piece("");  // kEndPiece
  writer.pieces_written_ = 1;
  if (Result<void> ready = writer.resume(); !ready) return std::unexpected(ready.error());
  return writer;
}

Result<void> CaptureWriter::resume() {
  const Result<std::uint64_t> size = journal_.size();
  if (!size) return std::unexpected(size.error());
  const std::string start = journal_start(info_);
  std::string found(std::min<std::uint64_t>(*size, start.size()), '\0');
  if (auto read = journal_.read(0, std::as_writable_bytes(std::span(found))); !read) return read;
  const bool unfinished_start = *size < start.size() && start.starts_with(found);
  if (!unfinished_start && found != start) {
    return fail(Errc::bad_request,
                journal_.path().string() +
                    ": the journal of a capture of another teacher or number of alternatives, or "
                    "none at all; name another file, or remove it");
  }
  end_ = start.size();
  if (unfinished_start) {
    if (auto done = journal_.resize(0); !done) return done;
    if (auto done = journal_.write(0, bytes_of_text(start)); !done) return done;
    return take_over();
  }
  while (end_ < *size) {
    const Result<std::string> frame = frame_at(end_);
    const auto parts = frame ? parts_of(*frame, info_.alternatives) : std::nullopt;
    if (!parts) break;
    Result<CapturedExample> example = capture_form::example_from(parts->json);
    if (!example) break;
    for (std::string_view rest = parts->pieces; rest.size() >= sizeof(std::uint32_t);) {
      std::uint32_t length = 0;
      std::memcpy(&length, rest.data(), sizeof length);
      rest.remove_prefix(sizeof length);
      piece(rest.substr(0, length));
      rest.remove_prefix(std::min<std::size_t>(length, rest.size()));
    }
    pieces_written_ = pieces_.size();
    example->tokens.resize(parts->tokens);
    count(*example);
    end_ += sizeof(FrameHeader) + frame->size();
  }
  return end_ < *size ? journal_.resize(end_) : Result<void>();
}

Result<void> CaptureWriter::take_over() {
  std::error_code error;
  if (!std::filesystem::exists(target_, error)) return {};
  const Result<CaptureFile> before = CaptureFile::open(target_);
  if (!before) return std::unexpected(before.error());
  if (before->info() != info_) {
    return fail(Errc::bad_request,
                target_.string() +
                    ": a capture of another teacher or number of alternatives; name another file");
  }
  for (std::size_t i = 0; i < before->examples(); ++i) {
    Result<CapturedExample> example = before->read(i);
    if (!example) return std::unexpected(example.error());
    for (CapturedToken& token : example->tokens) {
      for (PieceOdds& odds : token.top) odds.piece = piece(before->piece(odds.piece));
    }
    if (Result<void> added = append(*example); !added) return added;
  }
  return {};
}

Result<std::string> CaptureWriter::frame_at(std::uint64_t begin) const {
  FrameHeader header;
  const auto read = journal_.read(begin, std::as_writable_bytes(std::span(&header, 1)));
  if (!read) return std::unexpected(read.error());
  const auto cut = [&] { return fail(Errc::bad_request, "the journal ends here"); };
  if (header.mark != kFrameMark || header.size > kMostFrame) return cut();
  const Result<std::uint64_t> size = journal_.size();
  if (!size) return std::unexpected(size.error());
  if (header.size > *size - begin - sizeof header) return cut();
  std::string frame(header.size, '\0');
  const auto whole = journal_.read(begin + sizeof header, std::as_writable_bytes(std::span(frame)));
  if (!whole) return std::unexpected(whole.error());
  if (checksum(frame) != header.check) return cut();
  return frame;
}

PieceId CaptureWriter::piece(std::string_view bytes) {
  const auto [found, added] =
      piece_ids_.try_emplace(std::string(bytes), static_cast<PieceId>(pieces_.size()));
  if (added) pieces_.emplace_back(bytes);
  return found->second;
}

void CaptureWriter::count(const CapturedExample& example) {
  keys_.insert(capture_key(example.messages));
  tokens_ += example.tokens.size();
  texts_only_ += example.tokens.empty();
}

std::vector<CapturedToken> CaptureWriter::tokens_of(const Answer& answer) {
  std::string text;
  bool odds = false;
  for (const AnswerToken& token : answer.tokens) {
    text += token.text;
    odds = odds || !token.top.empty();
  }
  std::vector<CapturedToken> tokens;
  if (!odds || !text.starts_with(answer.text)) return tokens;
  std::size_t begin = 0;
  for (const AnswerToken& token : answer.tokens) {
    const std::size_t end = std::min(begin + token.text.size(), answer.text.size());
    if (begin >= answer.text.size() && !token.text.empty()) break;  // cut off by a stop string
    CapturedToken captured{.begin = static_cast<std::uint32_t>(begin),
                           .end = static_cast<std::uint32_t>(end)};
    for (const TokenLogprob& other : token.top) {
      captured.top.push_back({.piece = piece(other.text), .logprob = std::min(other.logprob, 0.F)});
    }
    captured.top = joined(std::move(captured.top));
    captured.top.resize(
        std::min(captured.top.size(), static_cast<std::size_t>(info_.alternatives)));
    captured.tail = tail_of(captured.top);
    tokens.push_back(std::move(captured));
    begin = end;
  }
  return tokens;
}

Result<void> CaptureWriter::add(const TaughtAnswer& taught) {
  if (has(capture_key(taught.messages))) return {};
  return append({.id = taught.id,
                 .messages = taught.messages,
                 .answer = taught.answer.text,
                 .rationale = taught.rationale,
                 .ended = taught.answer.finish == Finish::stop,
                 .tokens = tokens_of(taught.answer)});
}

Result<void> CaptureWriter::append(const CapturedExample& example) {
  const std::string json = capture_form::json_of(example);
  const capture_form::TokenRows rows = capture_form::rows_of(example.tokens, info_.alternatives);
  std::string fresh;
  for (std::size_t i = pieces_written_; i < pieces_.size(); ++i) {
    append_bytes(fresh, bytes_of(static_cast<std::uint32_t>(pieces_[i].size())));
    fresh += pieces_[i];
  }
  const FrameSizes sizes{.json = static_cast<std::uint32_t>(json.size()),
                         .tokens = static_cast<std::uint32_t>(example.tokens.size()),
                         .pieces = static_cast<std::uint32_t>(fresh.size())};
  std::string frame(sizeof(FrameHeader), '\0');
  append_bytes(frame, bytes_of(sizes));
  frame += json;
  append_bytes(frame, bytes_of(rows.spans));
  append_bytes(frame, bytes_of(rows.top));
  append_bytes(frame, bytes_of(rows.logprobs));
  append_bytes(frame, bytes_of(rows.tail));
  frame += fresh;
  const std::string_view payload = std::string_view(frame).substr(sizeof(FrameHeader));
  if (payload.size() > kMostFrame) {
    return fail(Errc::too_large, fmt::format("an example of {} bytes", payload.size()));
  }
  const FrameHeader header{.size = static_cast<std::uint32_t>(payload.size()),
                           .check = checksum(payload)};
  std::memcpy(frame.data(), &header, sizeof header);
  if (Result<void> written = journal_.write(end_, bytes_of_text(frame)); !written) return written;
  end_ += frame.size();
  pieces_written_ = pieces_.size();
  count(example);
  return {};
}

Result<CaptureWriter::Index> CaptureWriter::index() const {
  Index index;
  std::uint64_t json = 0, tokens = 0, pieces = 0;
  for (std::uint64_t at = journal_start(info_).size(); at < end_;) {
    const Result<std::string> frame = frame_at(at);
    if (!frame) return std::unexpected(frame.error());
    const auto parts = parts_of(*frame, info_.alternatives);
    index.frames.push_back(at);
    index.example_ends.push_back(json += parts->json.size());
    index.token_ends.push_back(tokens += parts->tokens);
    at += sizeof(FrameHeader) + frame->size();
  }
  for (const std::string& each : pieces_) index.piece_ends.push_back(pieces += each.size());
  return index;
}

SafetensorsHeader CaptureWriter::header_of(const Index& index) const {
  const std::uint64_t examples = index.frames.size();
  const std::uint64_t tokens = index.token_ends.back();
  const auto width = static_cast<std::uint64_t>(info_.alternatives);
  return {.metadata = {{"format", std::string(capture_form::kFormat)},
                       {"teacher", info_.teacher},
                       {"alternatives", std::to_string(info_.alternatives)}},
          .arrays = {{"example_ends", "U64", {examples}},
                     {"token_ends", "U64", {examples}},
                     {"piece_ends", "U64", {index.piece_ends.size()}},
                     {"spans", "U32", {tokens, 2}},
                     {"top", "U32", {tokens, width}},
                     {"logprobs", "F16", {tokens, width}},
                     {"tail", "F16", {tokens}},
                     {"pieces", "U8", {index.piece_ends.back()}},
                     {"examples", "U8", {index.example_ends.back()}}}};
}

Result<void> CaptureWriter::write(const Index& index, const base::File& out) const {
  SafetensorsHeader header = header_of(index);
  const std::string start = write_header(header);
  const ArrayInfo& last = header.arrays.back();
  Result<void> done = out.resize(0);
  if (done) done = out.resize(last.begin + last.bytes());
  if (done) done = out.write(0, bytes_of_text(start));
  std::map<std::string_view, std::uint64_t> ends;  // of what is written of each array
  for (const ArrayInfo& array : header.arrays) ends[array.name] = array.begin;
  const auto put = [&](std::string_view name, std::span<const std::byte> bytes) {
    if (done) done = out.write(ends[name], bytes);
    ends[name] += bytes.size();
  };
  put("example_ends", bytes_of(index.example_ends));
  put("token_ends", bytes_of(index.token_ends));
  put("piece_ends", bytes_of(index.piece_ends));
  for (const std::string& each : pieces_) put("pieces", bytes_of_text(each));
  for (const std::uint64_t at : index.frames) {
    const Result<std::string> frame = frame_at(at);
    if (!frame) return std::unexpected(frame.error());
    const auto parts = parts_of(*frame, info_.alternatives);
    put("examples", bytes_of_text(parts->json));
    put("spans", bytes_of_text(parts->spans));
    put("top", bytes_of_text(parts->top));
    put("logprobs", bytes_of_text(parts->logprobs));
    put("tail", bytes_of_text(parts->tail));
  }
  return done;
}

Result<void> CaptureWriter::finish() {
  if (keys_.empty()) return fail(Errc::bad_request, "nothing was captured");
  const Result<Index> made = index();
  if (!made) return std::unexpected(made.error());
  Result<base::File> out = base::File::open_to_write(target_.string() + ".new");
  if (!out) return std::unexpected(out.error());
  Result<void> done = write(*made, *out);
  if (done) done = out->sync();
  if (done) done = out->rename(target_);
  std::error_code error;
  std::filesystem::remove(done ? journal_.path() : out->path(), error);
  return done;
}

}  // namespace lichen::mechanisms
