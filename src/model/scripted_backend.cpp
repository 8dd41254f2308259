#include "model/scripted_backend.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <set>

namespace lichen::model {
namespace {

constexpr std::string_view kCall = "<call>";

class PlainChat : public ChatFormat {
 public:
  Result<RenderedChat> render(const Request& request) const override {
    RenderedChat chat;
    for (const Message& message : request.messages) {
      chat.prompt += message.role + ": " + message.content + "\n";
    }
    chat.call_starts = {std::string(kCall)};
    return chat;
  }
  Result<ParsedReply> parse(const RenderedChat&, const std::string& reply) const override {
    const std::size_t call = reply.find(kCall);
    ParsedReply parsed{.content = reply.substr(0, call)};
    if (call != reply.npos) parsed.tool_calls.emplace_back(reply.substr(call + kCall.size()));
    return parsed;
  }
  Result<std::string> grammar(const Format&) const override {
    return fail(Errc::unsupported, "the scripted model has no grammars");
  }
};

}  // namespace

ByteVocabulary::ByteVocabulary() {
  for (int byte = 0; byte < 256; ++byte) bytes_.push_back(static_cast<char>(byte));
}

Result<std::vector<Token>> ByteVocabulary::tokenize(std::string_view text, bool) const {
  std::vector<Token> tokens;
  for (char byte : text) tokens.push_back(static_cast<unsigned char>(byte));
  return tokens;
}

std::string_view ByteVocabulary::piece(Token token) const {
  if (token == kEnd) return {};
  return std::string_view(bytes_).substr(static_cast<std::size_t>(token), 1);
}

ScriptedBackend::ScriptedBackend(Limits limits, Script script)
    : limits_(limits), script_(std::move(script)) {}

Backend::Outcome ScriptedBackend::decode(std::span<const BatchToken> batch) {
  rows_.clear();
  hidden_.clear();
  if (on_decode && !on_decode(batch)) return Outcome::failed;
  if (used_cells() + static_cast<int>(batch.size()) > limits_.cells) return Outcome::full;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const BatchToken& token = batch[i];
    // As libllama: with split cells, sequences in rising order make one pass.
    if (limits_.split && i > 0 && token.seq < batch[i - 1].seq) return Outcome::failed;
    Cells& cells = sequences_[token.seq];
    if (static_cast<int>(cells.size()) >= limits_.length()) return Outcome::full;
    // libllama demands consecutive positions too.
    if (token.position != static_cast<int>(cells.size())) return Outcome::failed;
    cells.push_back(std::make_shared<Cell>(Cell{token.token, adapter_}));
    if (!token.output) continue;
    std::vector<Token> before;
    for (const auto& cell : cells) before.push_back(cell->token + 1'000 * cell->adapter);
    std::vector<float>& row = rows_[static_cast<int>(i)];
    row.assign(static_cast<std::size_t>(vocabulary_.size()), 0.0F);
    row[static_cast<std::size_t>(script_(before))] = sureness ? sureness(before) : 5.0F;
    hidden_[static_cast<int>(i)].assign(static_cast<std::size_t>(limits_.embedding),
                                        static_cast<float>(before.size()));
  }
  return Outcome::ok;
}

int ScriptedBackend::used_cells() const {
  std::set<const Cell*> distinct;
  for (const auto& [seq, cells] : sequences_) {
    for (const auto& cell : cells) distinct.insert(cell.get());
  }
  return static_cast<int>(distinct.size());
}

std::span<const float> ScriptedBackend::logits(int index) { return rows_.at(index); }
std::span<const float> ScriptedBackend::hidden(int index) { return hidden_.at(index); }

void ScriptedBackend::truncate(Seq seq, int from) {
  Cells& cells = sequences_[seq];
  assert(static_cast<std::size_t>(from) <= cells.size());
  cells.resize(static_cast<std::size_t>(from));
}

void ScriptedBackend::share(Seq from, Seq to, int length) {
  const Cells source = sequences_[from];
  Cells& target = sequences_[to];
  assert(target.empty() && static_cast<std::size_t>(length) <= source.size());
  target.assign(source.begin(), source.begin() + length);
  if (!limits_.split) return;
  for (std::shared_ptr<Cell>& cell : target) cell = std::make_shared<Cell>(*cell);
}

std::vector<std::byte> ScriptedBackend::save(Seq seq) {
  std::vector<std::byte> state;
  for (const auto& cell : sequences_[seq]) {
    const auto* bytes = reinterpret_cast<const std::byte*>(cell.get());
    state.insert(state.end(), bytes, bytes + sizeof(Cell));
  }
  return state;
}

bool ScriptedBackend::restore(Seq seq, std::span<const std::byte> state) {
  if (used_cells() + static_cast<int>(state.size() / sizeof(Cell)) > limits_.cells) return false;
  Cells& cells = sequences_[seq];
  assert(cells.empty());
  for (std::size_t at = 0; at < state.size(); at += sizeof(Cell)) {
    Cell cell;
    std::memcpy(&cell, state.data() + at, sizeof(Cell));
    cells.push_back(std::make_shared<Cell>(cell));
  }
  return true;
}

Result<int> ScriptedBackend::load_adapter(const std::filesystem::path&, float) {
  return ++adapters_;
}

ScriptedBackend::Script hashing_script(int length) {
  return [length](std::span<const Token> before) -> Token {
    std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
    for (Token token : before) hash = (hash ^ static_cast<std::uint64_t>(token)) * 1099511628211ULL;
    if (before.size() >= static_cast<std::size_t>(length)) return ByteVocabulary::kEnd;
    return static_cast<Token>('a' + (hash >> 32) % 26);
  };
}

std::shared_ptr<LocalModel> make_scripted_local_model(std::string name, std::shared_ptr<Lane> lane,
                                                      std::unique_ptr<ScriptedBackend> backend,
                                                      LocalModelOptions options, StepTimes times) {
  LocalModelParts parts;
  parts.chat = std::make_shared<PlainChat>();
  parts.make_sampler = [](const Sampling&, const std::string&, const std::string&) {
    return Result<std::unique_ptr<Sampler>>(nullptr);
  };
  parts.batcher = lane->add(std::move(backend), options.batcher, times);
  parts.times = std::move(times);
  return std::make_shared<LocalModel>(std::move(name), std::move(lane), std::move(parts),
                                      std::move(options));
}

}  // namespace lichen::model
