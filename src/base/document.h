// A request's document: what it may be, how a model reads it, and how an answer cites it.
#pragma once

#include <boost/json/array.hpp>
#include <span>
#include <string_view>

#include "lichen/answerer.h"
#include "lichen/request.h"
#include "lichen/result.h"

namespace lichen::base {

/// Whether it is text. `bad_request` says what is wrong and at which byte: it is empty (white space
/// alone), has NUL bytes, or is not UTF-8.
Result<void> check_document(std::string_view document);

/// The request with its document, where it has one, in front of the user's last message (else of
/// the last one), a blank line between them. `bad_request`: there is no message to put it into.
Result<Request> with_document_read(Request request);

/// Of all messages, the raw prompt, the document and what is begun.
std::size_t text_bytes(const Request& request);
/// These and what else becomes tokens of the prompt: calls of tools, and tools.
std::size_t prompt_bytes(const Request& request);

/// [{"text", "begin", "end", "page"}], `page` null where the document has none.
boost::json::array to_json(std::span<const Citation> citations);

}  // namespace lichen::base
