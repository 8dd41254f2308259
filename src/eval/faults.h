// What a client sees, and the ledger records, when an endpoint goes wrong in one of the ways that
// endpoints do: `lichen bench faults`. The endpoints are on loopback and do what is scripted; all
// else is what serves users.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/answerer.h"
#include "lichen/result.h"

namespace lichen::eval {

/// Follows from the checks (see verdict_of), never from the scenario.
enum class FaultVerdict : std::uint8_t {
  pass,     // served as well as can be, and accounted for
  partial,  // served, but something of the account or of the way is not right
  safe,     // not served; the error says so, nothing false was shown or recorded
  fail,     // something false, silent or endless
};
std::string_view to_string(FaultVerdict verdict);

struct FaultCheck {
  enum class Kind : std::uint8_t {
    honest,     // what was shown and recorded is true, and came in time
    served,     // the client got what it could get
    accounted,  // and it cost what the receipt says, by who answered
  };
  Kind kind = Kind::honest;
  std::string what;
  bool ok = false;
};

FaultVerdict verdict_of(const std::vector<FaultCheck>& checks);

struct FaultOutcome {
  std::string id;
  std::string title;
  FaultVerdict verdict = FaultVerdict::fail;
  double seconds = 0;
  std::string seen;  // the text, or the error
  std::vector<FaultCheck> checks = {};
};
boost::json::object to_json(const FaultOutcome& outcome);

struct FaultOptions {
  /// Answers where a scenario's endpoints cannot. Streams, and goes on with what is begun.
  ModelPtr local;
  int retries = 2;  // of the remote model
  /// Called before each scenario with its title and how many of all are done.
  std::function<void(std::string_view title, std::size_t done, std::size_t total)> progress = {};
};

/// Runs all scenarios, one after another; about ten seconds. `io` carries the connections, run by
/// another thread. An error says that they cannot be run at all.
Result<std::vector<FaultOutcome>> run_faults(const FaultOptions& options,
                                             boost::asio::any_io_executor io);

}  // namespace lichen::eval
