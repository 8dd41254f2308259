// Compiled expressions kept in a file, since compiling them takes seconds.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lichen::privacy {

/// The folder for this among the user's files that may be deleted; empty where there is none.
std::filesystem::path usual_database_folder();

/// One file of a folder of such files, of which the `kMostKept` last used stay. The file is there
/// to be deleted at any time, and only its owner may read it. Safe from several processes at once.
class KeptDatabase {
 public:
  static constexpr std::size_t kMostKept = 8;

  /// `subject` is all that the bytes depend on.
  KeptDatabase(std::filesystem::path folder, std::string_view subject);

  /// Empty where there is none, or a damaged one.
  std::string read() const;
  /// Where that cannot be, nothing is kept.
  void write(std::string_view bytes) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  void remove_oldest() const;

  const std::filesystem::path folder_;
  const std::filesystem::path file_;
};

}  // namespace lichen::privacy
