// What the server counts, for Prometheus.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lichen/receipt.h"

namespace lichen::serving {

/// Safe to use from any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A response has been sent. The three labels must come from small sets: never from a client.
  void request(std::string_view route, std::string_view plan, unsigned status, double seconds);
  /// A turn has ended: its tokens, waiting times, time to first token and cost.
  void turn(const Receipt& receipt);
  void turns_in_flight(int change);

  /// A configuration has taken the place of the one before, or could not.
  void reloaded(bool done);

  using Labels = std::map<std::string, std::string>;
  /// A value that is read at each scrape, from whatever thread scrapes. `read` must stay callable
  /// as long as the server lives. Several may share a name if their labels differ.
  void add_gauge(std::string name, std::string help, Labels labels, std::function<double()> read);
  /// The same for a value that only rises; its name ends in "_total".
  void add_counter(std::string name, std::string help, Labels labels, std::function<double()> read);

  struct Reading {
    std::string name;  // a counter's ends in "_total"
    std::string help;
    Labels labels;
    std::function<double()> read;
  };
  /// The same for values that come and go with a configuration: these take the place of all that
  /// were given here before. None of the former is read any more when this returns.
  void replace(std::vector<Reading> readings);

  /// Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lichen::serving
