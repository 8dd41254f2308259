// Where in a request private values may stand, and how placeholders are put there.
#pragma once

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/request.h"

namespace lichen::mechanisms {

struct PrivateText {
  std::string text;
  /// What stands in front of it and may tell what it is: "phone: ", of a field of JSON.
  std::string before = {};
  /// A field's name, which stays: what is private in it is known then, and refused by the last
  /// check. No names of persons and the like are looked for: a field's name may look like one.
  bool is_field = false;
};

/// All texts of a request that may hold private values: contents and names of messages, the raw
/// prompt, the document, the answer's beginning, stop strings; values in the arguments of tool
/// calls; and all texts of tools and JSON schemas. What names things or says their form stays as it
/// is, since others refer to it: names of tools, fields and schemas, types, ids of calls.
///
/// The request must stay in its place.
class RequestTexts {
 public:
  explicit RequestTexts(Request& request);
  RequestTexts(const RequestTexts&) = delete;
  RequestTexts& operator=(const RequestTexts&) = delete;

  const std::vector<PrivateText>& texts() const { return texts_; }
  /// Puts as many others in their place. A number in JSON becomes a string, the name of a message
  /// loses a placeholder's brackets, which endpoints do not take.
  void replace(std::vector<std::string> others);

 private:
  using Put = std::function<void(std::string)>;

  void add(std::string& text);
  void add(PrivateText text, Put put);
  void add_field(std::string_view name);
  void add_arguments(boost::json::value& call);
  void add_data(boost::json::value& value, const std::string& before);
  void add_described(boost::json::value& value);

  std::vector<PrivateText> texts_;
  std::vector<Put> puts_;  // one for each text
  struct Arguments {
    boost::json::string* written;
    boost::json::value read;
  };
  std::deque<Arguments> arguments_;
};

}  // namespace lichen::mechanisms
