// Makes a capture: example by example into a journal beside it, so that a killed process loses
// nothing, and in the end into the file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "lichen/answerer.h"
#include "mechanisms/distillation/capture.h"

namespace lichen::mechanisms {

/// An answer by a teacher, as the teacher gave it.
struct TaughtAnswer {
  std::string id = {};
  std::vector<Message> messages = {};
  /// `tokens` are kept where their texts in a row begin with `text` and at least one has
  /// alternatives; else the text alone.
  Answer answer = {};
  std::string rationale = {};
};

/// One process at a time makes a capture. Not thread-safe.
class CaptureWriter {
 public:
  /// Goes on with FILE.partial where that is there: what a killed process left half written is
  /// dropped. Otherwise, where FILE is there, it is gone on with. `bad_request`: either is of
  /// another teacher or number of alternatives, or is no capture; `overloaded`: another process is
  /// at it; `storage`: the disk refuses.
  static Result<CaptureWriter> open(const std::filesystem::path& file, const CaptureInfo& info);

  bool has(std::string_view key) const { return keys_.contains(std::string(key)); }
  std::size_t examples() const { return keys_.size(); }
  std::uint64_t tokens() const { return tokens_; }
  /// Examples that came without usable log-probabilities.
  std::size_t texts_only() const { return texts_only_; }

  /// Nothing happens where one of the same messages is there already. It outlives this process from
  /// here on. `storage`: it could not be written, and is not in the capture.
  Result<void> add(const TaughtAnswer& taught);
  /// Writes FILE, in place of what was there, and takes the journal away. `bad_request`: there is
  /// no example.
  Result<void> finish();

 private:
  CaptureWriter(std::filesystem::path target, base::File journal, CaptureInfo info)
      : target_(std::move(target)), journal_(std::move(journal)), info_(std::move(info)) {}
  /// Where the frames of the journal begin, and what the arrays of ends hold.
  struct Index {
    std::vector<std::uint64_t> frames, example_ends, token_ends, piece_ends;
  };
  Result<void> resume();
  Result<void> take_over();
  Result<void> append(const CapturedExample& example);
  Result<std::string> frame_at(std::uint64_t begin) const;
  Result<Index> index() const;
  SafetensorsHeader header_of(const Index& index) const;
  Result<void> write(const Index& index, const base::File& out) const;
  void count(const CapturedExample& example);
  PieceId piece(std::string_view bytes);
  std::vector<CapturedToken> tokens_of(const Answer& answer);

  std::filesystem::path target_;
  base::File journal_;
  CaptureInfo info_;
  std::uint64_t end_ = 0;  // of the journal's whole frames
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, PieceId> piece_ids_;
  std::size_t pieces_written_ = 0;
  std::unordered_set<std::string> keys_;
  std::uint64_t tokens_ = 0;
  std::size_t texts_only_ = 0;
};

}  // namespace lichen::mechanisms
