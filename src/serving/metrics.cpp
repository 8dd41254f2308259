#include "serving/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace lichen::serving {
namespace {

/// Values that somebody else keeps, asked for when scraped.
class ReadValues final : public prometheus::Collectable {
 public:
  void add(Metrics::Reading reading) {
    std::lock_guard lock(mutex_);
    lasting_.push_back(std::move(reading));
  }
  void replace(std::vector<Metrics::Reading> readings) {
    std::unique_lock lock(mutex_);
    replaced_.swap(readings);
    lock.unlock();  // what the former ones hold may take its time to go
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::lock_guard lock(mutex_);
    std::vector<prometheus::MetricFamily> families;
    for (const auto* readings : {&lasting_, &replaced_}) {
      for (const Metrics::Reading& reading : *readings) collect(reading, families);
    }
    return families;
  }

 private:
  static void collect(const Metrics::Reading& reading,
                      std::vector<prometheus::MetricFamily>& families) {
    const bool counter = reading.name.ends_with("_total");
    auto family = std::ranges::find(families, reading.name, &prometheus::MetricFamily::name);
    if (family == families.end()) {
      families.push_back({reading.name,
                          reading.help,
                          counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
                          {}});
      family = families.end() - 1;
    }
    prometheus::ClientMetric metric;
    for (const auto& [key, label] : reading.labels) metric.label.push_back({key, label});
    (counter ? metric.counter.value : metric.gauge.value) = reading.read();
    family->metric.push_back(std::move(metric));
  }

  mutable std::mutex mutex_;
  std::vector<Metrics::Reading> lasting_;
  std::vector<Metrics::Reading> replaced_;
};

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};

std::string key_of(std::initializer_list<std::string_view> parts) {
  std::string key;
  for (const auto part : parts) key.append(part).push_back('\0');
  return key;
}

}  // namespace

/// The series of one set of labels are looked up once and kept: Prometheus' own look-up builds a
/// map of strings each time.
struct Metrics::Parts {
  struct RequestSeries {
    prometheus::Counter& count;
    prometheus::Histogram& seconds;
  };
  struct StepSeries {
    prometheus::Counter& in;
    prometheus::Counter& out;
    prometheus::Counter& cached;
    prometheus::Histogram& queued;
    prometheus::Counter& usd;
  };

  RequestSeries& request(std::string_view route, std::string_view plan, unsigned status) {
    const std::string code = std::to_string(status);
    std::lock_guard lock(mutex);
    std::string key = key_of({route, plan, code});
    auto found = requests.find(key);
    if (found == requests.end()) {
      Labels labels = {{"route", std::string(route)}, {"plan", std::string(plan)}};
      auto& histogram = request_seconds.Add(labels, kSeconds);
      labels["status"] = code;
      found = requests.try_emplace(std::move(key), request_count.Add(labels), histogram).first;
    }
    return found->second;
  }

  StepSeries& step(const Step& step) {
    std::lock_guard lock(mutex);
    std::string key = key_of({step.model, step.role});
    auto found = steps.find(key);
    if (found == steps.end()) {
      const auto labels = [&step](const char* direction) -> Labels {
        return {{"model", step.model}, {"role", step.role}, {"direction", direction}};
      };
      found = steps
                  .try_emplace(std::move(key), tokens.Add(labels("in")), tokens.Add(labels("out")),
                               tokens.Add(labels("cached")),
                               queued.Add({{"model", step.model}}, kSeconds),
                               usd.Add({{"model", step.model}, {"role", step.role}}))
                  .first;
    }
    return found->second;
  }

  prometheus::Histogram& first(const std::string& plan) {
    std::lock_guard lock(mutex);
    auto found = firsts.find(plan);
    if (found == firsts.end()) {
      found = firsts.try_emplace(plan, first_token.Add({{"plan", plan}}, kSeconds)).first;
    }
    return found->second;
  }

