#include "cli/host.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <future>
#include <mutex>

#include "base/cache_folder.h"
#include "cli/home.h"
#include "cli/progress.h"

namespace lichen::cli {

namespace asio = boost::asio;

/// Shared with the handler, which may run after the watch has ended.
struct CancelOnSignal::Watch {
  explicit Watch(asio::io_context& io) : signals(io) {}
  asio::signal_set signals;  // the thread of `io`, once waiting
  std::mutex mutex;
  std::function<void()> cancel;
};

CancelOnSignal::CancelOnSignal(asio::io_context& io, std::function<void()> cancel)
    : watch_(std::make_shared<Watch>(io)) {
  watch_->cancel = std::move(cancel);
  boost::system::error_code error;  // without a handler Ctrl-C still ends the program
  watch_->signals.add(SIGINT, error);
  watch_->signals.add(SIGTERM, error);
  watch_->signals.async_wait([watch = watch_](boost::system::error_code failed, int) {
    boost::system::error_code ignored;
    watch->signals.clear(ignored);  // so that the second signal has the system's effect
    if (failed) return;
    const std::lock_guard lock(watch->mutex);
    if (watch->cancel) watch->cancel();
  });
}

CancelOnSignal::~CancelOnSignal() {
  {
    const std::lock_guard lock(watch_->mutex);
    watch_->cancel = nullptr;
  }
  asio::post(watch_->signals.get_executor(), [watch = watch_] {
    boost::system::error_code ignored;
    watch->signals.cancel(ignored);
  });
}

Result<policy::Config> load_chosen_config(const std::filesystem::path& chosen) {
  const auto file = find_config(chosen);
  if (!file) return std::unexpected(file.error());
  auto config = policy::load_config(*file);
  const auto cache = base::cache_folder();
  if (!config || cache.empty()) return config;
  for (policy::ModelConfig& model : config->models) {
    auto* local = std::get_if<model::LocalModelOptions>(&model.options);
    if (local != nullptr) local->times_folder = cache / "passes";
  }
  return config;
}

Result<std::unique_ptr<Runtime>> open_runtime(policy::Config config, asio::any_io_executor io) {
  ProgressBar bar(Terminal::of(stderr));
  return Runtime::open(std::move(config), std::move(io),
                       [&bar](std::string_view model, double fraction) {
                         bar.update(fraction, "loading " + std::string(model));
                       });
}

Result<std::unique_ptr<Host>> Host::open(const std::filesystem::path& chosen, bool offline) {
  auto config = load_chosen_config(chosen);
  if (!config) return std::unexpected(config.error());
  config->offline = offline;
  return open(std::move(*config));
}

Result<std::unique_ptr<Host>> Host::open(policy::Config config) {
  std::unique_ptr<Host> host(new Host);
  host->thread_ = std::thread([&io = host->io_] { io.run(); });
  auto runtime = open_runtime(std::move(config), host->io_.get_executor());
  if (!runtime) return std::unexpected(runtime.error());
  host->runtime_ = std::move(*runtime);
  return host;
}

Host::~Host() {
  // The connections' thread ends first: the runtime goes while nothing runs in it.
  work_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
  runtime_.reset();
}

Result<Answer> Host::answer(Request request, Turn& turn) {
  const CancelOnSignal watch(io_, [&turn] { turn.cancel(); });
  std::promise<Result<Answer>> ended;
  auto answer = ended.get_future();
  // The handler owns the promise: it may still be at work when `get` returns.
  asio::co_spawn(
      io_, runtime_->answer(std::move(request), turn),
      [ended = std::move(ended)](std::exception_ptr error, Result<Answer> result) mutable {
        if (error) {
          ended.set_exception(error);
        } else {
          ended.set_value(std::move(result));
        }
      });
  return answer.get();  // what it throws is for main
}

}  // namespace lichen::cli
