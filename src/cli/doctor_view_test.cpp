#include "cli/doctor_view.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>

namespace lichen::cli {
namespace {

Diagnosis fine() {
  Diagnosis diagnosis;
  diagnosis.cpu = "Test CPU";
  diagnosis.cores = 2;
  diagnosis.memory_total = 8'000'000'000;
  diagnosis.memory_available = 5'500'000'000;
  diagnosis.config = "lichen.yaml";
  diagnosis.models = {{.name = "small",
                       .source = "small.gguf",
                       .context = 16'384,
                       .times = model::StepTimes{.passes = {{1, 0.2, 1}, {4, 0.5, 2}}}},
                      {.name = "cloud", .source = "https://api.example.com/v1", .local = false}};
  diagnosis.plans = {{.name = "default"}};
  diagnosis.ledger = "/var/lib/lichen/ledger.db";
  return diagnosis;
}

TEST(DoctorView, AllFine) {
  EXPECT_TRUE(healthy(fine()));
  EXPECT_EQ(diagnosis_text(fine(), Terminal{}),
            "device    Test CPU, 2 cores\n"
            "memory    8.0 GB, 5.5 GB available\n"
            "energy    no readable counter: receipts carry no joules\n"
            "config    ok  lichen.yaml\n"
            "model     ok  small: small.gguf, context 16,384, t(1) = 0.20 ms on 1 thread, t(4) = "
            "0.50 ms (2.5x) on 2\n"
            "model     ok  cloud: https://api.example.com/v1, not contacted\n"
            "plan      ok  default\n"
            "ledger    ok  /var/lib/lichen/ledger.db\n");
}

TEST(DoctorView, WhatRemoteModelsGetOfWhatIsPrivate) {
  auto diagnosis = fine();
  diagnosis.plans[0].exposures = {{"cloud", policy::Shown::clear},
                                  {"cloud", policy::Shown::masked},
                                  {"far", policy::Shown::never}};
  const auto text = diagnosis_text(diagnosis, Terminal{});
  EXPECT_TRUE(text.contains("    cloud is asked in clear text: no `mask` is over it\n")) << text;
  EXPECT_TRUE(text.contains("    cloud gets placeholders for what is private\n")) << text;
  EXPECT_TRUE(text.contains("    far gets nothing private\n")) << text;
  const auto json = to_json(diagnosis);
  const auto& remote = json.at("plans").at(0).at("remote");
  EXPECT_EQ(remote.at(0).at("private"), "clear");
  EXPECT_EQ(remote.at(2).at("model"), "far");
}

TEST(DoctorView, WhatIsBrokenIsNamed) {
  auto diagnosis = fine();
  diagnosis.models[0].error = "small.gguf: no such file";
  diagnosis.plans[0].error = "lichen.yaml:7: no model `smal`";
  EXPECT_FALSE(healthy(diagnosis));
  const auto text = diagnosis_text(diagnosis, Terminal{});
  EXPECT_TRUE(text.contains("model     BROKEN  small: small.gguf: no such file\n")) << text;
  EXPECT_TRUE(text.contains("plan      BROKEN  default: lichen.yaml:7: no model `smal`\n")) << text;
}

TEST(DoctorView, EachPartCanBreakTheWhole) {
  auto config = fine(), model = fine(), plan = fine(), ledger = fine();
  config.config_error = "x";
  model.models[1].error = "x";
  plan.plans[0].error = "x";
  ledger.ledger_error = "x";
  for (const auto& diagnosis : {config, model, plan, ledger}) EXPECT_FALSE(healthy(diagnosis));
}

TEST(DoctorView, ReceiptsThatWaitAndThatAreLost) {
  auto diagnosis = fine();
  diagnosis.ledger_pending = 2;
  diagnosis.ledger_lost = 3;
  EXPECT_TRUE(diagnosis_text(diagnosis, Terminal{})
                  .ends_with("ledger.db (2 receipts wait to be written) (3 receipts were lost "
                             "since it exists)\n"));
  EXPECT_EQ(to_json(diagnosis).at("ledger").at("pending"), 2);
  EXPECT_EQ(to_json(diagnosis).at("ledger").at("lost"), 3);
}

TEST(DoctorView, OneEndpointThatIsReachedWillDo) {
  auto diagnosis = fine();
  auto& reached = diagnosis.models[1].reached;
  reached = {{"a.example", 12.3, ""}, {"b.example", 5'000, "no connection"}};
  EXPECT_TRUE(healthy(diagnosis));
  const auto text = diagnosis_text(diagnosis, Terminal{});
  EXPECT_TRUE(text.contains(", a.example reached in 12 ms, b.example not reached: no connection\n"))
      << text;
  const auto json = to_json(diagnosis);
  EXPECT_EQ(json.at("models").at(1).at("upstreams").at(1).at("reached"), false);
  reached[0].error = "refused";
  EXPECT_FALSE(healthy(diagnosis));
}

TEST(DoctorView, Json) {
  auto diagnosis = fine();
  diagnosis.plans[0].error = "why";
  diagnosis.plans[0].notes = {"large answers everything"};
  EXPECT_TRUE(diagnosis_text(diagnosis, Terminal{}).contains("    large answers everything\n"));
  const auto json = to_json(diagnosis);
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("device").at("cores"), 2);
  EXPECT_TRUE(json.at("config").at("error").is_null());
  EXPECT_EQ(json.at("models").at(0).at("times").at("passes").at(1).at("tokens"), 4);
  EXPECT_TRUE(json.at("models").at(1).at("times").is_null());
  EXPECT_EQ(json.at("plans").at(0).at("error"), "why");
  EXPECT_EQ(json.at("plans").at(0).at("risk").at(0), "large answers everything");
  EXPECT_EQ(json.at("ledger").at("path"), "/var/lib/lichen/ledger.db");
}

}  // namespace
}  // namespace lichen::cli
