// Restoring private values in a stream gives the same however it was cut.
#include "privacy/unmask.h"

#include <string>

#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lichen::privacy;
  const std::string_view text = lichen::fuzz::text_of(data, size);
  Vault vault;
  vault.keep(Kind::email, "ann@example.org");
  vault.keep(Kind::email, "say \"hi\"\n@example.org");
  vault.keep(Kind::person, "Zoë \\ Ångström");
  for (const Setting setting : {Setting::text, Setting::json}) {
    Unmasker pieces(vault, setting);
    std::string restored;
    lichen::fuzz::in_pieces(text, [&](std::string_view piece) { restored += pieces.push(piece); });
    restored += pieces.finish();
    lichen::fuzz::check(restored == unmask(text, vault, setting), "cuts make no difference");
  }
  return 0;
}
