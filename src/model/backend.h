// What the lane needs from whoever computes: libllama, or the scripted model in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "lichen/result.h"
#include "lichen/session.h"
#include "model/vocabulary.h"

namespace lichen::model {

/// A sequence's number in the KV cache of one backend.
using Seq = std::int32_t;

struct BatchToken {
  Token token;
  std::int32_t position;
  Seq seq;
  bool output;  // logits (and the hidden state) are wanted here
};

/// One set of weights with its KV cache on one device. Used on its lane's thread only, except
/// `vocabulary`.
class Backend {
 public:
  struct Limits {
    int cells;                    // KV cells of all sequences together
    int batch;                    // tokens in one pass
    int outputs;                  // outputs in one pass
    int sequences;                // sequences at once
    int train_length;             // longest sequence that the weights were trained for
    int embedding;                // width of a hidden state
    bool split = false;           // each sequence has its own cells; else all share them
    /// Each sequence of a pass costs as much as the one with the most cells.
    bool plain_attention = false;
    std::int64_t cell_bytes = 0;  // memory of one cell

    /// Tokens that one sequence can hold.
    int length() const { return split ? cells / sequences : cells; }
  };

  enum class Outcome : std::uint8_t {
    ok,
    full,    // no KV cells for the batch; nothing has changed
    failed,  // the batch's sequences are in an unknown state
  };

  virtual ~Backend() = default;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual const Limits& limits() const = 0;

  virtual Outcome decode(std::span<const BatchToken> batch) = 0;
  /// Logits of the batch's token at `index`, vocabulary-size values; valid until the next decode.
  virtual std::span<const float> logits(int index) = 0;
  /// The last hidden state there; only after `want_hidden(true)`.
  virtual std::span<const float> hidden(int index) = 0;
  virtual void want_hidden(bool wanted) = 0;

  /// Forgets positions from `from` on.
  virtual void truncate(Seq seq, int from) = 0;
  /// Gives `to`, which is empty, the first `length` tokens of `from`: the same cells, or copies
  /// where the sequences' cells are split.
  virtual void share(Seq from, Seq to, int length) = 0;
  /// The sequence's KV cells as bytes, to be put back with `restore`.
  virtual std::vector<std::byte> save(Seq seq) = 0;
  virtual bool restore(Seq seq, std::span<const std::byte> state) = 0;

  /// Loads a LoRA adapter and returns its number (1, 2, ...); 0 is none.
  virtual Result<int> load_adapter(const std::filesystem::path& file, float scale) = 0;
  /// All that follows is computed with this adapter.
  virtual void use_adapter(int adapter) = 0;
};

}  // namespace lichen::model
