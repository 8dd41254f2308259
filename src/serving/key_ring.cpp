#include "serving/key_ring.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "ledger/key_secret.h"

namespace lichen::serving {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

KeyRing::KeyRing(ledger::Ledger& ledger) : ledger_(ledger) {
  if (auto read = reload(); !read) {
    spdlog::error("keys cannot be read, so none is let in: {}", read.error().detail);
  }
  thread_ = std::thread([this] { watch(); });
}

KeyRing::~KeyRing() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void KeyRing::watch() {
  bool read = true;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kInterval, [this] { return stopping_; })) {
    lock.unlock();
    const auto reread = reload();
    if (read && !reread) spdlog::warn("keys stay as they were: {}", reread.error().detail);
    read = reread.has_value();
    lock.lock();
  }
}

KeyPtr KeyRing::find(std::string_view text) const {
  const auto id = ledger::key_id(text);
  if (!id) return nullptr;
  std::shared_ptr<const Keys> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = keys_;
  }
  const auto found = keys->find(*id);
  if (found == keys->end() || !ledger::opens(*found->second, text)) return nullptr;
  return ledger::valid(*found->second, std::chrono::system_clock::now()) ? found->second : nullptr;
}

Result<void> KeyRing::reload() {
  const std::lock_guard lock(reading_);
  auto read = ledger_.keys();
  if (!read) return std::unexpected(read.error());
  auto keys = std::make_shared<Keys>();
  for (ledger::Key& key : *read) {
    std::string id = key.id;
    keys->emplace(std::move(id), std::make_shared<const ledger::Key>(std::move(key)));
  }
  const std::lock_guard swap(mutex_);
  keys_ = std::move(keys);
  return {};
}

Result<ledger::Key> KeyRing::read(const std::string& id) const {
  const auto keys = ledger_.keys();
  if (!keys) return std::unexpected(keys.error());
  const auto found = std::ranges::find(*keys, id, &ledger::Key::id);
  if (found == keys->end()) return fail(Errc::not_found, "there is no key " + id);
  return *found;
}

Result<void> KeyRing::put(const ledger::Key& key) {
  if (Result<void> kept = ledger_.put(key); !kept) return kept;
  return reload();
}

Result<ledger::Key> KeyRing::change(const std::string& id,
                                    const std::function<void(ledger::Key&)>& edit) {
  const std::lock_guard lock(changing_);
  Result<ledger::Key> key = read(id);
  if (!key) return key;
  edit(*key);
  if (Result<void> kept = put(*key); !kept) return std::unexpected(kept.error());
  return key;
}

}  // namespace lichen::serving
