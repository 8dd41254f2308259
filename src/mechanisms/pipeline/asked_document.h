// Which part of a request is the document, and which the question.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "lichen/request.h"
#include "lichen/result.h"

namespace lichen::mechanisms {

/// A message that is to count as the document has at least so many bytes.
inline constexpr std::size_t kLeastDocumentMessage = 1'000;

struct AskedDocument {
  std::string document;
  Request question;  // the request without the document
};

/// The document is `Request::document`; without that, the longest message of several (of two as
/// long, the first), if it is no shorter than kLeastDocumentMessage; none where no text is that
/// long. All other messages are the question. `unsupported`: a document and a raw prompt;
/// `bad_request`: there is no question, or it may stand in the document's own message (unless that
/// is `allow_undivided`, and then there is no document), or the document is no text (see
/// base::check_document); `too_large`: it has over `most` bytes.
Result<std::optional<AskedDocument>> asked_document(Request request, std::size_t most,
                                                    bool allow_undivided = false);

}  // namespace lichen::mechanisms
