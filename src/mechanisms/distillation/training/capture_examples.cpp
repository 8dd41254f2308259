#include "mechanisms/distillation/training/capture_examples.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lichen::training {
namespace {

using mechanisms::CapturedExample;
using mechanisms::CapturedToken;
using mechanisms::CaptureFile;
using mechanisms::PieceId;
using mechanisms::PieceOdds;

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// The student's tokens for the pieces of a capture, found when they are first needed.
class StudentPieces {
 public:
  StudentPieces(const CaptureFile& capture, const model::Tokenizer& tokenizer)
      : capture_(capture), tokenizer_(tokenizer), tokens_(capture.pieces(), kUnknown) {
    const model::Vocabulary& vocabulary = *tokenizer.vocabulary;
    for (Token token = 0; token < vocabulary.size(); ++token) {
      if (!vocabulary.piece(token).empty()) by_bytes_.try_emplace(vocabulary.piece(token), token);
    }
  }

  /// The token of the piece, or the first of several; -1: the student cannot write it.
  Token token(PieceId piece) {
    Token& known = tokens_[piece];
    if (known == kUnknown) known = find(piece);
    return known;
  }

 private:
  static constexpr Token kUnknown = -2;

  Token find(PieceId piece) const {
    if (piece == mechanisms::kEndPiece) return tokenizer_.end_of_turn;
    const std::string_view bytes = capture_.piece(piece);
    if (const auto found = by_bytes_.find(bytes); found != by_bytes_.end()) return found->second;
    const auto tokens = tokenizer_.vocabulary->tokenize(bytes, false);
    return tokens && !tokens->empty() ? tokens->front() : -1;
  }

  const CaptureFile& capture_;
  const model::Tokenizer& tokenizer_;
  std::unordered_map<std::string_view, Token> by_bytes_;
  std::vector<Token> tokens_;  // by piece
};

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == -std::numeric_limits<double>::infinity() ? a : a + std::log1p(std::exp(b - a));
}

/// Puts a teacher's odds beside the tokens of one answer.
class Targets {
 public:
  Targets(StudentPieces& pieces, std::int64_t width, TeacherOdds odds)
      : pieces_(pieces), width_(static_cast<std::size_t>(width)), odds_(odds) {}

  /// A row of the target: the text's own token and no other.
  void add_text(Example& example, Token token) const {
    begin_row(example);
    const std::size_t row = example.logprobs.size() - width_;
    example.logprobs[row] = 0;
    if (odds_ == TeacherOdds::pieces) example.ids[row] = token;
    example.tail.push_back(kNever);
  }

  void add_teacher(Example& example, const CapturedToken& said) const {
    if (odds_ == TeacherOdds::sorted) return add_sorted(example, said);
    double tail = said.tail;
    std::vector<TokenProb> odds;
    for (const PieceOdds& each : said.top) {
      const Token token = pieces_.token(each.piece);
      const auto found = std::ranges::find(odds, token, &TokenProb::token);
      if (token < 0) {
        tail = log_add(tail, each.logprob);
      } else if (found != odds.end()) {
        found->logprob = static_cast<float>(log_add(found->logprob, each.logprob));
      } else {
        odds.push_back({.token = token, .logprob = each.logprob});
      }
    }
    begin_row(example);
    const std::size_t row = example.logprobs.size() - width_;
    for (std::size_t i = 0; i < odds.size(); ++i) {
      example.ids[row + i] = odds[i].token;
      example.logprobs[row + i] = odds[i].logprob;
    }
    example.tail.push_back(static_cast<float>(tail));
  }

 private:
  void begin_row(Example& example) const {
    example.logprobs.resize(example.logprobs.size() + width_, kNever);
    if (odds_ == TeacherOdds::pieces) example.ids.resize(example.ids.size() + width_, -1);
  }

  void add_sorted(Example& example, const CapturedToken& said) const {
    begin_row(example);
    const std::size_t row = example.logprobs.size() - width_;
    for (std::size_t i = 0; i < std::min(width_, said.top.size()); ++i) {
      example.logprobs[row + i] = said.top[i].logprob;
    }
    example.tail.push_back(said.tail);
  }

  StudentPieces& pieces_;
  const std::size_t width_;
  const TeacherOdds odds_;
};

/// Reads the examples of one capture.
class Reader {
 public:
  Reader(const CaptureFile& capture, const model::Tokenizer& tokenizer, const ChatOptions& options,
         TeacherOdds odds)
      : capture_(capture),
        tokenizer_(tokenizer),
        options_(options),
        odds_(odds),
        pieces_(capture, tokenizer) {}

  Result<void> read(std::size_t number) {
    const Result<CapturedExample> captured = capture_.read(number);
    if (!captured) return std::unexpected(captured.error());
    auto example = chat_example(tokenizer_, captured->messages, captured->answer, 1);
    if (!example) return std::unexpected(example.error());
    if (!captured->ended) example->answer.pop_back();  // nobody said that it ends there
    if (example->answer.empty()) return {};
    add_targets(*captured, *example);
    keep(*std::move(example));
    if (captured->rationale.empty() || options_.rationale_weight <= 0) return {};
    auto why = rationale_example(tokenizer_, captured->messages, captured->rationale,
                                 options_.rationale_weight);
    if (!why) return std::unexpected(why.error());
    add_targets({}, *why);
    keep(*std::move(why));
    return {};
  }

  CaptureExamples take() { return std::move(read_); }

 private:
  void add_targets(const CapturedExample& captured, Example& example) {
    read_.tokens += static_cast<std::int64_t>(example.answer.size());
    if (odds_ == TeacherOdds::none) return;
    example.width = std::max(1, capture_.info().alternatives);
    const Targets targets(pieces_, example.width, odds_);
    std::unordered_map<std::uint32_t, const CapturedToken*> by_place;
    for (const CapturedToken& token : captured.tokens) {
      by_place.try_emplace(token.begin, &token);  // the end follows no token of no bytes
    }
    std::uint32_t place = 0;
    for (const Token token : example.answer) {
      const auto said = by_place.find(place);
      if (said == by_place.end() || said->second->top.empty()) {
        targets.add_text(example, token);
      } else {
        targets.add_teacher(example, *said->second);
        ++read_.with_odds;
      }
      place += static_cast<std::uint32_t>(tokenizer_.vocabulary->piece(token).size());
    }
  }

  void keep(Example example) {
    if (example.length() > options_.longest) {
      ++read_.chats.left_out;
    } else {
      read_.chats.examples.push_back(std::move(example));
    }
  }

  const CaptureFile& capture_;
  const model::Tokenizer& tokenizer_;
  const ChatOptions& options_;
  const TeacherOdds odds_;
  StudentPieces pieces_;
  CaptureExamples read_;
};

}  // namespace

Result<CaptureExamples> read_capture(const CaptureFile& capture, const model::Tokenizer& tokenizer,
                                     const ChatOptions& options, TeacherOdds odds) {
  Reader reader(capture, tokenizer, options, odds);
  for (std::size_t i = 0; i < capture.examples(); ++i) {
    if (Result<void> read = reader.read(i); !read) {
      return fail(read.error().code, capture.path().string() + ": example " + std::to_string(i) +
                                         ": " + read.error().detail);
    }
  }
  CaptureExamples all = reader.take();
  if (all.chats.examples.empty()) {
    return fail(Errc::bad_request, capture.path().string() + ": holds no example of at most " +
                                       std::to_string(options.longest) + " tokens");
  }
  return all;
}

}  // namespace lichen::training
