#include "policy/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "policy/marked_yaml.h"

namespace lichen::policy {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Config parse(const std::string& yaml) {
  Result<Config> config = parse_config(yaml, "/etc/lichen/lichen.yaml");
  EXPECT_TRUE(config) << config.error().detail;
  return config ? *std::move(config) : Config{};
}

TEST(Config, ReadsEverything) {
  const Config config = parse(R"(models:
  small:
    gguf: models/small.gguf
    context: 4096
    max_sessions: 8
    threads: 2
    batch: 256
    gpu_layers: 0
    price: {input: 0, output: 0.5}
    sampling:
      temperature: 0.7
      top_k: 40
      top_p: 0.95
      min_p: 0.05
      repetition_penalty: 1.1
      presence_penalty: -0.5
      frequency_penalty: 2
      seed: 42
      logit_bias: {15: -100, 16: 2.5}
    versions: learned/small
    version: 2
    adapters:
      - {name: legal, gguf: /abs/legal.gguf, scale: 0.5}
  cloud:
    url: https://api.example.com/v1
    model: big-1
    key_env: CLOUD_KEY
    price: {input: 2.5, output: 10, cached_input: 1.25}
    context: 128000
    bytes_per_token: 3.5
    ca_file: ca.pem
    max_connections: 10
    max_response_bytes: 1000000
    retries: 5
    retry_backoff: 100ms
    allow_insecure: true
    max_tokens_field: max_completion_tokens
    continues: final_message
    timeouts: {connect: 500ms, headers: 5, first_token: "20s", idle: 1.5, total: 2m}
plans:
  default: small
  careful: {cascade: {small: small, large: cloud}}
serve:
  host: 0.0.0.0
  port: 9000
  plan: careful
  api_key_env: LICHEN_KEY
  admin_key_env: LICHEN_ADMIN_KEY
  keys: true
  io_threads: 2
  max_connections: 100
  max_body_bytes: 4096
  max_messages: 10
  max_tokens: 512
  deadline: 1h
ledger: {path: state/ledger.db, durable: true}
)");
  ASSERT_EQ(config.models.size(), 2u);
  EXPECT_EQ(config.models[0].name, "small");
  EXPECT_EQ(config.models[0].line, 2);
  const auto& small = std::get<model::LocalModelOptions>(config.models[0].options);
  EXPECT_EQ(small.gguf, "/etc/lichen/models/small.gguf");
  EXPECT_EQ(small.context, 4096);
  EXPECT_EQ(small.max_sessions, 8);
  EXPECT_EQ(small.threads, 2);
  EXPECT_EQ(small.batch, 256);
  EXPECT_EQ(small.gpu_layers, 0);
  EXPECT_EQ(small.price->output, 0.5);
  EXPECT_FALSE(small.price->cached_input);
  EXPECT_FLOAT_EQ(*small.sampling.temperature, 0.7f);
  EXPECT_EQ(small.sampling.top_k, 40);
  EXPECT_FLOAT_EQ(*small.sampling.top_p, 0.95f);
  EXPECT_FLOAT_EQ(*small.sampling.min_p, 0.05f);
  EXPECT_FLOAT_EQ(*small.sampling.repetition_penalty, 1.1f);
  EXPECT_FLOAT_EQ(*small.sampling.presence_penalty, -0.5f);
  EXPECT_FLOAT_EQ(*small.sampling.frequency_penalty, 2);
  EXPECT_EQ(small.sampling.seed, 42);
  EXPECT_FLOAT_EQ(small.sampling.logit_bias.at(15), -100);
  EXPECT_FLOAT_EQ(small.sampling.logit_bias.at(16), 2.5f);
  EXPECT_EQ(small.versions.filename(), "small");
  EXPECT_TRUE(small.versions.is_absolute());
  EXPECT_EQ(small.version, 2);
  ASSERT_EQ(small.adapters.size(), 1u);
  EXPECT_EQ(small.adapters[0].name, "legal");
  EXPECT_EQ(small.adapters[0].gguf, "/abs/legal.gguf");
  EXPECT_FLOAT_EQ(small.adapters[0].scale, 0.5f);
  const auto& cloud = std::get<model::RemoteModelOptions>(config.models[1].options);
  EXPECT_EQ(cloud.url, "https://api.example.com/v1");
  EXPECT_EQ(cloud.model, "big-1");
  EXPECT_EQ(cloud.key_env, "CLOUD_KEY");
  EXPECT_EQ(cloud.price->cached_input, 1.25);
  EXPECT_EQ(cloud.context, 128'000);
  EXPECT_EQ(cloud.bytes_per_token, 3.5);
  EXPECT_EQ(cloud.ca_file, "/etc/lichen/ca.pem");
  EXPECT_EQ(cloud.max_connections, 10);
  EXPECT_EQ(cloud.max_response_bytes, 1'000'000u);
  EXPECT_EQ(cloud.retries, 5);
  EXPECT_EQ(cloud.retry_backoff, milliseconds(100));
  EXPECT_TRUE(cloud.allow_insecure);
  EXPECT_EQ(cloud.max_tokens_field, "max_completion_tokens");
  EXPECT_EQ(cloud.continues, model::Continuation::final_message);
  EXPECT_EQ(cloud.connect_timeout, milliseconds(500));
  EXPECT_EQ(cloud.headers_timeout, milliseconds(5'000));
  EXPECT_EQ(cloud.first_token_timeout, milliseconds(20'000));
  EXPECT_EQ(cloud.idle_timeout, milliseconds(1'500));
  EXPECT_EQ(cloud.total_timeout, milliseconds(120'000));
  ASSERT_EQ(config.plans.size(), 2u);
  EXPECT_EQ(config.plans[1].name, "careful");
  EXPECT_EQ(config.serve.host, "0.0.0.0");
  EXPECT_EQ(config.serve.port, 9000);
  EXPECT_EQ(config.serve.plan, "careful");
  EXPECT_EQ(config.serve.api_key_env, "LICHEN_KEY");
  EXPECT_EQ(config.serve.admin_key_env, "LICHEN_ADMIN_KEY");
  EXPECT_TRUE(config.serve.keys);
  EXPECT_TRUE(config.ledger.durable);
  EXPECT_EQ(config.serve.io_threads, 2);
  EXPECT_EQ(config.serve.max_connections, 100);
  EXPECT_EQ(config.serve.max_body_bytes, 4096u);
  EXPECT_EQ(config.serve.max_messages, 10);
  EXPECT_EQ(config.serve.max_tokens, 512);
  EXPECT_EQ(config.serve.deadline, milliseconds(3'600'000));
  EXPECT_EQ(config.ledger.path, "/etc/lichen/state/ledger.db");
}

TEST(Config, SeveralUrlsOfOneModel) {
  const Config config = parse(R"(
models:
  cloud:
    urls:
      - https://a.example/v1
      - {url: "https://b.example/v1", model: big-2, key_env: B_KEY, weight: 2.5,
         price: {input: 1, output: 2}}
    model: big-1
    hedge: 500ms
    probe: 2s
  vague:
    urls: [{url: "http://a/v1", model: x}, {url: "http://b/v1", model: y}]
    hedge: p95
    probe: never
)");
  const auto& cloud = std::get<model::RemoteModelOptions>(config.models.at(0).options);
  ASSERT_EQ(cloud.urls.size(), 2u);
  EXPECT_EQ(cloud.url, "");
  EXPECT_EQ(cloud.urls[0].url, "https://a.example/v1");
  EXPECT_EQ(cloud.urls[0].model, "") << "the one beside `urls`";
  EXPECT_EQ(cloud.urls[0].weight, 1);
  EXPECT_EQ(cloud.urls[1].url, "https://b.example/v1");
  EXPECT_EQ(cloud.urls[1].model, "big-2");
  EXPECT_EQ(cloud.urls[1].key_env, "B_KEY");
  EXPECT_EQ(cloud.urls[1].weight, 2.5);
  EXPECT_EQ(cloud.urls[1].price->output, 2);
  EXPECT_EQ(cloud.hedge->after, milliseconds(500));
  EXPECT_EQ(cloud.probe_interval, milliseconds(2'000));
  const auto& vague = std::get<model::RemoteModelOptions>(config.models.at(1).options);
  EXPECT_EQ(vague.hedge->percentile, 95);
  EXPECT_EQ(vague.probe_interval, milliseconds(0));
}

TEST(Config, TheExampleWithSeveralUrls) {
  const auto config = load_config(LICHEN_SOURCE_DIR "/examples/upstreams.yaml");
  ASSERT_TRUE(config) << config.error().detail;
  const auto& far = std::get<model::RemoteModelOptions>(config->models.at(1).options);
  EXPECT_EQ(far.urls.size(), 2u);
  EXPECT_TRUE(far.hedge);
}

TEST(Config, WhatIsLeftOutHasItsDefault) {
  const Config config = parse("models:\n  small: {gguf: s.gguf}\nplans:\nserve:\nledger:\n");
  const auto& small = std::get<model::LocalModelOptions>(config.models.at(0).options);
  const model::LocalModelOptions defaults;
  EXPECT_EQ(small.context, defaults.context);
  EXPECT_EQ(small.gpu_layers, defaults.gpu_layers);
  EXPECT_FALSE(small.price);
  EXPECT_FALSE(small.sampling.temperature);
  EXPECT_EQ(config.serve.host, "127.0.0.1");
  EXPECT_EQ(config.serve.port, 8080);
  EXPECT_TRUE(config.plans.empty());
  EXPECT_TRUE(config.ledger.path.empty());
}

TEST(Config, VariablesAreNotExpanded) {
  const Config config = parse("models: {a: {gguf: \"${HOME}/a.gguf\"}}");
  EXPECT_EQ(std::get<model::LocalModelOptions>(config.models.at(0).options).gguf,
            "/etc/lichen/${HOME}/a.gguf");
}

TEST(Config, PromptsAreRecordedForThoseThatAreNamed) {
  EXPECT_TRUE(parse("ledger: {path: none}").ledger.record.empty());
  EXPECT_THAT(parse("ledger: {record: [small, large]}").ledger.record,
              testing::ElementsAre("small", "large"));
}

TEST(Config, TheLedgerMayBeOnAServer) {
  const Config config =
      parse("ledger: {url: \"postgresql://lichen@db.example/lichen\", password_env: DB_PASSWORD}");
  EXPECT_TRUE(config.ledger.path.empty());
  EXPECT_EQ(config.ledger.server.url, "postgresql://lichen@db.example/lichen");
  EXPECT_EQ(config.ledger.server.password_env, "DB_PASSWORD");
}

TEST(Config, NoLedgerIsNoPath) { EXPECT_EQ(parse("ledger: {path: none}").ledger.path, "none"); }

struct Wrong {
  const char* yaml;     // with ^ before the place that the error must name
  const char* message;  // a part of it
};

class WrongConfig : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfig, IsAnErrorWithItsPlace) {
  const MarkedYaml marked = read_marked(GetParam().yaml);
  const Result<Config> config = parse_config(marked.yaml, "f.yaml");
  ASSERT_FALSE(config) << GetParam().yaml;
  EXPECT_EQ(config.error().code, Errc::bad_config);
  EXPECT_THAT(config.error().detail,
              AllOf(StartsWith("f.yaml:" + marked.place), HasSubstr(GetParam().message)))
      << GetParam().yaml;
}

INSTANTIATE_TEST_SUITE_P(
    Structure, WrongConfig,
    testing::Values(Wrong{"^", "a configuration must be a map of keys and values, not nothing"},
                    Wrong{"^- models\n", "must be a map of keys and values, not a list"},
                    Wrong{"models: {}\n^plan: {}\n",
                          "no key `plan` (did you mean `plans`?); known keys: "
                          "`ledger`, `models`, `plans`, `serve`"},
                    Wrong{"models: ^[a]\n",
                          "`models` must be a map of keys and values, not a list"},
                    Wrong{"plans: ^x\n", "`plans` must be a map"},
                    Wrong{"models:\n  a: {gguf: x}\n  ^a: {gguf: y}\n", "already set in line 2"},
                    Wrong{"models:\n  a: {gguf: x}\nplans:\n  ^a: a\n",
                          "`a` is already the model in line 2: plans and models share their names"},
                    Wrong{"models:\n  ^\"a b\": {gguf: x}\n", "a name has 1 to 128 letters"},
                    Wrong{"models:\n  ^a+b: {gguf: x}\n", "a name has"},
                    Wrong{"models: {a: {gguf: x}}\nplans:\n  ^\"\": a\n", "a name has"}));

INSTANTIATE_TEST_SUITE_P(
    Models, WrongConfig,
    testing::Values(
        Wrong{"models:\n  ^a:\n", "model `a` must be a map of keys and values, not nothing"},
        Wrong{"models:\n  a: ^x.gguf\n", "must be a map of keys and values, not `x.gguf`"},
        Wrong{"models:\n  a: ^{threads: 2}\n",
              "needs one of `gguf` (a local file), `url` (an endpoint) or `urls` (several)"},
        Wrong{"models:\n  a: ^{gguf: x, url: y}\n", "needs only one of"},
        Wrong{"models:\n  a: {^gguf: }\n", "`gguf` must be a text, not nothing"},
        Wrong{"models:\n  a: {gguf: ^[x]}\n", "`gguf` must be a text, not a list"},
        Wrong{"models:\n  a: {gguf: x, ^thread: 2}\n",
              "model `a` has no key `thread` (did you mean `threads`?)"},
        Wrong{"models:\n  a:\n    gguf: x\n    threads: ^many\n",
              "`threads` must be a whole number from 0 to 1024, not `many`"},
        Wrong{"models:\n  a: {gguf: x, threads: ^1.5}\n", "not `1.5`"},
        Wrong{"models:\n  a: {gguf: x, threads: ^\"2\"}\n", "not \"2\""},
        Wrong{"models:\n  a: {gguf: x, threads: ^1025}\n", "from 0 to 1024"},
        Wrong{"models:\n  a: {gguf: x, threads: ^99999999999999999999}\n", "from 0 to"},
        Wrong{"models:\n  a: {gguf: x, context: ^-1}\n", "from 0 to"},
        Wrong{"models:\n  a: {gguf: x, max_sessions: ^0}\n", "from 1 to 256"},
        Wrong{"models:\n  a: {gguf: x, max_sessions: ^257}\n", "from 1 to 256"},
        Wrong{"models:\n  a: {gguf: x, sampling: {repetition_penalty: ^0.000001}}\n",
              "from 0.01 to 10"},
        Wrong{"models:\n  a: {url: \"http://h/v1\", model: m, retries: ^11}\n", "from 0 to 10"},
        Wrong{"models:\n  a: {gguf: x, ^key_env: K}\n",
              "`key_env` is for a remote model (one with `url` or `urls`)"},
        Wrong{"models:\n  a: {url: \"http://h/v1\", model: m, ^threads: 1}\n",
              "`threads` is for a local model (one with `gguf`)"},
        Wrong{"models:\n  a: ^{url: \"http://h/v1\"}\n", "model `a` needs `model`"},
        Wrong{"models:\n  a: {^url: \"ftp://h/v1\", model: m}\n", "`url` must be like"},
        Wrong{"models:\n  a: {^url: api.example.com, model: m}\n", "`url` must be like"},
        Wrong{"models:\n  a: {^url: \"http://\", model: m}\n", "`url` must be like"},
        Wrong{"models:\n  a: {^url: \"http://u:p@h/v1\", model: m}\n", "no user"},
        Wrong{"models:\n  a: {^url: \"http://h/v1#k\", model: m}\n", "no fragment"},
        Wrong{"models:\n  a: {url: \"http://h/v1\", model: m, ^key_env: sk-123}\n",
              "the name of an environment variable"},
        Wrong{"models:\n  a: {gguf: x, ^adapters: {}}\n", "must be a list"},
        Wrong{"models:\n  a: {gguf: x, adapters: [^{name: l}]}\n", "an adapter needs `gguf`"},
        Wrong{"models:\n  a: {gguf: x, adapters: [{name: l, gguf: y}, {^name: l, gguf: z}]}\n",
              "another adapter `l`"}));

INSTANTIATE_TEST_SUITE_P(
    Ledgers, WrongConfig,
    testing::Values(Wrong{"ledger: {^url: \"http://host/db\"}\n",
                          "postgresql://user@host:5432/database"},
                    Wrong{"ledger: {^url: \"postgresql://u:secret@host/db\"}\n", "PGPASSWORD"},
                    Wrong{"ledger: {path: a.db, ^url: \"postgresql://host/db\"}\n", "only one of"},
                    Wrong{"ledger: {^password_env: DB_PASSWORD}\n", "needs `url`"},
                    Wrong{"ledger: {url: \"postgresql://host/db\", ^password_env: s3-cret}\n",
                          "the name of an environment variable"}));

TEST(Config, APasswordInTheLedgersUrlIsNotShown) {
  const auto config = parse_config("ledger: {url: \"postgresql://u:secret@host/db\"}", "f.yaml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().detail, testing::Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Urls, WrongConfig,
    testing::Values(
        Wrong{"models:\n  a: ^{url: \"http://h/v1\", urls: [], model: m}\n", "needs only one of"},
        Wrong{"models:\n  a: {^urls: [], model: m}\n", "must be a list of urls"},
        Wrong{"models:\n  a: {^urls: http://h/v1, model: m}\n", "must be a list of urls"},
        Wrong{"models:\n  a: {urls: [^ftp://h/v1], model: m}\n", "`url` must be like"},
        Wrong{"models:\n  a: {urls: [^{model: m}]}\n", "one of `urls` needs `url`"},
        Wrong{"models:\n  a: {^urls: [\"http://h/v1\"]}\n", "`model` says what http://h/v1 calls"},
        Wrong{"models:\n  a: {urls: [{url: \"http://h/v1\", weight: ^0}], model: m}\n",
              "`weight` must be a number from 0.001 to 1000"},
        Wrong{"models:\n  a: {urls: [{url: \"http://h/v1\", ^wieght: 1}], model: m}\n",
              "did you mean `weight`?"},
        Wrong{"models:\n  a: {url: \"http://h/v1\", model: m, ^hedge: 1s}\n",
              "needs at least two `urls`"},
        Wrong{"models:\n  a: {urls: [\"http://h/v1\", \"http://i/v1\"], model: m, ^hedge: p100}\n",
              "p50 to p99"},
        Wrong{"models:\n  a: ^{gguf: x, urls: [\"http://h/v1\"]}\n", "needs only one of"}));

INSTANTIATE_TEST_SUITE_P(
    Values, WrongConfig,
    testing::Values(
        Wrong{"models:\n  a: {gguf: x, price: ^5}\n", "`price` must be a map"},
        Wrong{"models:\n  a: {gguf: x, price: ^{input: 5}}\n", "`price` needs `output`"},
        Wrong{"models:\n  a: {gguf: x, price: {input: ^-1, output: 1}}\n",
              "`input` must be a number from 0 to"},
        Wrong{"models:\n  a: {gguf: x, price: {input: ^.nan, output: 1}}\n", "not `.nan`"},
        Wrong{"models:\n  a: {gguf: x, price: {input: ^inf, output: 1}}\n", "not `inf`"},
        Wrong{"models:\n  a: {gguf: x, price: {input: ^nan, output: 1}}\n", "not `nan`"},
        Wrong{"models:\n  a: {gguf: x, sampling: {temperature: ^2.1}}\n",
              "`temperature` must be a number from 0 to 2, not `2.1`"},
        Wrong{"models:\n  a: {gguf: x, sampling: {^temp: 1}}\n", "no key `temp`"},
        Wrong{"models:\n  a: {gguf: x, sampling: {top_p: ^0}}\n", "`top_p` must be"},
        Wrong{"models:\n  a: {gguf: x, sampling: {logit_bias: {^word: 1}}}\n",
              "maps token ids to numbers, not `word`"},
        Wrong{"models:\n  a: {gguf: x, sampling: {logit_bias: {1: ^101}}}\n", "from -100 to 100"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, timeouts: {idle: ^soon}}\n",
              "`idle` must be a duration from 1ms to 24h"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, timeouts: {idle: ^0}}\n", "duration"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, timeouts: {idle: ^25h}}\n", "duration"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, timeouts: {idle: ^5 sec}}\n",
              "duration"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, ^continues: yes}\n",
              "last_message (llama-server)"},
        Wrong{"models:\n  a: {url: \"http://h\", model: m, timeouts: {^idel: 5s}}\n",
              "did you mean `idle`?"}));

INSTANTIATE_TEST_SUITE_P(
    Serve, WrongConfig,
    testing::Values(Wrong{"serve: {port: ^65536}\n", "from 0 to 65535"},
                    Wrong{"serve: {port: ^http}\n", "not `http`"},
                    Wrong{"serve: {^prot: x}\n", "did you mean `port`?"},
                    Wrong{"serve: {^hosts: x}\n", "must be a list of host names"},
                    Wrong{"serve: {^hosts: [\"a.example:80\"]}\n", "without ports"},
                    Wrong{"serve: {^origins: [app.example]}\n", "https://app.example.org"},
                    Wrong{"serve: {^origins: [\"https://a.example/\"]}\n", "is none"},
                    Wrong{"serve: {^origins: [\"*\"]}\n", "needs `api_key_env` or `keys`"},
                    Wrong{"serve: {^api_key_env: \"a secret\"}\n", "not the key itself"},
                    Wrong{"serve: {^admin_key_env: a-secret}\n", "not the key itself"},
                    Wrong{"ledger: {path: none, ^durable: true}\n", "needs a ledger on disk"},
                    Wrong{"serve: {max_body_bytes: ^1}\n", "from 1024"},
                    Wrong{"serve: {deadline: ^-1s}\n", "duration"},
                    Wrong{"ledger: {^file: x}\n", "known keys: `durable`, `password_env`, `path`"},
                    Wrong{"ledger: {^record: small}\n", "must be a list"},
                    Wrong{"ledger: {^record: [[a]]}\n", "must be a list"},
                    Wrong{"ledger: {^path: }\n", "`path` must be a text"}));

TEST(Config, AKeyInTheWrongPlaceIsNotRepeated) {
  const Result<Config> config =
      parse_config("models:\n  a: {url: \"http://h\", model: m, key_env: sk-SECRET}\n", "f.yaml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().detail, testing::Not(HasSubstr("SECRET")));
}

TEST(LoadConfig, SaysWhyAFileCannotBeRead) {
  const Result<Config> missing = load_config("/nowhere/lichen.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().detail, HasSubstr("/nowhere/lichen.yaml: No such file"));
  const Result<Config> folder = load_config(std::filesystem::temp_directory_path());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().detail, HasSubstr("is a folder"));
  const Result<Config> endless = load_config("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_THAT(endless.error().detail, HasSubstr("too many"));
}

TEST(LoadConfig, ReadsAFile) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "lichen_config_test.yaml";
  std::ofstream(file) << "models: {a: {gguf: sub/../a.gguf}}\n";
  const Result<Config> config = load_config(file);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(std::get<model::LocalModelOptions>(config->models.at(0).options).gguf,
            file.parent_path() / "a.gguf");
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace lichen::policy
