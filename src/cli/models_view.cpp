#include "cli/models_view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <unordered_set>

#include "cli/table.h"

namespace lichen::cli {
namespace {

/// Under this overlap most drafts would end at a token that the target does not have.
constexpr double kLeastOverlap = 0.9;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// The characters by which byte-level tokenizers (GPT-2's and its followers) write bytes: printable
/// Latin-1 stands for itself, the other bytes for U+0100, U+0101, ... in order.
constexpr std::array<char32_t, 256> kByteCharacters = [] {
  std::array<char32_t, 256> table{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
                           (byte >= 0xAE && byte <= 0xFF);
    table[byte] = printable ? byte : next++;
  }
  return table;
}();

/// The byte that a character stands for; none for characters outside the table.
std::optional<char> byte_of(char32_t character) {
  const auto found = std::ranges::find(kByteCharacters, character);
  if (found == kByteCharacters.end()) return std::nullopt;
  return static_cast<char>(found - kByteCharacters.begin());
}

/// Byte-level spelling as bytes. All characters of the table have one or two bytes in UTF-8; a
/// token with others is not in this spelling ("<|im_end|>" is, and stays) and is left as it is.
std::string from_byte_level(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const auto first = static_cast<unsigned char>(token[i]);
    char32_t character = first;
    if (first >= 0x80) {
      if ((first & 0xE0) != 0xC0 || i + 1 == token.size()) return std::string(token);
      character = static_cast<char32_t>((first & 0x1F) << 6) |
                  (static_cast<unsigned char>(token[++i]) & 0x3F);
    }
    const auto byte = byte_of(character);
    if (!byte) return std::string(token);
    out += *byte;
  }
  return out;
}

/// SentencePiece's spelling as text: U+2581 is a blank, "<0x0A>" a byte.
std::string from_sentence_piece(std::string_view token) {
  if (token.size() == 6 && token.starts_with("<0x") && token.ends_with('>')) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
    if (error == std::errc{} && end == token.data() + 5) return {static_cast<char>(byte)};
  }
  constexpr std::string_view kBlank = "\u2581";
  std::string out;
  while (!token.empty()) {
    const bool blank = token.starts_with(kBlank);
    out += blank ? ' ' : token.front();
    token.remove_prefix(blank ? kBlank.size() : 1);
  }
  return out;
}

std::vector<std::string> texts(const TokenList& list) {
  std::vector<std::string> out;
  out.reserve(list.tokens.size());
  for (const auto& token : list.tokens) out.push_back(token_text(list.tokenizer, token));
  return out;
}

std::string line(std::string_view label, std::string_view text) {
  return text.empty() ? "" : fmt::format("{:<13}  {}\n", label, text);
}

std::string parameters_text(std::uint64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (count >= 1e9) return fmt::format("{:.2f} B", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.2f} M", count / 1e6);
  return format_count(static_cast<std::int64_t>(parameters));
}

std::string count_or_empty(std::uint64_t count) {
  return count == 0 ? "" : format_count(static_cast<std::int64_t>(count));
}

bool has_tokenizer(const model::GgufInfo& info) {
  return !info.tokenizer.empty() && info.tokenizer != "none" && info.tokenizer != "no_vocab";
}

}  // namespace

double Overlap::id_share() const { return share(same_ids, std::max(tokens_a, tokens_b)); }
double Overlap::piece_share() const { return share(shared_pieces, std::max(pieces_a, pieces_b)); }

std::string token_text(std::string_view tokenizer, std::string_view token) {
  if (tokenizer == "gpt2") return from_byte_level(token);
  if (tokenizer == "llama" || tokenizer == "t5") return from_sentence_piece(token);
  return std::string(token);
}

Overlap compare_vocabularies(const TokenList& a, const TokenList& b) {
  const auto left = texts(a), right = texts(b);
  Overlap overlap{.tokens_a = left.size(), .tokens_b = right.size()};
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    overlap.same_ids += left[i] == right[i];
  }
  const std::unordered_set<std::string_view> pieces_a(left.begin(), left.end());
  const std::unordered_set<std::string_view> pieces_b(right.begin(), right.end());
  overlap.pieces_a = pieces_a.size();
  overlap.pieces_b = pieces_b.size();
  for (const auto piece : pieces_a) overlap.shared_pieces += pieces_b.contains(piece);
  return overlap;
}

