// A long text as overlapping windows, each short enough for a small model to judge.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lichen::mechanisms {

/// Windows of at most `most` bytes (8 at least) that together hold all of `text`, the whole where
/// it fits. Each but the first begins with the second half of the one before, so that whatever is
/// not longer than a quarter of `most` stands whole in one of them. Cut behind sentences where they
/// end in time, else behind blanks, else between characters. None of an empty text.
std::vector<std::string_view> windows_of(std::string_view text, std::size_t most);

}  // namespace lichen::mechanisms
