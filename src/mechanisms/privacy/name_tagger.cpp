#include "mechanisms/privacy/name_tagger.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "mechanisms/privacy/name_windows.h"
#include "model/open_local_model.h"

namespace lichen::mechanisms {
namespace {

using privacy::Span;
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// How many of the windows from `first` on fit into a pass.
std::size_t windows_of_pass(std::span<const NameWindow> windows, std::size_t first,
                            const model::TokenEncoder& encoder) {
  const auto most_tokens = static_cast<std::size_t>(encoder.pass_tokens());
  const auto most_texts = static_cast<std::size_t>(encoder.pass_texts());
  std::size_t count = 0, tokens = 0;
  while (first + count < windows.size() && count < most_texts) {
    const NameWindow& next = windows[first + count];
    tokens += next.end - next.begin;
    if (tokens > most_tokens) break;
    ++count;
  }
  return count;
}

}  // namespace

struct NameTagger::Text {
  std::vector<Token> tokens;
  std::vector<std::size_t> ends;     // of tokens, in bytes
  std::vector<float> probabilities;  // a row of labels for each token
};

NameTagger::NameTagger(std::shared_ptr<model::TokenEncoder> encoder, model::LabelHead head,
                       NameLabels labels)
    : encoder_(std::move(encoder)), head_(std::move(head)), labels_(std::move(labels)) {}

Result<std::shared_ptr<NameTagger>> NameTagger::open(const NameTaggerOptions& options,
                                                     std::shared_ptr<model::Lane> lane) {
  if (!(options.threshold >= 0 && options.threshold < 1)) {
    return fail(Errc::bad_config, "a threshold of " + std::to_string(options.threshold) +
                                      " for names; it must be between 0 and 1");
  }
  auto head = model::read_label_head(options.gguf);
  if (!head) return std::unexpected(head.error());
  auto labels = NameLabels::make(head->labels);
  const std::string file = options.gguf.string() + ": ";
  if (!labels) return fail(labels.error().code, file + labels.error().detail);
  auto encoder = model::open_token_encoder(options.gguf, std::move(lane));
  if (!encoder) return std::unexpected(encoder.error());
  if ((*encoder)->width() != head->width || head->window > (*encoder)->pass_tokens()) {
    return fail(Errc::bad_model, file + "states of " + std::to_string((*encoder)->width()) +
                                     " values and windows of " + std::to_string(head->window) +
                                     " tokens; the labels need " + std::to_string(head->width) +
                                     " values, and a pass takes " +
                                     std::to_string((*encoder)->pass_tokens()) + " tokens");
  }
  if (options.threshold > 0) head->threshold = options.threshold;
  return std::shared_ptr<NameTagger>(
      new NameTagger(*std::move(encoder), *std::move(head), *std::move(labels)));
}

Result<NameTagger::Text> NameTagger::prepare(const std::string& text, std::size_t index) const {
  if (const std::size_t valid = base::valid_utf8_prefix(text); valid < text.size()) {
    return fail(Errc::bad_request,
                "text " + std::to_string(index) + " is not UTF-8 at byte " + std::to_string(valid));
  }
  auto tokens = encoder_->vocabulary().tokenize(text, false);
  if (!tokens) return std::unexpected(tokens.error());
  Text prepared{.tokens = *std::move(tokens), .ends = {}, .probabilities = {}};
  std::size_t end = 0;
  for (const Token token : prepared.tokens) {
    end += encoder_->vocabulary().piece(token).size();
    prepared.ends.push_back(end);
  }
  if (end != text.size()) {
    return fail(Errc::bad_model, encoder_->name() +
                                     ": its tokens are not the text's bytes, so "
                                     "names have no place; it needs a vocabulary "
                                     "of bytes");
  }
  prepared.probabilities.resize(prepared.tokens.size() * labels_.size());
  return prepared;
}

/// The softmax of the head's logits, a row for each state.
void NameTagger::add_probabilities(std::span<const float> states, std::span<float> rows) const {
  const auto width = static_cast<Eigen::Index>(head_.width);
  const auto count = static_cast<Eigen::Index>(states.size()) / width;
  const auto labels = static_cast<Eigen::Index>(labels_.size());
  const Eigen::Map<const Rows> h(states.data(), count, width);
  const Eigen::Map<const Rows> weights(head_.weights.data(), labels, width);
  const Eigen::Map<const Eigen::RowVectorXf> bias(head_.bias.data(), labels);
  Eigen::Map<Rows> out(rows.data(), count, labels);
  out.noalias() = h * weights.transpose();
  out.rowwise() += bias;
  out.colwise() -= out.rowwise().maxCoeff().eval();
  out = out.array().exp();
  out.array().colwise() /= out.rowwise().sum().array().eval();
}

awaitable<Result<std::vector<std::vector<Span>>>> NameTagger::find(std::vector<std::string> texts,
                                                                   Turn& turn) {
  const auto begun = Clock::now();
  std::vector<Text> prepared;
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto text = prepare(texts[i], i);
    if (!text) co_return std::unexpected(text.error());
    counts.push_back(text->tokens.size());
    prepared.push_back(*std::move(text));
  }
  const std::vector<NameWindow> windows =
      name_windows(counts, static_cast<std::size_t>(head_.window));
  const auto width = static_cast<std::size_t>(head_.width);
  Step step{.model = encoder_->name(), .role = "names"};
  for (std::size_t first = 0; first < windows.size();) {
    const std::size_t count = windows_of_pass(windows, first, *encoder_);
    std::vector<std::vector<Token>> pass;
    for (const NameWindow& window : std::span(windows).subspan(first, count)) {
      const auto begin = prepared[window.text].tokens.begin();
      pass.emplace_back(begin + static_cast<std::ptrdiff_t>(window.begin),
                        begin + static_cast<std::ptrdiff_t>(window.end));
      step.tokens_in += static_cast<std::int64_t>(window.end - window.begin);
    }
    auto states = co_await encoder_->encode(std::move(pass), turn);
    if (!states) co_return std::unexpected(states.error());
    std::size_t at = 0;
    for (const NameWindow& window : std::span(windows).subspan(first, count)) {
      const std::size_t kept = window.keep_end - window.keep_begin;
      const std::size_t skipped = at + window.keep_begin - window.begin;
      add_probabilities(std::span(*states).subspan(skipped * width, kept * width),
                        std::span(prepared[window.text].probabilities)
                            .subspan(window.keep_begin * labels_.size(), kept * labels_.size()));
      at += window.end - window.begin;
    }
    first += count;
  }
  step.prefill_ms = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
  turn.receipt.steps.push_back(std::move(step));

  std::vector<std::vector<Span>> names;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    names.push_back(
        labels_.names(texts[i], prepared[i].ends, prepared[i].probabilities, head_.threshold));
  }
  co_return names;
}

}  // namespace lichen::mechanisms