std::string speculation_in_words(const Overlap& overlap) {
  if (overlap.tokens_a == 0 || overlap.tokens_b == 0) {
    return "cannot work: one of the files has no vocabulary";
  }
  if (overlap.same_vocabulary()) return "can draft token by token: the vocabularies are the same";
  const auto percent = format_percent(overlap.piece_share());
  if (overlap.piece_share() >= kLeastOverlap) {
    return fmt::format("could draft across vocabularies: {} of the pieces are shared", percent);
  }
  return fmt::format("cannot work: {} of the pieces are shared, {} are needed", percent,
                     format_percent(kLeastOverlap));
}

std::string info_text(const model::GgufInfo& info, std::string_view file,
                      const Terminal& terminal) {
  std::string size = format_bytes(info.file_bytes);
  if (info.parts > 1) size += fmt::format(" in {} parts", info.parts);
  std::string out = line("file", fmt::format("{}, GGUF version {}", file, info.version));
  out += line("size", size);
  out += line("type", info.type == "model" ? "" : info.type);
  out += line("name", info.name);
  out += line("architecture", info.architecture);
  out += line("parameters", parameters_text(info.parameters));
  out += line("quantization", info.file_type);
  out += line("context", count_or_empty(info.context_length));
  out += line("layers", count_or_empty(info.block_count));
  out += line("width", count_or_empty(info.embedding_length));
  out +=
      line("vocabulary", has_tokenizer(info)
                             ? fmt::format("{} tokens, {}{}{}",
                                           format_count(static_cast<std::int64_t>(info.vocabulary)),
                                           info.tokenizer, info.pre_tokenizer.empty() ? "" : ", ",
                                           info.pre_tokenizer)
                             : "none: it cannot read text");
  out += line("chat template", info.chat_template.empty() ? "no" : "yes");
  if (!info.adapter_type.empty()) {
    out += line("adapter", info.adapter_lora_alpha ? fmt::format("{}, alpha {}", info.adapter_type,
                                                                 *info.adapter_lora_alpha)
                                                   : info.adapter_type);
  }
  if (info.shares.empty()) return out;
  Table table({{"tensors", Table::Align::left}, {"number"}, {"parameters"}, {"bytes"}});
  for (const auto& [type, part] : info.shares) {
    table.row({type, format_count(static_cast<std::int64_t>(part.tensors)),
               parameters_text(part.parameters), format_bytes(part.bytes)});
  }
  return out + "\n" + table.text(terminal);
}

boost::json::object to_json(const model::GgufInfo& info, std::string_view file) {
  boost::json::object tensors;
  for (const auto& [type, part] : info.shares) {
    tensors[type] = {
        {"tensors", part.tensors}, {"parameters", part.parameters}, {"bytes", part.bytes}};
  }
  return {{"file", file},
          {"version", info.version},
          {"bytes", info.file_bytes},
          {"parts", info.parts},
          {"type", info.type},
          {"name", info.name},
          {"architecture", info.architecture},
          {"parameters", info.parameters},
          {"quantization", info.file_type},
          {"context", info.context_length},
          {"layers", info.block_count},
          {"width", info.embedding_length},
          {"vocabulary", info.vocabulary},
          {"tokenizer", info.tokenizer},
          {"pre_tokenizer", info.pre_tokenizer},
          {"chat_template", !info.chat_template.empty()},
          {"tensors", std::move(tensors)}};
}

std::string overlap_text(const Overlap& overlap) {
  const auto count = [](std::uint64_t number) {
    return format_count(static_cast<std::int64_t>(number));
  };
  return line("vocabularies",
              fmt::format("{} and {} tokens, {}", count(overlap.tokens_a), count(overlap.tokens_b),
                          overlap.same_vocabulary() ? "the same" : "not the same")) +
         line("same tokens",
              fmt::format("{} ids mean the same in both ({})", count(overlap.same_ids),
                          format_percent(overlap.id_share()))) +
         line("shared pieces",
              fmt::format("{} texts are in both: {} of the first's, {} of the second's",
                          count(overlap.shared_pieces),
                          format_percent(share(overlap.shared_pieces, overlap.pieces_a)),
                          format_percent(share(overlap.shared_pieces, overlap.pieces_b)))) +
         line("speculate", speculation_in_words(overlap));
}

boost::json::object to_json(const Overlap& overlap) {
  return {{"tokens", {overlap.tokens_a, overlap.tokens_b}},
          {"same_vocabulary", overlap.same_vocabulary()},
          {"same_ids", overlap.same_ids},
          {"id_share", overlap.id_share()},
          {"pieces", {overlap.pieces_a, overlap.pieces_b}},
          {"shared_pieces", overlap.shared_pieces},
          {"piece_share", overlap.piece_share()},
          {"speculate", speculation_in_words(overlap)}};
}

}  // namespace lichen::cli
