// What `lichen doctor` found, for people and as JSON. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "model/local_model.h"
#include "model/remote/reach.h"
#include "policy/exposure.h"

namespace lichen::cli {

struct ModelState {
  std::string name;
  std::string source;  // file or url
  bool local = true;
  std::string error = {};                      // why it does not load; empty: it does
  std::int64_t context = 0;                    // tokens; 0: unknown
  std::optional<model::StepTimes> times = {};  // of local models
  std::vector<model::Reach> reached = {};      // of remote ones; empty: not contacted
};

struct PlanState {
  std::string name;
  std::string error = {};               // why it does not work; empty: it does
  std::vector<std::string> notes = {};  // what holds for each `risk` in it
  std::vector<policy::Exposure> exposures = {};
};

struct Diagnosis {
  std::string cpu;                 // empty: unknown
  int cores = 0;                   // that this process may use
  std::uint64_t memory_total = 0;  // bytes
  std::uint64_t memory_available = 0;
  bool energy = false;  // the machine offers an energy counter
  std::string config;   // file; empty: none was found
  std::string config_error = {};
  std::vector<ModelState> models = {};
  std::vector<PlanState> plans = {};
  std::string ledger;  // path, or "none"; empty: not looked at
  std::string ledger_error = {};
  std::uint64_t ledger_pending = 0;  // receipts that could not be written just now
  std::uint64_t ledger_lost = 0;     // that were dropped since the ledger exists
};

bool healthy(const Diagnosis& diagnosis);
std::string diagnosis_text(const Diagnosis& diagnosis, const Terminal& terminal);
boost::json::object to_json(const Diagnosis& diagnosis);

}  // namespace lichen::cli
