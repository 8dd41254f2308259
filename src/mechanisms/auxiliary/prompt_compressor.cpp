#include "mechanisms/auxiliary/prompt_compressor.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "mechanisms/answer_text.h"
#include "mechanisms/auxiliary/prompt_parts.h"

namespace lichen::mechanisms {
namespace {

namespace asio = boost::asio;

/// Longer prompts are taken apart on a thread of their own: a megabyte takes a while, in which the
/// caller's thread would serve nobody else.
constexpr std::size_t kLongPrompt = 16 * 1'024;  // bytes

/// By how much a sentence with a number is ahead of others: that it is needed is likelier before
/// anything is asked. Measured on the bundled pair (docs/auxiliary.md); relevances of sentences
/// differ by some 10.
constexpr double kNumber = 8;  // nats

bool has_number(std::string_view text) { return std::ranges::any_of(text, base::is_digit); }

bool may_shorten(const Message& message) {
  return message.role == "user" || message.role == "tool";
}

/// Indices of `values` from the least on; of equal ones the first comes first.
std::vector<std::size_t> by_rising(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(values[i], i); });
  return order;
}

std::string whole(std::span<const PromptPart> parts) {
  return join_parts(parts, std::vector<bool>(parts.size(), true));
}

}  // namespace

/// A request's messages as parts, of which some still stay.
struct PromptCompressor::Draft {
  struct Text {
    std::size_t message;  // its index in the request
    std::vector<PromptPart> parts;
    std::vector<std::int64_t> tokens = {};  // of each part
    std::vector<bool> stays = {};
  };
  struct Place {
    std::size_t text, part;
  };
  std::vector<Text> texts = {};
  std::string question = {};  // what sentences are to be relevant to
  std::int64_t left = 0;      // tokens of all parts that stay
  int sentences_out = 0, words_out = 0;

  PromptPart& part(Place at) { return texts[at.text].parts[at.part]; }
  std::int64_t tokens(Place at) const { return texts[at.text].tokens[at.part]; }

  /// Those that stay and may go.
  std::vector<Place> free() const {
    std::vector<Place> found;
    for (std::size_t text = 0; text < texts.size(); ++text) {
      for (std::size_t part = 0; part < texts[text].parts.size(); ++part) {
        const bool held = texts[text].parts[part].hold != Hold::none;
        if (texts[text].stays[part] && !held) found.push_back({text, part});
      }
    }
    return found;
  }
};

Request without_fences(Request request) {
  for (Message& message : request.messages) {
    if (may_shorten(message)) message.content = whole(parts_of(message.content));
  }
  return request;
}

PromptCompressor::PromptCompressor(const std::shared_ptr<model::LocalModel>& small,
                                   const CompressorOptions& options)
    : surprise_(small), relevance_(surprise_), word_surprise_(surprise_), options_(options) {}

awaitable<Result<Shortened>> PromptCompressor::shorten(Request request, Turn& turn) const {
  std::size_t bytes = 0;
  for (const Message& message : request.messages) bytes += message.content.size();
  if (bytes <= kLongPrompt) co_return co_await shorten_here(std::move(request), turn);
  co_return co_await asio::co_spawn(asio::system_executor(), shorten_here(std::move(request), turn),
                                    asio::use_awaitable);
}

awaitable<Result<Shortened>> PromptCompressor::shorten_here(Request request, Turn& turn) const {
  Result<Draft> draft = read(request);
  if (!draft) co_return std::unexpected(std::move(draft).error());
  Shortened result;
  result.tokens_before = draft->left;
  result.budget = budget(draft->left);
  for (const Draft::Text& text : draft->texts) {
    result.sentences += static_cast<int>(text.parts.size());
  }
  if (draft->left >= options_.from && draft->left > result.budget) {
    const std::int64_t halfway = (draft->left + result.budget) / 2;
    if (options_.grain != Grain::words) {
      const std::int64_t aim = options_.grain == Grain::both ? halfway : result.budget;
      const Result<void> dropped = co_await drop_sentences(*draft, aim, turn);
      if (!dropped) co_return std::unexpected(dropped.error());
    }
    if (options_.grain != Grain::sentences) {
      const Result<void> dropped = co_await drop_words(*draft, result.budget, turn);
      if (!dropped) co_return std::unexpected(dropped.error());
    }
  }
  for (const Draft::Text& text : draft->texts) {
    request.messages[text.message].content = join_parts(text.parts, text.stays);
  }
  result.request = std::move(request);
  result.tokens_after = draft->left;
  result.sentences_out = draft->sentences_out;
  result.words_out = draft->words_out;
  co_return result;
}

