// What a model has learned since it was made: adapters, one after the other, of which one is in
// use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lichen/result.h"

namespace lichen::mechanisms {

struct ModelVersion {
  int number = 0;  // 1, 2, ...; 0 is the model as it was made
  std::filesystem::path adapter = {};
  std::string base = {};  // base::file_identity of the weights that it is for
  std::string made = {};  // when it was added, UTC
  std::string note = {};  // why it is better, for people
};

/// A folder with `versions.json` and a GGUF adapter for each version. A process that is killed at
/// any moment leaves the versions that were there and the one that was in use. Not thread-safe; of
/// several processes that change it at once the last one's choice stays.
class ModelVersions {
 public:
  /// The file whose change tells that another version is in use.
  static std::filesystem::path file_of(const std::filesystem::path& folder);
  /// Of a folder that is not there: none. `bad_config`: `versions.json` is damaged.
  static Result<ModelVersions> open(const std::filesystem::path& folder);

  const std::vector<ModelVersion>& all() const { return all_; }
  /// The one in use; null: the model as it was made.
  const ModelVersion* current() const;
  /// The one of that number, or in use where there is none; null: the model as it was made.
  /// `not_found` says what there is.
  Result<const ModelVersion*> find(std::optional<int> number) const;

  /// Copies the adapter into the folder, to be used once it is told. Returns its number: that of
  /// the last version where that is the same adapter. `not_found`, `storage`.
  Result<int> keep(const std::filesystem::path& adapter, std::string base, std::string note);
  /// And has it used from now on.
  Result<int> add(const std::filesystem::path& adapter, std::string base, std::string note);
  /// Has another one used; 0: the model as it was made. `not_found` says what there is.
  Result<void> use(int number);

 private:
  explicit ModelVersions(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::unexpected<Error> not_there(int number) const;
  Result<void> write(const std::vector<ModelVersion>& versions, int number);

  std::filesystem::path folder_;
  std::vector<ModelVersion> all_;
  int current_ = 0;
};

}  // namespace lichen::mechanisms
