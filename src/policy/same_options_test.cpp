#include "policy/same_options.h"

#include <gtest/gtest.h>

namespace lichen::policy {
namespace {

Config parse(const std::string& yaml) {
  Result<Config> config = parse_config(yaml, "f.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  return config ? *std::move(config) : Config{};
}

ModelConfig model(const std::string& yaml) {
  return parse("models: {m: " + yaml + "}").models.at(0);
}

TEST(SameOptions, ALineDoesNotCount) {
  EXPECT_TRUE(same_model(parse("models: {m: {gguf: a.gguf}}").models.at(0),
                         parse("\n\nmodels: {m: {gguf: a.gguf}}").models.at(0)));
}

TEST(SameOptions, EachOptionOfALocalModelCounts) {
  const ModelConfig plain = model("{gguf: a.gguf}");
  for (const std::string other :
       {"gguf: b.gguf", "gguf: a.gguf, context: 512", "gguf: a.gguf, max_sessions: 3",
        "gguf: a.gguf, kv_layout: split", "gguf: a.gguf, attention: plain",
        "gguf: a.gguf, kv_mb: 7", "gguf: a.gguf, threads: 1", "gguf: a.gguf, batch: 8",
        "gguf: a.gguf, gpu_layers: 3", "gguf: a.gguf, price: {input: 1, output: 2}",
        "gguf: a.gguf, sampling: {top_k: 3}", "gguf: a.gguf, sampling: {logit_bias: {3: -1}}",
        "gguf: a.gguf, versions: v", "gguf: a.gguf, prefix_cache_mb: 3",
        "gguf: a.gguf, adapters: [{name: x, gguf: x.gguf}]"}) {
    EXPECT_FALSE(same_model(plain, model("{" + other + "}"))) << other;
    EXPECT_TRUE(same_model(model("{" + other + "}"), model("{" + other + "}"))) << other;
  }
  EXPECT_FALSE(same_model(model("{gguf: a.gguf, adapters: [{name: x, gguf: x.gguf}]}"),
                          model("{gguf: a.gguf, adapters: [{name: x, gguf: x.gguf, scale: 2}]}")));
  EXPECT_FALSE(same_model(model("{gguf: a.gguf, price: {input: 1, output: 2}}"),
                          model("{gguf: a.gguf, price: {input: 1, output: 3}}")));
}

TEST(SameOptions, EachOptionOfARemoteModelCounts) {
  const std::string base = "url: \"http://a/v1\", model: x";
  const ModelConfig plain = model("{" + base + "}");
  for (const std::string more :
       {"context: 5", "retries: 0", "key_env: K", "continues: prefix", "probe: never",
        "timeouts: {idle: 3s}", "max_connections: 3", "returns_reasoning: true"}) {
    EXPECT_FALSE(same_model(plain, model("{" + base + ", " + more + "}"))) << more;
  }
  EXPECT_FALSE(same_model(plain, model("{url: \"http://b/v1\", model: x}")));
  EXPECT_FALSE(same_model(plain, model("{gguf: a.gguf}")));
  const std::string two = "{model: x, urls: [\"http://a/v1\", {url: \"http://b/v1\", weight: ";
  EXPECT_TRUE(same_model(model(two + "2}], hedge: p90}"), model(two + "2}], hedge: p90}")));
  EXPECT_FALSE(same_model(model(two + "2}], hedge: p90}"), model(two + "3}], hedge: p90}")));
  EXPECT_FALSE(same_model(model(two + "2}], hedge: p90}"), model(two + "2}], hedge: p95}")));
}

TEST(SameOptions, OfTheServerAndTheLedger) {
  const Config one = parse("serve: {max_turns: 5}\nledger: {path: none, record: [a]}");
  EXPECT_TRUE(same_serve(one.serve, parse("\nserve: {max_turns: 5}").serve));
  EXPECT_FALSE(same_serve(one.serve, parse("serve: {max_turns: 6}").serve));
  EXPECT_FALSE(same_serve(one.serve, parse("serve: {max_turns: 5, watch: true}").serve));
  EXPECT_FALSE(same_serve(one.serve, parse("serve: {max_turns: 5, keys: true}").serve));
  EXPECT_FALSE(same_serve(one.serve, parse("serve: {max_turns: 5, hosts: [a]}").serve));
  EXPECT_TRUE(same_ledger(one.ledger, parse("ledger:\n  path: none\n  record: [a]").ledger));
  EXPECT_FALSE(same_ledger(one.ledger, parse("ledger: {path: none, record: [b]}").ledger));
  EXPECT_FALSE(same_ledger(one.ledger, parse("ledger: {path: l.db, record: [a]}").ledger));
}

}  // namespace
}  // namespace lichen::policy
