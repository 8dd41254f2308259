#include "mechanisms/pipeline/asked_document.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/document.h"

namespace lichen::mechanisms {
namespace {

Result<std::optional<AskedDocument>> taken_apart(Request request, bool allow_undivided) {
  if (request.document) {
    if (request.prompt) {
      return fail(Errc::unsupported,
                  "a raw prompt has no place for the findings in a document: send messages");
    }
    std::string document = *std::exchange(request.document, {});
    return AskedDocument{.document = std::move(document), .question = std::move(request)};
  }
  const auto longest = std::ranges::max_element(
      request.messages, {}, [](const Message& message) { return message.content.size(); });
  const std::size_t bytes = request.prompt                      ? request.prompt->size()
                            : longest == request.messages.end() ? 0
                                                                : longest->content.size();
  if (bytes < kLeastDocumentMessage) return std::nullopt;
  if (request.prompt || request.messages.size() < 2) {
    if (allow_undivided) return std::nullopt;
    return fail(
        Errc::bad_request,
        fmt::format("a text of {} bytes may hold both a document and the question about it, "
                    "which `extract` must tell apart: send the document in `document`, or "
                    "as a message of its own",
                    bytes));
  }
  std::string document = std::move(longest->content);
  request.messages.erase(longest);
  return AskedDocument{.document = std::move(document), .question = std::move(request)};
}

}  // namespace

Result<std::optional<AskedDocument>> asked_document(Request request, std::size_t most,
                                                    bool allow_undivided) {
  Result<std::optional<AskedDocument>> found = taken_apart(std::move(request), allow_undivided);
  if (!found || !*found) return found;
  const AskedDocument& asked = **found;
  if (asked.question.messages.empty()) {
    return fail(Errc::bad_request, "there is a document and no question about it: send a message");
  }
  if (asked.document.size() > most) {
    return fail(Errc::too_large,
                fmt::format("the document has {} bytes, and `extract` takes up to {} (its key "
                            "`max_bytes`)",
                            asked.document.size(), most));
  }
  if (const Result<void> text = base::check_document(asked.document); !text) {
    return std::unexpected(text.error());
  }
  return found;
}

}  // namespace lichen::mechanisms
