// What makes two questions differ although they sound alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

/// Which rules `facts_of` goes by: a threshold that was found with others means nothing here.
inline constexpr int kFactRules = 1;

/// What must be the same in two texts, whatever their embeddings say. `words` is for embedders
/// that hardly tell one word from another, and for who wants few wrong hits rather than many.
enum class Equal : std::uint8_t { facts, words };

/// In their order of the text: numbers (with sign, point and digits in one piece), what is quoted,
/// words with a digit, a capital letter behind the beginning of a sentence, or a sign of an address
/// or path (`@`, `/`, `_`), and the words that negate. Texts with different facts do not ask the
/// same, however near their embeddings are; ones with the same facts may. English words; of other
/// languages numbers, quotes and names are found, negations are not. With Equal::words there follow
/// all words in their order, but those that hardly change what is asked: articles, forms of
/// "be", "please", "tell me" and the like. What sets questions apart stays: "who", "where", "and",
/// "or", "from", "to".
std::vector<std::string> facts_of(std::string_view text, Equal equal = Equal::facts);

}  // namespace lichen::mechanisms
