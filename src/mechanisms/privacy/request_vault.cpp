#include "mechanisms/privacy/request_vault.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/sha256.h"
#include "privacy/egress.h"
#include "privacy/fold.h"

namespace lichen::mechanisms {
namespace {

using privacy::Kind;
using privacy::Span;

/// Names consist of words that are no secret in themselves.
bool is_name(Kind kind) {
  return kind == Kind::person || kind == Kind::organization || kind == Kind::location ||
         kind == Kind::other;
}

privacy::WipedString folded(std::string_view text) {
  privacy::WipedString out(text.size(), '\0');
  privacy::fold_case(text, out.data());
  return out;
}

/// How many bytes of a form the text ends with; 0 where it does not break off within it.
std::size_t begun_bytes(std::string_view text, std::string_view folded_text,
                        const privacy::Vault::Form& form, Kind kind) {
  const std::string_view value = form.folded;
  const std::size_t least = std::max(privacy::kShortestSought, (value.size() + 1) / 2);
  for (std::size_t bytes = std::min(value.size() - 1, text.size()); bytes >= least; --bytes) {
    if (!folded_text.ends_with(value.substr(0, bytes))) continue;
    if (!privacy::word_edge(text, text.size() - bytes)) continue;
    if (is_name(kind) && privacy::word_edge(value, bytes)) continue;
    return bytes;
  }
  return 0;
}

/// Those behind `before`, placed in the text alone.
std::vector<Span> without_front(std::vector<Span> spans, std::size_t before) {
  std::erase_if(spans, [before](const Span& span) { return span.end <= before; });
  for (Span& span : spans) {
    span.begin = std::max(span.begin, before) - before;
    span.end -= before;
  }
  return spans;
}

/// Whether a quotation may end here.
bool ends_quotation(std::string_view rest) {
  return rest.starts_with('`') || rest.starts_with('"') || rest.starts_with("...") ||
         rest.starts_with("\u2026");
}

std::shared_ptr<privacy::PlaceholderSeries> series_of(const EgressCheck* outer) {
  const auto* vault = dynamic_cast<const RequestVault*>(outer);
  return vault != nullptr ? vault->series() : std::make_shared<privacy::PlaceholderSeries>();
}

awaitable<Result<void>> run_under(std::shared_ptr<RequestVault> vault, Turn::Later work,
                                  Turn& turn) {
  const std::size_t seen = turn.receipt.decisions.size();
  turn.egress = vault;
  Result<void> done = co_await work(turn);
  hide_values(*vault, turn.receipt, seen);
  if (!done) done.error().detail = vault->without_values(std::move(done.error().detail));
  co_return done;
}

}  // namespace

RequestVault::RequestVault(std::shared_ptr<MaskRules> rules, std::shared_ptr<EgressCheck> outer)
    : rules_(std::move(rules)),
      outer_(std::move(outer)),
      vault_(rules_->placeholders, series_of(outer_.get())) {}

std::shared_ptr<RequestVault> RequestVault::of(const Turn& turn,
                                               const std::shared_ptr<MaskRules>& rules) {
  std::shared_ptr<EgressCheck> check = turn.egress;
  while (auto vault = std::dynamic_pointer_cast<RequestVault>(check)) {
    if (vault->rules_ == rules) return vault;
    check = vault->outer_;
  }
  return std::make_shared<RequestVault>(rules, turn.egress);
}

void RequestVault::watch(Turn& turn) {
  if (of(turn, rules_).get() != this) turn.egress = shared_from_this();
}

awaitable<Result<RequestVault::Masked>> RequestVault::mask(std::vector<PrivateText> texts,
                                                           Turn& turn) {
  Result<privacy::Spans> found = co_await find(texts, turn);
  if (!found) co_return std::unexpected(found.error());
  std::vector<std::string_view> views;
  for (const PrivateText& text : texts) views.push_back(text.text);
  const std::scoped_lock lock(mutex_);
  privacy::Masked masked = privacy::mask(vault_, views, *std::move(found));
  co_return Masked{
      .texts = std::move(masked.texts), .counts = masked.counts, .known = vault_.forms().size()};
}

awaitable<Result<privacy::Spans>> RequestVault::find(std::vector<PrivateText> texts, Turn& turn) {
  privacy::Spans found(texts.size());
  std::vector<std::string> unseen, hashes;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string whole = texts[i].before + texts[i].text;
    const base::Sha256 hash = base::sha256(whole);
    std::string key(hash.begin(), hash.end());
    key += texts[i].is_field ? 'f' : 't';
    const std::scoped_lock lock(mutex_);
    if (const auto seen = seen_.find(key); seen != seen_.end()) {
      found[i] = seen->second;
      continue;
    }
    unseen.push_back(whole);
    hashes.push_back(std::move(key));
    places.push_back(i);
  }
  std::vector<std::string> prose;
  std::vector<std::size_t> prose_places;
  for (std::size_t i = 0; i < unseen.size(); ++i) {
    auto spans = rules_->detector->find(unseen[i]);
    if (!spans) co_return std::unexpected(spans.error());
    found[places[i]] = *std::move(spans);
    if (texts[places[i]].is_field) continue;
    prose.push_back(std::move(unseen[i]));
    prose_places.push_back(places[i]);
  }
  if (rules_->names && !prose.empty()) {
    const auto names = co_await rules_->names->find(prose, turn);
    if (!names) co_return std::unexpected(names.error());
    for (std::size_t i = 0; i < prose.size(); ++i) {
      std::ranges::copy_if(
          (*names)[i], std::back_inserter(found[prose_places[i]]),
          [this](const Span& span) { return rules_->named.test(privacy::index_of(span.kind)); });
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) seen_[hashes[i]] = found[places[i]];
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    found[i] = without_front(std::move(found[i]), texts[i].before.size());
  }
  co_return found;
}

