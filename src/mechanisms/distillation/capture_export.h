// A capture in the files that trainers on clusters read: chats, and a teacher's odds in the tokens
// of one vocabulary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lichen/result.h"
#include "mechanisms/distillation/capture.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {

/// How much of it has been looked at, 0 to 1. What returns false stops it (`cancelled`).
using ExportProgress = std::function<bool(double)>;

struct ExportedChats {
  std::size_t chats = 0;
  std::size_t cut_off = 0;  // answers without their end, which are left out
};

/// A line {"messages": [...]} for each answer, its prompt before it: TRL's conversational form,
/// which its SFTTrainer and GKDTrainer read. The file is there when it is whole. `storage`;
/// `bad_request`: the capture is damaged, or no answer is whole.
Result<ExportedChats> export_chats(const CaptureFile& capture, const std::filesystem::path& file,
                                   const ExportProgress& progress = {});

/// The tokens that the pieces of a capture are in one vocabulary.
class PieceTokens {
 public:
  /// `bad_request`, with the share, where a piece is no token: the teacher had another vocabulary.
  static Result<PieceTokens> of(const CaptureFile& capture, const model::Tokenizer& tokenizer);

  /// Of a piece of the capture; the end of an answer is the token that ends a turn.
  Token of_piece(PieceId piece) const { return by_piece_[piece]; }
  /// Of bytes that a teacher wrote as one token; -1: there is no such token.
  Token of_bytes(std::string_view bytes) const;

 private:
  std::unordered_map<std::string_view, Token> by_bytes_;  // the vocabulary's bytes
  std::vector<Token> by_piece_;
};

struct OddsOptions {
  std::int64_t longest = 2'048;  // tokens of a prompt and its answer; longer ones are left out
};

struct ExportedOdds {
  std::size_t rows = 0;
  std::size_t too_long = 0;    // examples that were left out for their length
  std::size_t texts_only = 0;  // and for having no odds in these tokens
  std::int64_t length = 0;     // of every row
  int vocabulary = 0;
  int alternatives = 0;
};

/// A teacher's odds as DistillKit reads them offline: JSON lines of `input_ids`, `labels`,
/// `compressed_logprobs` and `bytepacked_indices`, an example each, all filled up to the longest
/// one. Row t tells of the token behind token t. Its losses look where `labels` has a token, but at
/// row t for label t, so labels begin with the prompt's last token; the last one's row says that
/// the end follows. Every log-probability is kept exactly (F16, as in the capture): `exact_k` and
/// `k` of `logprob_compressor` are the capture's alternatives, `d` the vocabulary. Where a place
/// has fewer, other tokens follow with the least F16. `bad_request`: no odds were captured, pieces
/// that are no tokens, or no example that fits.
Result<ExportedOdds> export_odds(const CaptureFile& capture, const model::Tokenizer& tokenizer,
                                 const OddsOptions& options, const std::filesystem::path& file,
                                 const ExportProgress& progress = {});

/// Bits of a token's number in `bytepacked_indices`.
int index_bits(int vocabulary);
/// Numbers of so many bits, one behind the other, the highest bit first, then zeros to a whole
/// byte.
std::vector<std::uint8_t> bit_packed(const std::vector<Token>& tokens, int bits);

/// A configuration of DistillKit for the odds, in which the student's name is to be filled in.
/// `data` is the folder that the file lies in, alone.
std::string distillkit_config(const ExportedOdds& odds, const std::filesystem::path& data);

}  // namespace lichen::mechanisms
