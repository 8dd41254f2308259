// The one place where Asio's and Beast's non-template code is compiled.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// Asio's any_executor counts references with a release decrement and an acquire fence, which
// ThreadSanitizer does not model.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:boost::asio::execution::detail::shared_target_executor\n";
}
#endif
#endif
