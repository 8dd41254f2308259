// What teachers said, with the odds of each token: what students learn from.
//
// A capture is one safetensors file. Pieces of text stand in place of a vocabulary's numbers, and
// each token has its place in the answer's bytes, so that one capture serves students of any
// vocabulary. With N examples, T tokens, P pieces and K kept alternatives:
//
//   example_ends  U64 [N]     where the JSON of each example ends in `examples`
//   token_ends    U64 [N]     how many tokens the examples up to each have
//   piece_ends    U64 [P]     where each piece ends in `pieces`
//   spans         U32 [T, 2]  first byte of the token in its answer, and the one behind it
//   top           U32 [T, K]  likeliest pieces, likeliest first; 4294967295: there are no more
//   logprobs      F16 [T, K]  their natural log-probabilities
//   tail          F16 [T]     natural log of what all other tokens have together
//   pieces        U8          bytes of the pieces
//   examples      U8          {"id", "messages", "answer", "rationale", "ended"} of each example
//
// Piece 0 is empty and stands for the end of the answer. The metadata have "format"
// ("lichen-capture 1"), "teacher" and "alternatives" (K). At K = 48 a token takes 298 bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "lichen/request.h"
#include "lichen/result.h"
#include "mechanisms/distillation/safetensors.h"

namespace lichen::mechanisms {

/// A piece of text that a teacher may have said, by its number in a capture.
using PieceId = std::uint32_t;
inline constexpr PieceId kEndPiece = 0;  // that the answer ends

struct PieceOdds {
  PieceId piece = kEndPiece;
  float logprob = 0;  // natural logarithm
};

/// A token of a teacher's answer, and what it might have said instead.
struct CapturedToken {
  std::uint32_t begin = 0;          // its bytes in the answer, from here
  std::uint32_t end = 0;            // up to here; `begin` where it is the end of the answer
  std::vector<PieceOdds> top = {};  // likeliest first
  float tail = 0;  // natural log of the probability of all others; -inf: none is left
};

struct CapturedExample {
  std::string id = {};
  std::vector<Message> messages = {};
  std::string answer = {};
  std::string rationale = {};              // how the teacher came to it; empty: it was not asked
  bool ended = true;                       // false: the answer was cut off
  std::vector<CapturedToken> tokens = {};  // empty: the teacher gave no log-probabilities
};

/// Whose capture, and how detailed.
struct CaptureInfo {
  std::string teacher;   // what identifies it: two captures of one teacher can be joined
  int alternatives = 0;  // K
  bool operator==(const CaptureInfo&) const = default;
};

/// Of the question, by which examples are told apart: equal messages have equal keys.
std::string capture_key(const std::vector<Message>& messages);

/// A finished capture. Only indices are kept in memory: 24 bytes an example, and the pieces.
/// Immutable, so safe from any thread.
class CaptureFile {
 public:
  /// `not_found`: there is no such file; `bad_request`: it is no capture, or damaged: the error
  /// says where.
  static Result<CaptureFile> open(const std::filesystem::path& path);

  const CaptureInfo& info() const { return info_; }
  const std::filesystem::path& path() const { return file_.path(); }
  std::size_t examples() const { return example_ends_.size(); }
  std::uint64_t tokens() const { return token_ends_.empty() ? 0 : token_ends_.back(); }
  /// Of an example, without reading it.
  std::uint64_t tokens_of(std::size_t example) const;
  std::size_t pieces() const { return piece_ends_.size(); }
  /// Bytes of a piece; empty for the end of an answer.
  std::string_view piece(PieceId piece) const;

  /// `example` is below `examples()`. `bad_request`: it is damaged.
  Result<CapturedExample> read(std::size_t example) const;

 private:
  explicit CaptureFile(base::File file) : file_(std::move(file)) {}
  Result<void> load();
  Result<void> check_shapes() const;
  Result<void> read_tokens(std::size_t example, std::vector<CapturedToken>& tokens) const;
  Error damaged(const std::string& what) const;
  Result<std::vector<std::uint64_t>> ends(const char* name, std::uint64_t last) const;
  const ArrayInfo& array(std::string_view name) const { return *header_.find(name); }

  base::File file_;
  SafetensorsHeader header_;
  CaptureInfo info_;
  std::vector<std::uint64_t> example_ends_;
  std::vector<std::uint64_t> token_ends_;
  std::vector<std::uint64_t> piece_ends_;
  std::string pieces_;
};

}  // namespace lichen::mechanisms
