#include "eval/tasks/documents.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "eval/tasks/inquiry.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::uint64_t kSalt = 0x646f63756d656e74;  // "document"
constexpr std::size_t kPage = 3'000;                 // bytes
constexpr int kParagraph = 8;                        // sentences
constexpr int kStatements = 33;                      // percent of the sentences
constexpr std::size_t kBytesPerCompany = 3'000;      // so one has some twenty figures in all

/// Those of the question first.
std::vector<std::string> companies_of(Random& random, const Inquiry& inquiry, std::size_t bytes) {
  std::vector<std::string> companies;
  for (const Figure& figure : inquiry.figures) {
    if (!contains(companies, figure.company)) companies.push_back(figure.company);
  }
  const std::size_t count = companies.size() + 2 + bytes / kBytesPerCompany;
  while (companies.size() < count) {
    std::string name = company(random);
    if (!contains(companies, name)) companies.push_back(std::move(name));
  }
  return companies;
}

/// Sentences of about `bytes` bytes in all, the question's figures at random places among them.
std::vector<std::string> sentences_of(Random& random, const Inquiry& inquiry, std::size_t bytes) {
  const auto companies = companies_of(random, inquiry, bytes);
  std::vector<std::string> sentences;
  std::set<std::string> stated;
  std::size_t size = 0;
  const auto add = [&](std::string sentence) {
    size += sentence.size() + 1;
    sentences.push_back(std::move(sentence));
  };
  for (const Figure& figure : inquiry.figures) {
    stated.insert(figure.named());
    add(statement(random, figure));
  }
  while (size < bytes) {
    if (!random.chance(kStatements)) {
      const std::string& first = random.pick(companies);  // in this order, wherever it is built
      add(talk(random, first, random.pick(companies)));
      continue;
    }
    Figure other = random_figure(random);
    other.company = random.pick(companies);
    if (stated.insert(other.named()).second) add(statement(random, other));
  }
  random.shuffle(sentences);
  return sentences;
}

/// In paragraphs, each a line, and pages, each but the first after a form feed.
std::string laid_out(const std::vector<std::string>& sentences) {
  std::string text;
  std::size_t page = 0;  // where the current one begins
  int in_paragraph = 0;
  for (const std::string& sentence : sentences) {
    if (in_paragraph == kParagraph) {
      text += '\n';
      in_paragraph = 0;
      if (text.size() - page >= kPage) {
        text += '\f';
        page = text.size();
      }
    }
    if (in_paragraph++ > 0) text += ' ';
    text += sentence;
  }
  return text += '\n';
}

}  // namespace

Sample make_document_sample(const SampleOptions& options, std::size_t bytes, int level,
                            std::uint64_t index) {
  const auto split_and_seed = mixed(options.seed, static_cast<std::uint64_t>(options.split));
  const auto cell = mixed(split_and_seed, mixed(kSalt + bytes, static_cast<std::uint64_t>(level)));
  Maker maker{.random = Random(mixed(cell, index)), .split = options.split, .level = level};
  const Inquiry inquiry = random_inquiry(maker);
  auto answer = full_answer(inquiry.steps, inquiry.answer);
  return {.family = "document",
          .level = level,
          .prompt = inquiry.question,
          .document = laid_out(sentences_of(maker.random, inquiry, bytes)),
          .answer = answer,
          .reference = std::move(answer),
          .check = "final"};
}

}  // namespace lichen::eval::tasks
