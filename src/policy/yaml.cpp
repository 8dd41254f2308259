#include "policy/yaml.h"

#include <spdlog/fmt/fmt.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/utf8.h"

namespace lichen::policy {
namespace {

/// Stands at the end of what is parsed. yaml-cpp takes a last line break for a missing closing
/// quote, so that all that follows an open one would silently be its text: this shows it.
constexpr std::string_view kEnd = "# end of the configuration";

/// yaml-cpp counts from 0, and gives -1 where it knows no place.
int from_one(int zero_based) { return std::max(zero_based, 0) + 1; }

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  return count;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t depth = 0;
  for (const YamlNode& item : node.items) depth = std::max(depth, depth_of(item));
  return depth + 1;
}

/// Builds the tree from the parser's events. After the first error the remaining events are
/// ignored: they are no more than the document is long.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::filesystem::path& file) : file_(file) {}

  Result<YamlNode> take() {
    if (error_) return std::unexpected(*std::move(error_));
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(mark, YamlNode::Kind::null), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!check_tag(mark, tag)) return;
    YamlNode node = make(mark, YamlNode::Kind::scalar);
    node.text = value;
    node.quoted = tag == "!";
    if (node.quoted && value.contains(kEnd)) return fail_at(mark, "this quote is never closed");
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end()) return fail_at(mark, "this alias stands within its own anchor");
    YamlNode node = target->second;
    nodes_ += count_nodes(node);
    if (open_.size() + depth_of(node) > kMaxYamlDepth) return fail_too_deep(mark);
    add(std::move(node), YAML::NullAnchor);
    check_size(mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlNode> key = {};      // of a map, read and waiting for its value
    std::map<std::string, int> keys = {};  // of a map, with their lines
  };

  YamlNode make(const YAML::Mark& mark, YamlNode::Kind kind) {
    ++nodes_;
    check_size(mark);
    YamlNode node;
    node.kind = kind;
    node.line = from_one(mark.line);
    node.column = from_one(mark.column);
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    if (error_ || !check_tag(mark, tag)) return;
    if (open_.size() >= kMaxYamlDepth) return fail_too_deep(mark);
    open_.push_back({.node = make(mark, kind), .anchor = anchor});
  }

  void close() {
    if (error_) return;
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  /// Puts a finished value where it belongs: as root, into a sequence, or as key or value of a map.
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (error_) return;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is(YamlNode::Kind::map)) {
      if (!parent.key) {
        if (check_key(parent, node)) parent.key = std::move(node);
        return;
      }
      node.key = std::move(parent.key->text);
      node.key_line = parent.key->line;
      node.key_column = parent.key->column;
      parent.key.reset();
      if (node.is(YamlNode::Kind::null)) {  // yaml-cpp places these behind whatever space follows
        node.line = node.key_line;
        node.column = node.key_column;
      }
    }
    parent.node.items.push_back(std::move(node));
  }

  bool check_key(Open& map, const YamlNode& key) {
    if (!key.is(YamlNode::Kind::scalar)) {
      error_ = yaml_error(file_, key.line, key.column, "a key must be a word, not a map or a list");
      return false;
    }
    const auto [first, is_new] = map.keys.emplace(key.text, key.line);
    if (!is_new) {
      error_ = yaml_error(file_, key.line, key.column,
                          fmt::format("`{}` is already set in line {}: keep one of the two",
                                      key.text, first->second));
    }
    return is_new;
  }

  /// Untagged values have "?" (plain), "!" (quoted), or nothing.
  bool check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return true;
    fail_at(mark, "tags like this one (`!...`) mean nothing here: leave it out");
    return false;
  }

  void check_size(const YAML::Mark& mark) {
    if (nodes_ > kMaxYamlNodes) {
      fail_at(mark, fmt::format("more than {} values, aliases included", kMaxYamlNodes));
    }
  }

  void fail_too_deep(const YAML::Mark& mark) {
    fail_at(mark, fmt::format("nested deeper than {} levels", kMaxYamlDepth));
  }

  void fail_at(const YAML::Mark& mark, std::string_view what) {
    if (!error_) error_ = yaml_error(file_, from_one(mark.line), from_one(mark.column), what);
  }

  const std::filesystem::path& file_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;  // finished ones: an alias cannot contain itself
  std::size_t nodes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view wanted) const {
  if (kind != Kind::map) return nullptr;
  const auto found = std::ranges::find(items, wanted, &YamlNode::key);
  return found == items.end() ? nullptr : &*found;
}

Error yaml_error(const std::filesystem::path& file, int line, int column, std::string_view what) {
  return {.code = Errc::bad_config,
          .detail = fmt::format("{}:{}:{}: {}", file.string(), line, column, what)};
}

Result<std::string> read_yaml_file(const std::filesystem::path& file, std::string_view kind) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return fail(Errc::bad_config,
                fmt::format("{} is a folder, not a {} file", file.string(), kind));
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return fail(
        errno == ENOENT ? Errc::not_found : Errc::bad_config,
        fmt::format("cannot read the {} {}: {}", kind, file.string(), std::strerror(errno)));
  }
  std::string yaml(kMaxYamlBytes + 1, '\0');  // one more than allowed, so that the excess shows
  stream.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
  yaml.resize(static_cast<std::size_t>(stream.gcount()));
  return yaml;
}

Result<YamlNode> parse_yaml(const std::string& yaml, const std::filesystem::path& file) {
  if (yaml.size() > kMaxYamlBytes) {
    return fail(Errc::bad_config, fmt::format("{}: {} bytes are too many: a configuration has at "
                                              "most {}",
                                              file.string(), yaml.size(), kMaxYamlBytes));
  }
  if (!base::valid_utf8(yaml)) {
    return fail(Errc::bad_config, fmt::format("{}: not UTF-8: save it as such", file.string()));
  }
  try {
    std::istringstream stream(fmt::format("{}\n{}\n", yaml, kEnd));
    YAML::Parser parser(stream);
    TreeBuilder tree(file);
    parser.HandleNextDocument(tree);
    Result<YamlNode> root = tree.take();
    TreeBuilder second(file);
    if (root && parser.HandleNextDocument(second)) {
      const Result<YamlNode> extra = second.take();
      const int line = extra ? extra->line : 1;
      return std::unexpected(
          yaml_error(file, line, 1, "a second document (`---`): a configuration is one"));
    }
    return root;
  } catch (const YAML::Exception& wrong) {
    return std::unexpected(yaml_error(file, from_one(wrong.mark.line), from_one(wrong.mark.column),
                                      "not YAML: " + wrong.msg));
  } catch (const std::exception& wrong) {
    return std::unexpected(yaml_error(file, 1, 1, std::string("not YAML: ") + wrong.what()));
  }
}

}  // namespace lichen::policy
