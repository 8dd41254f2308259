// The journal of a measurement: one line for each finished request, so that an interruption at any
// moment loses nothing but the requests in progress.
//
//   {"lichen_eval": 1, "fingerprint": "5f1d...", "suite": "test", "plans": ["small", "route"]}
//   {"plan": "small", "task": 0, "right": true, ...}
//
// A line counts once its line feed is there: what a killed process left half written is dropped
// when the journal is opened again. A journal of another measurement, and a file that is no
// journal, are left alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/outcome.h"
#include "lichen/result.h"

namespace lichen::eval {

/// What a measurement is of. Two of one fingerprint can be joined.
struct Identity {
  std::string fingerprint;
  std::string suite;               // for people, as are
  std::vector<std::string> plans;  // these
};

/// One process at a time has a journal open. Not thread-safe.
class Journal {
 public:
  /// Opens the file and reads what is in it; it is made, with the folders above it, where it is
  /// missing. `fresh`: what a journal holds is thrown away, whichever measurement it is of.
  /// `bad_request`: the file is another measurement's journal, or none at all; `overloaded`:
  /// another process has it open; `storage`: it cannot be read or written.
  static Result<Journal> open(const std::filesystem::path& file, const Identity& identity,
                              bool fresh = false);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;

  /// What was in the file when it was opened, in the order of writing; at most one for each plan
  /// and task.
  const std::vector<Outcome>& found() const { return found_; }
  /// Writes one line; it survives the death of this process from here on (not that of the machine).
  Result<void> append(const Outcome& outcome);
  /// Takes the file away: the measurement is complete, and its report is written.
  Result<void> remove();
  const std::filesystem::path& file() const { return file_; }

 private:
  Journal(std::filesystem::path file, int descriptor);
  Result<void> read(const Identity& identity, bool fresh);
  Result<void> write(const std::string& line);

  const std::filesystem::path file_;
  int descriptor_;
  std::vector<Outcome> found_;
};

/// Where journals are by default: $XDG_CACHE_HOME/lichen/eval, else ~/.cache/lichen/eval, else a
/// folder in the system's temporary one.
std::filesystem::path journal_folder();

}  // namespace lichen::eval
