#include "mechanisms/routing/text_features.h"

#include <algorithm>
#include <cmath>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

enum class Kind : std::uint8_t { blank, letter, digit, mark };

constexpr unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

constexpr Kind kind_of(unsigned char c) {
  if (c == ' ' || (c >= '\t' && c <= '\r')) return Kind::blank;
  if (c >= '0' && c <= '9') return Kind::digit;
  // Bytes of characters beyond ASCII count as letters: most of them are.
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80) return Kind::letter;
  return Kind::mark;
}

struct Word {
  std::string_view text;
  Kind kind = Kind::letter;
  std::uint64_t hash = 0;  // of the text in lower case
};

/// Runs of letters, runs of digits, and single other characters.
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    const Kind kind = kind_of(static_cast<unsigned char>(text[i]));
    std::size_t end = i + 1;
    if (kind != Kind::mark) {
      while (end < text.size() && kind_of(static_cast<unsigned char>(text[end])) == kind) ++end;
    }
    if (kind != Kind::blank) {
      std::uint64_t hash = kHashStart;
      for (std::size_t k = i; k < end; ++k) {
        hash = hash_step(hash, lower(static_cast<unsigned char>(text[k])));
      }
      words.push_back({text.substr(i, end - i), kind, mixed(hash)});
    }
    i = end;
  }
  return words;
}

/// Each kind of n-gram has its own numbers, so that the word "the" and the characters "the" differ.
constexpr std::uint64_t kWordSalt = 0x77;
constexpr std::uint64_t kCharSalt = 0x63;

class Buckets {
 public:
  explicit Buckets(int bits) : shift_(64 - bits) {}
  void add(std::uint64_t hash) { hits_.push_back(static_cast<std::uint32_t>(hash >> shift_)); }

  std::vector<BucketCount> counted() {
    std::ranges::sort(hits_);
    std::vector<BucketCount> counts;
    for (const std::uint32_t bucket : hits_) {
      if (counts.empty() || counts.back().bucket != bucket) counts.push_back({bucket, 0});
      ++counts.back().count;
    }
    return counts;
  }

 private:
  const int shift_;
  std::vector<std::uint32_t> hits_;
};

void add_word_ngrams(const std::vector<Word>& words, int longest, Buckets& buckets) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint64_t hash = kWordSalt;
    for (std::size_t n = 0; n < static_cast<std::size_t>(longest) && i + n < words.size(); ++n) {
      hash = mixed(hash ^ words[i + n].hash);
      buckets.add(hash);
    }
  }
}

/// Within words of letters, with a blank before and after, so that prefixes and endings differ from
/// the inside.
void add_char_ngrams(const std::vector<Word>& words, int longest, Buckets& buckets) {
  std::string padded;
  for (const Word& word : words) {
    if (word.kind != Kind::letter) continue;
    padded.assign(1, ' ');
    for (const char c : word.text) {
      padded += static_cast<char>(lower(static_cast<unsigned char>(c)));
    }
    padded += ' ';
    for (std::size_t i = 0; i < padded.size(); ++i) {
      std::uint64_t hash = kHashStart ^ kCharSalt;
      for (int n = 1; n <= longest && i + static_cast<std::size_t>(n) <= padded.size(); ++n) {
        hash = hash_step(hash,
                         static_cast<unsigned char>(padded[i + static_cast<std::size_t>(n) - 1]));
        if (n >= kMinCharNgrams) buckets.add(mixed(hash));
      }
    }
  }
}

bool any_of_words(const std::vector<Word>& words, std::initializer_list<std::string_view> wanted) {
  return std::ranges::any_of(words, [&](const Word& word) {
    return std::ranges::any_of(wanted, [&](std::string_view w) { return word.hash == hash_of(w); });
  });
}

std::array<float, kSurfaceFeatures> surface_of(std::string_view text, std::size_t whole_bytes,
                                               const std::vector<Word>& words) {
  double digits = 0, upper = 0, math = 0, marks = 0, lines = 0, beyond_ascii = 0, brackets = 0;
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    digits += c >= '0' && c <= '9';
    upper += c >= 'A' && c <= 'Z';
    math += std::string_view("=+-*/^<>%$\\").contains(raw);
    brackets += std::string_view("()[]{}_;").contains(raw);
    marks += std::string_view(".,:!?'\"").contains(raw);
    lines += c == '\n';
    beyond_ascii += c >= 0x80;
  }
  double numbers = 0, letters_in_words = 0, letter_words = 0, longest = 0;
  for (const Word& word : words) {
    numbers += word.kind == Kind::digit;
    if (word.kind != Kind::letter) continue;
    const auto size = static_cast<double>(word.text.size());
    ++letter_words;
    letters_in_words += size;
    longest = std::max(longest, size);
  }
  const double bytes = std::max<double>(1, static_cast<double>(text.size()));
  const auto last_line = text.substr(text.find_last_of('\n') + 1);
  const auto first_line = text.substr(0, text.find('\n'));
  const auto log1p = [](double value) { return static_cast<float>(std::log1p(value)); };
  const auto share = [&](double count) { return static_cast<float>(count / bytes); };
  return {log1p(static_cast<double>(whole_bytes)),
          log1p(static_cast<double>(words.size())),
          log1p(static_cast<double>(first_line.size())),
          log1p(static_cast<double>(last_line.size())),
          log1p(lines),
          log1p(numbers),
          share(digits),
          share(upper),
          share(math),
          share(marks),
          share(brackets),
          share(beyond_ascii),
          static_cast<float>(letters_in_words / std::max(1.0, letter_words)),
          log1p(longest),
          any_of_words(words, {"not", "except", "never", "false", "incorrect"}) ? 1.0F : 0.0F,
          any_of_words(words, {"why", "how", "explain", "prove", "calculate", "compute"}) ? 1.0F
                                                                                          : 0.0F};
}

}  // namespace

TextFeatures text_features(std::string_view text, const FeatureOptions& options) {
  std::string shortened;
  const std::size_t whole_bytes = text.size();
  if (whole_bytes > kMaxFeatureBytes) {
    shortened = text.substr(0, kMaxFeatureBytes / 2);
    shortened += text.substr(whole_bytes - kMaxFeatureBytes / 2);
    text = shortened;
  }
  const std::vector<Word> words = words_of(text);
  Buckets buckets(options.hash_bits);
  add_word_ngrams(words, options.word_ngrams, buckets);
  add_char_ngrams(words, options.char_ngrams, buckets);
  return {.ngrams = buckets.counted(), .surface = surface_of(text, whole_bytes, words)};
}

std::string normalized(std::string_view text) {
  std::string out;
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (kind_of(c) != Kind::blank) {
      out += static_cast<char>(lower(c));
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace lichen::mechanisms
