#include "lichen/result.h"

#include "lichen/answerer.h"

namespace lichen {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::bad_request: return "bad_request";
    case Errc::context_overflow: return "context_overflow";
    case Errc::unsupported: return "unsupported";
    case Errc::unauthorized: return "unauthorized";
    case Errc::not_found: return "not_found";
    case Errc::too_large: return "too_large";
    case Errc::rate_limited: return "rate_limited";
    case Errc::refused: return "refused";
    case Errc::budget_exceeded: return "budget_exceeded";
    case Errc::deadline_exceeded: return "deadline_exceeded";
    case Errc::cancelled: return "cancelled";
    case Errc::overloaded: return "overloaded";
    case Errc::bad_model: return "bad_model";
    case Errc::bad_config: return "bad_config";
    case Errc::upstream: return "upstream";
    case Errc::offline: return "offline";
    case Errc::storage: return "storage";
    case Errc::internal: return "internal";
  }
  return "internal";
}

std::string_view to_string(Finish finish) {
  switch (finish) {
    case Finish::stop: return "stop";
    case Finish::length: return "length";
    case Finish::tool_calls: return "tool_calls";
    case Finish::content_filter: return "content_filter";
  }
  return "stop";
}

}  // namespace lichen
