// Adds receipts up to totals.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "lichen/receipt.h"

namespace lichen::ledger {

class Tally {
 public:
  void add(const Receipt& receipt);
  /// The totals of all that was added; leaves the tally empty.
  Totals take();

 private:
  struct Group {
    Usage usage;
    std::vector<double> answered_ms;
  };
  static void add_request(Group& group, const Receipt& receipt);
  static Usage finish(Group group, const Usage& all);

  Group all_;
  std::map<std::string, Group> plans_;
  std::map<std::string, Group> models_;
};

}  // namespace lichen::ledger
