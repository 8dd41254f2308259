#include "serving/reloader.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "policy/plan_marks.h"

namespace lichen::serving {

/// Shared with the handler, which may run after the reloader has gone.
struct Reloader::Signals {
  explicit Signals(boost::asio::io_context& io) : set(io) {}
  boost::asio::signal_set set;  // the thread of `io`, once waiting
  std::mutex mutex;
  Reloader* owner = nullptr;  // guarded by mutex
};

Reloader::Reloader(Server& server, boost::asio::io_context& io, const policy::Config& config,
                   ReloaderOptions options)
    : server_(server),
      io_(io),
      options_(std::move(options)),
      file_(config.file),
      watch_(config.serve.watch),
      loaded_(policy::file_stamp(file_)),
      seen_(loaded_) {}

Reloader::~Reloader() {
  if (signals_) {
    const std::lock_guard lock(signals_->mutex);
    signals_->owner = nullptr;
  }
  if (signals_) {
    boost::asio::post(io_, [signals = signals_] {
      boost::system::error_code ignored;
      signals->set.cancel(ignored);
    });
  }
}

void Reloader::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  wake_.notify_all();
}

void Reloader::start() {
  signals_ = std::make_shared<Signals>(io_);
  signals_->owner = this;
  boost::system::error_code ignored;
  signals_->set.add(SIGHUP, ignored);
  await_signal(signals_);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Reloader::await_signal(const std::shared_ptr<Signals>& signals) {
  signals->set.async_wait([signals](boost::system::error_code error, int) {
    if (error) return;
    const std::lock_guard lock(signals->mutex);
    Reloader* const owner = signals->owner;
    if (owner == nullptr) return;
    if (owner->options_.ends && owner->options_.ends()) {
      owner->server_.stop();
    } else {
      owner->request();
    }
    owner->await_signal(signals);
  });
}

Result<policy::ReloadReport> Reloader::reload() {
  const std::lock_guard lock(reloading_);
  Result<policy::ReloadReport> report = load_and_take_up();
  server_.metrics().reloaded(report.has_value());
  if (report) {
    spdlog::info("configuration loaded in {} ms: {}", report->took.count(), to_string(*report));
  } else {
    spdlog::error("the configuration was not loaded, nothing has changed: {}",
                  report.error().detail);
  }
  if (options_.done) options_.done(report);
  return report;
}

Result<policy::ReloadReport> Reloader::load_and_take_up() {
  const std::string stamp = policy::file_stamp(file_);  // before it is read
  {
    const std::lock_guard lock(mutex_);
    loaded_ = stamp;
  }
  Result<policy::Config> config = options_.load();
  if (!config) return std::unexpected(std::move(config).error());
  const bool watch = config->serve.watch;
  const policy::ServeConfig serve = options_.serve(*config);
  Result<policy::ReloadReport> report = server_.take_up(*std::move(config), serve);
  if (!report) return report;
  const std::lock_guard lock(mutex_);
  watch_ = watch;
  return report;
}

/// Whether it has changed since it was loaded, and not since it was looked at last: editors and
/// copies write a file in several steps. A file that is gone for the moment has not changed.
bool Reloader::file_changed() {
  std::string now = policy::file_stamp(file_);
  const bool settled = now == seen_;
  seen_ = std::move(now);
  return settled && !seen_.empty() && seen_ != loaded_;
}

void Reloader::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto due = [this] { return requested_; };
    if (watch_) {
      wake_.wait_for(lock, stop, options_.interval, due);
    } else {
      wake_.wait(lock, stop, due);
    }
    if (stop.stop_requested()) return;
    if (!std::exchange(requested_, false) && !(watch_ && file_changed())) continue;
    lock.unlock();
    static_cast<void>(reload());
    lock.lock();
  }
}

}  // namespace lichen::serving
