// What small has found in a document's chunks: garbage left out, the same things together, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/pipeline/document_chunks.h"

namespace lichen::mechanisms {

/// Whether small says that a chunk has nothing to its job: it says "none", or nothing.
bool abstains(std::string_view reply);

/// Whether every number of `finding` stands in `chunk` or in `job`; one that does not is made up.
bool numbers_are_there(std::string_view finding, std::string_view chunk, std::string_view job);

/// Where in a document a finding stands.
struct Place {
  Span sentence;       // of the chunk: the one that shares most of the finding's words
  double support = 0;  // the share of them that it has
};
/// Words of four letters and more, and those with digits, count. Where there are none, or no
/// sentence has any: the whole chunk.
Place place_of(std::string_view finding, std::string_view document, Span chunk);

/// Belongs to one request. Keeps `most` findings at most; of more, the jobs that have the most lose
/// their latest.
class Findings {
 public:
  explicit Findings(std::size_t most) : most_(most) {}

  struct Finding {
    std::size_t job = 0;  // its number
    std::string key;      // folded, to compare
    Citation citation;    // the first place in the document
  };

  /// False: that was found before; the earlier place in the document stands.
  bool add(std::size_t job, Citation citation);

  /// Whether the job has found anything, be it what another had found before.
  bool has(std::size_t job) const { return job < found_.size() && found_[job]; }
  std::size_t size() const { return findings_.size(); }
  /// That there was no room for.
  std::size_t left_out() const { return left_out_; }
  /// Leaves half of them out, one at least not. False: there is no more than one.
  bool halve();

  /// Their texts, one a line: by job, and by their place in the document.
  std::string text() const;
  std::vector<Citation> citations() const;

 private:
  void drop_one();

  const std::size_t most_;
  std::vector<Finding> findings_;  // in the order of `text`
  std::vector<bool> found_;        // by job
  std::size_t left_out_ = 0;
};

}  // namespace lichen::mechanisms
