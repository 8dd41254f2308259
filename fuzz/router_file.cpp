// A trained router's file: as it comes, and with the checksum that lets the rest be read. There the
// input's first two bytes are the header's size, and the header and the tables follow.
#include "mechanisms/routing/router_file.h"

#include <string>

#include "base/sha256.h"
#include "fuzz/input.h"
#include "mechanisms/routing/example_router.h"

namespace {

std::string sealed(std::string_view input) {
  std::string file("LICHENRT\1\0\0\0", 12);
  file.append(input.substr(0, 2)).append(2, '\0').append(input.substr(2));
  const lichen::base::Sha256 digest = lichen::base::sha256(file);
  return file.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::mechanisms;
  const std::string_view input = lichen::fuzz::text_of(data, size);
  (void)parse_router_file(input, "fuzz.router");
  if (size < 2) return 0;
  const auto router = parse_router_file(sealed(input), "fuzz.router");
  if (!router) return 0;
  lichen::fuzz::check(parse_router_file(serialized(*router), "fuzz.router").has_value(),
                      "what was read can be written and read again");
  (void)ExampleRouter::open(*router);
  return 0;
}