std::optional<RequestVault::OpenValue> RequestVault::open_value(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  const auto& entries = vault_.entries();
  const privacy::WipedString lower = folded(text);
  const privacy::Vault::Form* longest = nullptr;
  std::size_t bytes = 0;
  bool several = false;
  for (const privacy::Vault::Form& form : vault_.forms()) {
    const Kind kind = entries[form.entry].kind;
    if (kind == Kind::literal) continue;
    if (form.folded.size() >= privacy::kShortestSought &&
        std::string_view(lower).ends_with(std::string_view(form.folded)) &&
        privacy::word_edge(text, text.size() - form.folded.size())) {
      return std::nullopt;  // the text ends with a whole one
    }
    const std::size_t here = begun_bytes(text, lower, form, kind);
    if (here == 0 || here < bytes) continue;
    several = here == bytes && (several || form.entry != longest->entry);
    bytes = here;
    longest = &form;
  }
  if (longest == nullptr) return std::nullopt;
  const std::size_t begin = text.size() - bytes;
  if (several) {
    const auto& part = vault_.keep(entries[longest->entry].kind, text.substr(begin));
    return OpenValue{
        .kind = part.kind, .begin = begin, .placeholder = part.placeholder, .rest = ""};
  }
  const privacy::Vault::Entry& entry = entries[longest->entry];
  // The value as it was written first, if that is what has been begun; else in lower case.
  const std::string_view whole =
      folded(entry.value) == longest->folded ? std::string_view(entry.value) : longest->folded;
  return OpenValue{.kind = entry.kind,
                   .begin = begin,
                   .placeholder = entry.placeholder,
                   .rest = std::string(whole.substr(bytes))};
}

std::string RequestVault::without_values(std::string remark) {
  for (std::size_t end = remark.size(); end-- > 0;) {
    if (!ends_quotation(std::string_view(remark).substr(end))) continue;
    const auto open = open_value(std::string_view(remark).substr(0, end));
    if (!open) continue;
    remark.replace(open->begin, end - open->begin, open->placeholder);
    end = open->begin;
  }
  auto found = rules_->detector->find(remark);
  if (!found) return "(not shown: " + found.error().detail + ")";
  std::string masked;
  {
    const std::scoped_lock lock(mutex_);
    const std::string_view text = remark;
    masked = privacy::mask(vault_, {&text, 1}, {*std::move(found)}).texts.front();
  }
  return with_literals(std::move(masked));
}

std::string RequestVault::with_literals(std::string masked) const {
  const std::scoped_lock lock(mutex_);
  for (const privacy::Vault::Entry& entry : vault_.entries()) {
    if (entry.kind != Kind::literal) continue;
    for (std::size_t at = masked.find(entry.placeholder); at != std::string::npos;
         at = masked.find(entry.placeholder, at + entry.value.size())) {
      masked.replace(at, entry.placeholder.size(), std::string_view(entry.value));
    }
  }
  return masked;
}

std::size_t RequestVault::size() const {
  const std::scoped_lock lock(mutex_);
  return vault_.forms().size();
}

Result<void> RequestVault::check(std::string_view body, Turn& turn) {
  Result<void> clean;
  {
    const std::scoped_lock lock(mutex_);
    clean = privacy::check_egress(vault_, body);
  }
  if (!clean) {
    ++rules_->refused;
    turn.receipt.decisions.push_back(
        {.mechanism = "mask", .choice = "refuse", .reason = clean.error().detail});
    return clean;
  }
  return outer_ ? outer_->check(body, turn) : clean;
}

void hide_values(RequestVault& vault, Receipt& receipt, std::size_t seen) {
  for (std::size_t i = seen; i < receipt.decisions.size(); ++i) {
    Decision& decision = receipt.decisions[i];
    if (decision.mechanism == "mask") continue;  // its own hold no values
    decision.reason = vault.without_values(std::move(decision.reason));
    decision.choice = vault.without_values(std::move(decision.choice));
  }
}

std::string Restorer::push(std::string_view piece) {
  const std::scoped_lock lock(vault_->mutex_);
  return unmasker_.push(piece);
}

std::string Restorer::finish() {
  const std::scoped_lock lock(vault_->mutex_);
  return unmasker_.finish();
}

Turn::Later under(std::shared_ptr<RequestVault> vault, Turn::Later work) {
  return [vault = std::move(vault), work = std::move(work)](Turn& turn) {
    return run_under(vault, work, turn);
  };
}

}  // namespace lichen::mechanisms
