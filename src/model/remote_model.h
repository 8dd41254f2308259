// A model behind any OpenAI-compatible endpoint, or several of them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lichen/answerer.h"

namespace lichen::model {

/// How an endpoint is told to go on with the beginning of an answer, which is sent as the last
/// message, the assistant's. OpenAI's protocol has no word for it.
enum class Continuation : std::uint8_t {
  none,           // it cannot
  final_message,  // by the fields `continue_final_message` and `add_generation_prompt`: vLLM,
                  // SGLang
  prefix,         // by `prefix` in the message: DeepSeek
  last_message,   // it does so by itself: llama-server
};

/// One of several places where a model is served.
struct UpstreamOptions {
  std::string url = {};             // as RemoteModelOptions::url
  std::string model = {};           // empty: RemoteModelOptions::model
  std::string key_env = {};         // empty: RemoteModelOptions::key_env
  std::optional<Price> price = {};  // none: RemoteModelOptions::price
  double weight = 1;                // above 0; twice as much: takes twice the load
};

/// When a second upstream is asked, since the first token of a streamed answer is late.
struct Hedge {
  std::chrono::milliseconds after{0};
  /// In place of `after`: how many percent of the latest first tokens came sooner; 50 to 99.
  std::optional<int> percentile = {};
};

struct RemoteModelOptions {
  std::string url = {};      // base, up to and with "/v1": "https://api.example.com/v1"
  std::string model = {};    // the endpoint's name for it
  std::string key_env = {};  // environment variable that holds the API key; empty: no key is sent
  std::optional<Price> price = {};
  std::vector<UpstreamOptions> urls = {};  // in place of `url`
  std::optional<Hedge> hedge = {};         // needs at least two `urls`
  std::int64_t context = 0;    // the endpoint's context length in tokens; 0: unknown
  double bytes_per_token = 4;  // estimate where the endpoint gives no usage
  std::string ca_file = {};    // PEM file of trusted certificates; empty: the system's
  int max_connections = 64;    // requests at once, at each url; more wait for a free connection
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds headers_timeout{60'000};  // until the response's header
  std::chrono::milliseconds first_token_timeout{120'000};
  std::chrono::milliseconds idle_timeout{60'000};  // between two reads of a stream
  std::chrono::milliseconds total_timeout{600'000};
  std::size_t max_response_bytes = 64u << 20;  // of one answer
  /// Further attempts after 429, 500, 502, 503, 504 or a broken connection, as long as nothing of
  /// the answer has come and the wait fits into the turn's deadline; first at another url, after
  /// any failure that is not the request's own. Where the endpoint `continues`, an answer that
  /// broke off in a stream is gone on with, too.
  int retries = 2;
  std::chrono::milliseconds retry_backoff{250};  // before the first; doubles, half of it at random
  bool allow_insecure = false;                   // send the key over plain http to another machine
  std::string max_tokens_field = "max_tokens";   // some endpoints want "max_completion_tokens"
  Continuation continues = Continuation::none;
  bool returns_reasoning = false;  // what it thought earlier goes back to it: `reasoning_content`
  /// Each call fails at once with `offline`: no connection, no name look-up, no key is read.
  bool offline = false;
  /// How often an endpoint that nobody could connect to is tried in the background; 0: never, and
  /// a request tries it.
  std::chrono::milliseconds probe_interval{5'000};
};

/// How an upstream fares.
struct UpstreamState {
  std::string name;     // host and port
  double admitted = 1;  // share of its traffic that its breaker lets pass: 1 closed, 0 open
  bool open = false;    // its breaker is
  int in_flight = 0;
  std::optional<double> first_token_s = {};  // average of streamed answers
  std::uint64_t requests = 0;                // attempts, since the start
  std::uint64_t failures = 0;                // of these, its own
  std::string last_failure = {};
};

class RemoteModel : public Model {
 public:
  /// Safe from any thread.
  virtual std::vector<UpstreamState> upstreams() const = 0;
};

/// `bad_config` when a url cannot be used or a key's variable is not set. `io` carries the
/// connections. Keeps connections alive and reuses them.
Result<ModelPtr> open_remote_model(std::string name, RemoteModelOptions options,
                                   boost::asio::any_io_executor io);

}  // namespace lichen::model
