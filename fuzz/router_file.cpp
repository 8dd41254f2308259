// A trained router's file.
#include "mechanisms/routing/router_file.h"

#include "fuzz/input.h"
#include "mechanisms/routing/example_router.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::mechanisms;
  const auto router = parse_router_file(lichen::fuzz::text_of(data, size), "fuzz.router");
  if (router) (void)ExampleRouter::open(*router);
  return 0;
}
