#include "cli/watch_state.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/replace_file.h"

namespace lichen::cli {
namespace {

namespace json = boost::json;

template <class T>
bool read(const json::object& object, std::string_view key, T& number) {
  const json::value* value = object.if_contains(key);
  const std::int64_t* found = value == nullptr ? nullptr : value->if_int64();
  if (found == nullptr || *found < 0 || !std::in_range<T>(*found)) return false;
  number = static_cast<T>(*found);
  return true;
}

}  // namespace

Result<WatchState> load_watch_state(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  WatchState state;
  if (!stream) return state;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* trained = object == nullptr ? nullptr : object->if_contains("trained");
  const bool whole =
      trained != nullptr && trained->is_bool() && read(*object, "rounds", state.rounds) &&
      read(*object, "prompts", state.prompts) && read(*object, "ended", state.ended) &&
      read(*object, "begun_with", state.begun_with) &&
      state.rounds < std::numeric_limits<int>::max();
  if (!whole) {
    return fail(Errc::bad_config, file.string() +
                                      ": damaged; without it `lichen distill watch` begins with "
                                      "all recorded prompts");
  }
  state.trained = trained->get_bool();
  return state;
}

Result<void> save_watch_state(const WatchState& state, const std::filesystem::path& file) {
  const json::object object{{"rounds", state.rounds},
                            {"prompts", state.prompts},
                            {"ended", state.ended},
                            {"begun_with", state.begun_with},
                            {"trained", state.trained}};
  return base::replace_file(file, json::serialize(object) + "\n");
}

bool is_due(const WatchState& state, const WatchTrigger& trigger, std::size_t prompts,
            std::int64_t now) {
  if (state.begun_with > 0) return true;
  if (prompts <= state.prompts) return false;
  if (trigger.records > 0 && prompts - state.prompts >= trigger.records) return true;
  return trigger.every > 0 && now - state.ended >= trigger.every;
}

}  // namespace lichen::cli