/// A question of a few sentences is the question as a whole where other messages are there to be
/// shortened; by itself, or a longer one, it holds its own context.
Result<PromptCompressor::Draft> PromptCompressor::read(const Request& request) const {
  constexpr std::size_t kShort = 6;  // parts
  Draft draft;
  std::size_t asked = 0;  // index in draft.texts
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const Message& message = request.messages[i];
    if (!may_shorten(message)) continue;
    if (message.role == "user") asked = draft.texts.size();
    draft.texts.push_back({.message = i, .parts = parts_of(message.content)});
  }
  if (draft.texts.empty()) return draft;

  std::vector<PromptPart>& parts = draft.texts[asked].parts;
  if (draft.texts.size() > 1 && parts.size() <= kShort) {
    for (PromptPart& part : parts) {
      if (part.hold == Hold::none) part.hold = Hold::question;
    }
  } else {
    hold_question(parts);
  }
  for (const PromptPart& part : parts) {
    if (part.hold != Hold::question) continue;
    if (!draft.question.empty()) draft.question += ' ';
    draft.question += trimmed(part.text);
  }
  for (Draft::Text& text : draft.texts) {
    text.stays.assign(text.parts.size(), true);
    for (const PromptPart& part : text.parts) {
      const auto tokens = surprise_.vocabulary().tokenize(trimmed(part.text), false);
      if (!tokens) return std::unexpected(tokens.error());
      text.tokens.push_back(std::ssize(*tokens));
      draft.left += std::ssize(*tokens);
    }
  }
  return draft;
}

std::int64_t PromptCompressor::budget(std::int64_t tokens) const {
  if (options_.tokens) return *options_.tokens;
  return static_cast<std::int64_t>(
      std::ceil(options_.ratio.value_or(1) * static_cast<double>(tokens)));
}

/// The most relevant ones stay that have room in the budget.
awaitable<Result<void>> PromptCompressor::drop_sentences(Draft& draft, std::int64_t budget,
                                                         Turn& turn) const {
  const std::vector<Draft::Place> places = draft.free();
  std::vector<std::string> sentences;
  std::int64_t room = budget - draft.left;  // for those that may go
  for (const Draft::Place at : places) {
    sentences.emplace_back(trimmed(draft.part(at).text));
    room += draft.tokens(at);
  }
  if (sentences.empty()) co_return Result<void>{};
  const auto relevance = co_await relevance_.of(draft.question, std::move(sentences), turn);
  if (!relevance) co_return std::unexpected(relevance.error());

  std::vector<double> irrelevance;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool number = has_number(draft.part(places[i]).text);
    irrelevance.push_back(-(*relevance)[i] - (number ? kNumber : 0));
  }
  for (const std::size_t i : by_rising(irrelevance)) {
    const Draft::Place at = places[i];
    const std::int64_t tokens = draft.tokens(at);
    if (tokens <= room) {
      room -= tokens;
      continue;
    }
    draft.texts[at.text].stays[at.part] = false;
    draft.left -= tokens;
    ++draft.sentences_out;
  }
  co_return Result<void>{};
}

/// The least surprising words go that may, until the budget is met.
awaitable<Result<void>> PromptCompressor::drop_words(Draft& draft, std::int64_t budget,
                                                     Turn& turn) const {
  struct Word {
    Draft::Place place;
    std::size_t begin, bytes;  // in the part
    SurpriseOfWord surprise;
  };
  std::vector<Word> droppable;
  for (std::size_t i = 0; i < draft.texts.size(); ++i) {
    std::string text;
    std::vector<std::size_t> sizes;
    std::vector<std::optional<Word>> words;
    for (std::size_t part = 0; part < draft.texts[i].parts.size(); ++part) {
      const Draft::Place at{i, part};
      if (!draft.texts[i].stays[part]) continue;
      text += draft.part(at).text;
      std::size_t begin = 0;
      for (const auto& [bytes, held] : words_of(draft.part(at).text)) {
        const bool free = !held && draft.part(at).hold == Hold::none;
        words.push_back(free ? std::optional<Word>({at, begin, bytes, {}}) : std::nullopt);
        sizes.push_back(bytes);
        begin += bytes;
      }
    }
    const auto surprises = co_await word_surprise_.of(std::move(text), std::move(sizes), turn);
    if (!surprises) co_return std::unexpected(surprises.error());
    for (std::size_t word = 0; word < words.size(); ++word) {
      if (!words[word]) continue;
      words[word]->surprise = (*surprises)[word];
      droppable.push_back(*words[word]);
    }
  }
  std::vector<double> nats;
  for (const Word& word : droppable) nats.push_back(word.surprise.nats);
  std::vector<Word> dropped;
  for (const std::size_t i : by_rising(nats)) {
    if (draft.left <= budget) break;
    dropped.push_back(droppable[i]);
    draft.left -= droppable[i].surprise.tokens;
  }
  // From the back of each part, so that the places of the others hold.
  std::ranges::sort(dropped, std::greater(), &Word::begin);
  for (const auto& [at, begin, bytes, _] : dropped) {
    std::string& text = draft.part(at).text;
    text.erase(begin, bytes);
    if (begin == 0) text.erase(0, text.find_first_not_of(' '));
  }
  draft.words_out = static_cast<int>(dropped.size());
  co_return Result<void>{};
}

}  // namespace lichen::mechanisms
