// Messages with personal and business details in them: what extraction and masking work on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

struct Detail {
  std::string_view key;   // "email"
  std::string_view noun;  // "e-mail address"
  std::string_view type;  // of its placeholder, "EMAIL"; empty: not private
  std::string value;
};

/// The kinds of details there are: a value for each, all of one person.
std::vector<Detail> random_details(Random& random);

/// A sentence that tells a detail in the first person: "You can reach me at ada@mail.com."
std::string tell(Maker& maker, const Detail& detail);
/// A sentence that says the same of somebody else, to be told apart.
std::string tell_of(Maker& maker, std::string_view who, const Detail& detail);
/// A sentence without any detail.
std::string small_talk(Maker& maker);

}  // namespace lichen::eval::tasks
