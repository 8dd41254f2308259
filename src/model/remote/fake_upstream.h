// An OpenAI-compatible endpoint on loopback that does exactly what a script says: for tests and for
// measuring what comes of faults. It answers with bytes, not with a model.
//
//   FakeUpstream upstream({Reply::json(R"({"error": "busy"})", 503), Reply::chat({"Hel", "lo"})});
//   options.url = upstream.url();
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/remote/test_identity.h"

namespace lichen::model {

/// What to do with one request, step by step. After the last step the next request on the same
/// connection is awaited.
class Reply {
 public:
  /// A whole response with Content-Length. `fields`: further header lines, each ending in CRLF.
  static Reply json(std::string_view body, int status = 200, std::string_view fields = "");
  /// A whole streamed answer of /chat/completions: a delta for each piece, finish_reason "stop",
  /// usage of `prompt_tokens` and one token for each piece, [DONE].
  static Reply chat(std::initializer_list<std::string_view> pieces, int prompt_tokens = 7);
  /// The same as one body that is not streamed.
  static Reply chat_whole(std::string_view text, int prompt_tokens = 7, int completion_tokens = 3);
  /// The header of a chunked event stream; append events to it.
  static Reply events();
  /// Nothing yet.
  static Reply raw() { return {}; }

  Reply& event(std::string_view data);  // "data: DATA", a blank line, as one chunk
  Reply& delta(std::string_view text);  // an event with a delta of /chat/completions
  Reply& finish(std::string_view reason = "stop");
  Reply& usage(int prompt_tokens, int completion_tokens);
  Reply& done();  // [DONE], and the end of the stream
  Reply& end();   // the end of the stream alone
  /// `bytes` of the event stream in chunks of `size`.
  Reply& chunks(std::string_view bytes, std::size_t size);

  Reply& send(std::string_view bytes);  // as they are
  Reply& wait(std::chrono::milliseconds time);
  Reply& stall();  // silence until the client leaves
  Reply& close();  // without announcement
  Reply& reset();  // TCP RST

 private:
  friend class FakeUpstream;
  struct Send {
    std::string bytes;
  };
  struct Wait {
    std::chrono::milliseconds time;
  };
  struct Stall {};
  struct Close {
    bool reset;
  };
  std::vector<std::variant<Send, Wait, Stall, Close>> steps_;
};

/// Serves on a thread of its own until it is destroyed. Safe from any thread.
class FakeUpstream {
 public:
  struct Received {
    std::string method;
    std::string target;
    std::map<std::string, std::string> fields;  // names in lower case
    std::string body;
    int connection = 0;     // from 1, in the order in which they came
    int on_connection = 0;  // from 1, the request's number on its connection
  };
  using Script = std::function<Reply(const Received&)>;  // called on the server's thread

  explicit FakeUpstream(Script script, std::optional<TestIdentity> tls = {});
  /// One reply for each request, the last one for all that follow.
  explicit FakeUpstream(std::vector<Reply> replies, std::optional<TestIdentity> tls = {});
  ~FakeUpstream();

  std::uint16_t port() const;
  /// "http://127.0.0.1:PORT/v1", or https.
  std::string url(std::string_view host = "127.0.0.1") const;

  std::vector<Received> requests() const;
  int connections() const;       // so far
  int most_connections() const;  // open at one time
  /// Waits until `count` clients have left or been left; false after ten seconds.
  bool wait_for_closed(int count) const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

/// The JSON of an event with a delta, and of the whole stream of `Reply::chat` as bytes.
std::string delta_json(std::string_view text);
std::string chat_stream(std::initializer_list<std::string_view> pieces, int prompt_tokens = 7);

}  // namespace lichen::model
