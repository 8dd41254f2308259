#include "mechanisms/prompts.h"

#include <algorithm>

#include "base/ascii.h"

namespace lichen::mechanisms {
namespace {

struct Piece {
  std::string_view literal;  // before the slot
  std::string_view slot;     // empty at the end
};

bool is_slot_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return base::is_lower(c) || c == '_'; });
}

/// Takes the next piece off the front of `text`.
Piece next_piece(std::string_view& text) {
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) break;
    const auto name = text.substr(open + 1, close - open - 1);
    if (!is_slot_name(name)) continue;
    const Piece piece{text.substr(0, open), name};
    text.remove_prefix(close + 1);
    return piece;
  }
  return {std::exchange(text, {}), {}};
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace

std::vector<std::string_view> slots_of(std::string_view text) {
  std::vector<std::string_view> slots;
  while (!text.empty()) {
    const auto slot = next_piece(text).slot;
    if (slot.empty() || std::ranges::find(slots, slot) != slots.end()) continue;
    slots.push_back(slot);
  }
  return slots;
}

Result<std::string> render(std::string_view name, std::initializer_list<PromptSlot> slots) {
  const auto all = prompts();
  const auto prompt = std::ranges::find(all, name, &Prompt::name);
  if (prompt == all.end()) return fail(Errc::not_found, "there is no prompt " + quoted(name));
  for (const auto& [slot, value] : slots) {
    if (!prompt->text.contains("{" + std::string(slot) + "}")) {
      return fail(Errc::bad_request, "the prompt " + quoted(name) + " has no slot " + quoted(slot));
    }
  }
  std::string out;
  for (std::string_view text = prompt->text; !text.empty();) {
    const auto [literal, slot] = next_piece(text);
    out += literal;
    if (slot.empty()) continue;
    const auto value = std::ranges::find(slots, slot, &PromptSlot::first);
    if (value == slots.end()) {
      return fail(Errc::bad_request,
                  "the prompt " + quoted(name) + " needs a value for its slot " + quoted(slot));
    }
    out += value->second;
  }
  return out;
}

}  // namespace lichen::mechanisms