  prometheus::Registry registry;
  ReadValues read;
  prometheus::Family<prometheus::Counter>& request_count = prometheus::BuildCounter()
                                                               .Name("lichen_requests_total")
                                                               .Help("Responses sent")
                                                               .Register(registry);
  prometheus::Family<prometheus::Histogram>& request_seconds =
      prometheus::BuildHistogram()
          .Name("lichen_request_duration_seconds")
          .Help("From a request's first byte to its response's last")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& first_token =
      prometheus::BuildHistogram()
          .Name("lichen_time_to_first_token_seconds")
          .Help("From a turn's start to its first token")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& tokens =
      prometheus::BuildCounter()
          .Name("lichen_tokens_total")
          .Help("Tokens read (in; of which cached) and written (out) by models, used or not")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& queued =
      prometheus::BuildHistogram()
          .Name("lichen_queue_seconds")
          .Help("How long a step waited for its model")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& usd = prometheus::BuildCounter()
                                                     .Name("lichen_usd_total")
                                                     .Help("Cost of models that have a price")
                                                     .Register(registry);
  prometheus::Gauge& in_flight = prometheus::BuildGauge()
                                     .Name("lichen_turns_in_flight")
                                     .Help("Turns in progress")
                                     .Register(registry)
                                     .Add({});
  prometheus::Family<prometheus::Counter>& reloads =
      prometheus::BuildCounter()
          .Name("lichen_reloads_total")
          .Help("Times that the configuration was loaded again")
          .Register(registry);
  prometheus::Counter& reloads_done = reloads.Add({{"result", "done"}});
  prometheus::Counter& reloads_failed = reloads.Add({{"result", "failed"}});
  prometheus::Gauge& loaded_at = prometheus::BuildGauge()
                                     .Name("lichen_config_loaded_seconds")
                                     .Help("When the configuration in use was loaded, Unix time")
                                     .Register(registry)
                                     .Add({});

  std::mutex mutex;  // guards the maps
  std::unordered_map<std::string, RequestSeries> requests;
  std::unordered_map<std::string, StepSeries> steps;
  std::unordered_map<std::string, std::reference_wrapper<prometheus::Histogram>> firsts;
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) { parts_->loaded_at.SetToCurrentTime(); }
Metrics::~Metrics() = default;

void Metrics::request(std::string_view route, std::string_view plan, unsigned status,
                      double seconds) {
  auto& series = parts_->request(route, plan, status);
  series.count.Increment();
  series.seconds.Observe(seconds);
}

void Metrics::turn(const Receipt& receipt) {
  for (const Step& step : receipt.steps) {
    auto& series = parts_->step(step);
    series.in.Increment(static_cast<double>(step.tokens_in));
    series.out.Increment(static_cast<double>(step.tokens_out));
    series.cached.Increment(static_cast<double>(step.tokens_cached));
    series.queued.Observe(step.queued_ms / 1'000);
    if (step.usd) series.usd.Increment(*step.usd);
  }
  if (receipt.first_token_ms) {
    parts_->first(receipt.plan).Observe(*receipt.first_token_ms / 1'000);
  }
}

void Metrics::turns_in_flight(int change) { parts_->in_flight.Increment(change); }

void Metrics::reloaded(bool done) {
  (done ? parts_->reloads_done : parts_->reloads_failed).Increment();
  if (done) parts_->loaded_at.SetToCurrentTime();
}

void Metrics::add_gauge(std::string name, std::string help, Labels labels,
                        std::function<double()> read) {
  parts_->read.add({std::move(name), std::move(help), std::move(labels), std::move(read)});
}

void Metrics::add_counter(std::string name, std::string help, Labels labels,
                          std::function<double()> read) {
  add_gauge(std::move(name), std::move(help), std::move(labels), std::move(read));
}

void Metrics::replace(std::vector<Reading> readings) { parts_->read.replace(std::move(readings)); }

std::string Metrics::text() const {
  auto families = parts_->registry.Collect();
  for (auto& family : parts_->read.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace lichen::serving
