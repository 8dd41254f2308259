// What a ledger takes: `ledger_bench FILE|URL` records receipts as fast as they are written, and
// for a server has keys' claims granted, too. Prints one JSON object.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "ledger/ledger.h"

namespace lichen::ledger {
namespace {

using std::chrono::steady_clock;

constexpr int kReceipts = 50'000;
constexpr int kReservations = 2'000;
constexpr int kThreads = 4;

/// A request that two models worked on.
Receipt receipt() {
  Receipt made;
  made.id = base::new_id("rcpt_");
  made.plan = "default";
  made.key = "key_bench";
  made.started = std::chrono::system_clock::now();
  made.total_ms = 812.5;
  made.finish = "stop";
  made.steps = {{.model = "small", .role = "answer", .tokens_in = 120, .tokens_out = 80},
                {.model = "large", .role = "answer", .tokens_in = 120, .tokens_out = 90}};
  made.steps.back().usd = 0.00125;
  made.decisions = {
      {"cascade", "large", "mean log-prob -0.81 under threshold -0.25", -0.81, -0.25}};
  made.authors = {{.model = "large", .tokens = 90, .bytes = 400}};
  return made;
}

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

/// Receipts a second that reach the disk.
double record(Ledger& ledger) {
  std::vector<Receipt> receipts;
  for (int i = 0; i < kReceipts; ++i) receipts.push_back(receipt());
  const auto begin = steady_clock::now();
  for (Receipt& each : receipts) {
    while (ledger.health().pending > 5'000) std::this_thread::yield();
    ledger.record(std::move(each));
  }
  if (const auto flushed = ledger.flush(); !flushed) {
    std::fprintf(stderr, "%s\n", flushed.error().detail.c_str());
    return 0;
  }
  return kReceipts / seconds_since(begin);
}

/// Claims a second that are granted and settled, of one key or of one for each thread.
double reserve(Allowances& allowances, bool one_key) {
  std::atomic<int> left = kReservations, granted = 0;
  const auto until = std::chrono::system_clock::now() + std::chrono::minutes(10);
  const auto begin = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Key key;
        key.id = "key_bench" + std::to_string(one_key ? 0 : t);
        key.limits.budget_usd = 1e9;
        while (left-- > 0) {
          const auto reserved = allowances.reserve(key, {.tokens = 100, .usd = 0.001}, until);
          if (!reserved) continue;
          ++granted;
          allowances.settle(*reserved, {.requests = 1, .tokens = 100, .usd = 0.001});
        }
      });
    }
  }
  return granted / seconds_since(begin);
}

int run(const std::string& place) {
  const bool server = place.starts_with("postgresql://");
  auto ledger = server ? Ledger::connect({.url = place}) : Ledger::open(place);
  if (!ledger) {
    std::fprintf(stderr, "%s\n", ledger.error().detail.c_str());
    return 1;
  }
  std::printf("{\"receipts_per_s\": %.0f", record(**ledger));
  if (server) {
    const auto allowances = (*ledger)->allowances();
    const double one = reserve(*allowances, true);
    std::printf(", \"reservations_per_s\": {\"one_key\": %.0f, \"a_key_a_thread\": %.0f}", one,
                reserve(*allowances, false));
  }
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace lichen::ledger

int main(int count, char** words) {
  if (count == 2) return lichen::ledger::run(words[1]);
  std::fprintf(stderr, "usage: ledger_bench FILE|URL\n");
  return 2;
}
