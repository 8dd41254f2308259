// The ways in which an endpoint goes wrong, and what must come of each.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "eval/faults.h"
#include "model/remote/fake_upstream.h"

namespace lichen::eval {

/// All that is known once a scenario's requests are over.
struct FaultSight {
  Result<Answer> answer = fail(Errc::internal, "not asked");  // of the last request
  std::string shown;                                          // its stream
  Receipt recorded;                                           // by the ledger
  double seconds = 0;                                         // that it took
  std::vector<std::string> texts;                             // of all requests' answers
  std::vector<model::FakeUpstream::Received> first;           // what the endpoints were sent
  std::vector<model::FakeUpstream::Received> second;
  std::string local;  // the name of the local model
};

class FaultChecks {
 public:
  void honest(std::string what, bool ok) { add(FaultCheck::Kind::honest, std::move(what), ok); }
  void served(std::string what, bool ok) { add(FaultCheck::Kind::served, std::move(what), ok); }
  void accounted(std::string what, bool ok) {
    add(FaultCheck::Kind::accounted, std::move(what), ok);
  }
  std::vector<FaultCheck> take() { return std::move(all_); }

 private:
  void add(FaultCheck::Kind kind, std::string what, bool ok) {
    all_.push_back({kind, std::move(what), ok});
  }
  std::vector<FaultCheck> all_;
};

struct FaultScenario {
  std::string id;
  std::string title;
  std::vector<model::Reply> first;        // one for each request, the last one for all others
  std::vector<model::Reply> second = {};  // none: the model has one endpoint
  std::function<void(const FaultSight&, FaultChecks&)> check;
  int requests = 1;
  double most_seconds = 2;  // for the last request
};

std::vector<FaultScenario> fault_scenarios();

}  // namespace lichen::eval
