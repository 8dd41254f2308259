#include "eval/fingerprint.h"

#include <openssl/sha.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace lichen::eval {
namespace {

namespace fs = std::filesystem;

/// Text in which no part can be taken for another: each has its length before it.
class Parts {
 public:
  void add(std::string_view part) {
    text_ += std::to_string(part.size());
    text_ += ':';
    text_ += part;
  }
  void add(std::int64_t number) { add(std::string_view(std::to_string(number))); }

  std::string digest() const {
    constexpr std::size_t kBytes = 16;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text_.data()), text_.size(), hash.data());
    std::string digits;
    for (std::size_t i = 0; i < kBytes; ++i) {
      digits += kDigits[hash[i] >> 4];
      digits += kDigits[hash[i] & 15];
    }
    return digits;
  }

 private:
  std::string text_;
};

/// A file's size and time of change; a file that is not there has neither.
void add_stamp(Parts& parts, const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  parts.add(error ? -1 : static_cast<std::int64_t>(size));
  const auto changed = fs::last_write_time(file, error);
  parts.add(error ? -1 : static_cast<std::int64_t>(changed.time_since_epoch().count()));
}

/// Stamps of the files that a plan names anywhere (a router's weights, say).
void add_files_of(Parts& parts, const policy::YamlNode& node, const fs::path& folder) {
  for (const auto& item : node.items) add_files_of(parts, item, folder);
  if (!node.is(policy::YamlNode::Kind::scalar) || node.text.empty()) return;
  std::error_code error;
  const auto file = folder / node.text;
  if (fs::is_regular_file(file, error)) add_stamp(parts, file);
}

void add_config(Parts& parts, const policy::Config& config) {
  std::ifstream stream(config.file, std::ios::binary);
  parts.add(std::string(std::istreambuf_iterator<char>(stream), {}));
  for (const auto& model : config.models) {
    parts.add(model.name);
    if (const auto* local = std::get_if<model::LocalModelOptions>(&model.options)) {
      add_stamp(parts, local->gguf);
    }
  }
  for (const auto& plan : config.plans) {
    add_files_of(parts, plan.expression, config.file.parent_path());
  }
}

void add_suite(Parts& parts, const Suite& suite) {
  for (const Task& task : suite.tasks) {
    parts.add(task.id);
    parts.add(task.family);
    parts.add(task.level);
    parts.add(task.prompt);
    if (!task.document.empty()) parts.add(task.document);
    parts.add(task.reference);
    parts.add(task.check->name);
  }
}

}  // namespace

std::string fingerprint(const Suite& suite) {
  Parts parts;
  add_suite(parts, suite);
  return parts.digest();
}

std::string fingerprint(const Setting& setting) {
  Parts parts;
  add_suite(parts, setting.suite);
  add_config(parts, setting.config);
  add_stamp(parts, "/proc/self/exe");
  for (const auto& plan : setting.plans) parts.add(plan);
  for (const auto& model : setting.baselines.large) parts.add(model);
  parts.add(setting.baselines.small_alone);
  parts.add(setting.baselines.large_alone);
  parts.add(setting.judge);
  parts.add(setting.concurrency);
  parts.add(setting.max_tokens.value_or(0));
  return parts.digest();
}

}  // namespace lichen::eval
