// The virtual keys that open this server: those of the ledger, looked at again every second, so
// that what `lichen keys` or another gateway changes is soon true here.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "ledger/key.h"
#include "ledger/ledger.h"

namespace lichen::serving {

using KeyPtr = std::shared_ptr<const ledger::Key>;

/// Safe to use from any thread; the ledger outlives it.
class KeyRing {
 public:
  explicit KeyRing(ledger::Ledger& ledger);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  /// The key that this text opens; null where there is none or it is not valid any more.
  KeyPtr find(std::string_view text) const;

  // These block, for the disk.

  /// Looks now. Where the ledger cannot be read, the keys stay as they were.
  Result<void> reload();
  /// As the ledger has it. `not_found`: no key has this id.
  Result<ledger::Key> read(const std::string& id) const;
  /// Keeps the key and knows it from now on.
  Result<void> put(const ledger::Key& key);
  /// Changes a key and keeps it: one at a time, so that none undoes another. Returns it as it is
  /// kept.
  Result<ledger::Key> change(const std::string& id, const std::function<void(ledger::Key&)>& edit);

 private:
  using Keys = std::map<std::string, KeyPtr, std::less<>>;  // by id
  void watch();

  ledger::Ledger& ledger_;
  std::mutex changing_;
  std::mutex reading_;  // so that an older state never replaces a newer one

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::shared_ptr<const Keys> keys_ = std::make_shared<Keys>();
  bool stopping_ = false;

  std::thread thread_;  // last: it uses the above
};

}  // namespace lichen::serving
