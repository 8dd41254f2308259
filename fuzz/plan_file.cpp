// A configuration, as far as it can be read without the files that it names.
#include "fuzz/input.h"
#include "policy/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config =
      lichen::policy::parse_config(std::string(lichen::fuzz::text_of(data, size)), "fuzz.yaml");
  if (!config) lichen::fuzz::check(!config.error().detail.empty(), "an error says what is wrong");
  return 0;
}
