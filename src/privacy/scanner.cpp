#include "privacy/scanner.h"

#include <hs.h>

#include <cstdlib>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "privacy/kept_database.h"

namespace lichen::privacy {
namespace {

struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};
using Scratch = std::unique_ptr<hs_scratch_t, FreeScratch>;

struct FreeDatabase {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, FreeDatabase>;

struct FreeCompileError {
  void operator()(hs_compile_error_t* error) const { hs_free_compile_error(error); }
};

int pass_on(unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context) {
  (*static_cast<const Scanner::OnMatch*>(context))(id, from, to);
  return 0;
}

Error trouble(const char* what, hs_error_t code) {
  return {Errc::internal, std::string("Vectorscan cannot ") + what + " (code " +
                              std::to_string(code) + ")" +
                              (code == HS_NOMEM ? ": out of memory" : "")};
}

unsigned flags_of(const Expression& expression) {
  return (expression.ends_only ? 0 : HS_FLAG_SOM_LEFTMOST) | (expression.utf8 ? HS_FLAG_UTF8 : 0) |
         (expression.match_case ? 0 : HS_FLAG_CASELESS);
}

Result<Database> compile_database(std::span<const Expression> expressions) {
  std::vector<const char*> regexes;
  std::vector<unsigned> flags, ids;
  for (const Expression& expression : expressions) {
    regexes.push_back(expression.regex.c_str());
    flags.push_back(flags_of(expression));
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto code =
      hs_compile_multi(regexes.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                       HS_MODE_BLOCK, nullptr, &database, &error);
  const std::unique_ptr<hs_compile_error_t, FreeCompileError> reason(error);
  if (code == HS_SUCCESS) return Database(database);
  std::string detail = "Vectorscan refuses ";
  detail += reason->expression >= 0
                ? "expression " + std::to_string(reason->expression) + " (" +
                      expressions[static_cast<std::size_t>(reason->expression)].regex + ")"
                : "the expressions";
  return fail(Errc::internal, detail + ": " + reason->message);
}

/// All that a compiled database depends on: the library, this CPU, and each expression.
std::string subject_of(std::span<const Expression> expressions) {
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  std::string subject = std::string(hs_version()) + "/" + std::to_string(platform.tune) + "/" +
                        std::to_string(platform.cpu_features) + "/" + std::to_string(HS_MODE_BLOCK);
  for (const Expression& expression : expressions) {
    subject += "\n" + std::to_string(flags_of(expression)) + ":" +
               std::to_string(expression.regex.size()) + ":" + expression.regex;
  }
  return subject;
}

/// Null where there is none that this library and CPU can use.
Database read_database(const KeptDatabase& kept) {
  const std::string bytes = kept.read();
  hs_database_t* database = nullptr;
  if (bytes.empty() ||
      hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) {
    return nullptr;
  }
  return Database(database);
}

void keep_database(const hs_database_t* database, const KeptDatabase& kept) {
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) return;
  const std::unique_ptr<char, decltype(&std::free)> owned(bytes, &std::free);
  kept.write({bytes, size});
}

Result<Database> open_database(std::span<const Expression> expressions,
                               const std::filesystem::path& folder) {
  if (folder.empty()) return compile_database(expressions);
  const KeptDatabase kept(folder, subject_of(expressions));
  if (Database database = read_database(kept)) return database;
  Result<Database> database = compile_database(expressions);
  if (database) keep_database(database->get(), kept);
  return database;
}

}  // namespace

struct Scanner::Compiled {
  Database database;  // null: nothing is looked for
  Scratch first;      // is only cloned

  std::mutex mutex;
  std::vector<Scratch> idle;  // guarded by mutex

  Result<Scratch> borrow() {
    {
      const std::scoped_lock lock(mutex);
      if (!idle.empty()) {
        Scratch scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
      }
    }
    hs_scratch_t* scratch = nullptr;
    if (const auto code = hs_clone_scratch(first.get(), &scratch); code != HS_SUCCESS) {
      return std::unexpected(trouble("make room to scan", code));
    }
    return Scratch(scratch);
  }

  void give_back(Scratch scratch) {
    const std::scoped_lock lock(mutex);
    idle.push_back(std::move(scratch));
  }
};

Scanner::Scanner(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Scanner::~Scanner() = default;
Scanner::Scanner(Scanner&&) noexcept = default;
Scanner& Scanner::operator=(Scanner&&) noexcept = default;

Result<Scanner> Scanner::compile(std::span<const Expression> expressions,
                                 const std::filesystem::path& folder) {
  if (hs_valid_platform() != HS_SUCCESS) {
    return fail(Errc::unsupported,
                "this CPU cannot look for private values: Vectorscan needs SSE4.2 (x86) or NEON");
  }
  auto compiled = std::make_unique<Compiled>();
  if (expressions.empty()) return Scanner(std::move(compiled));  // Vectorscan refuses none
  Result<Database> database = open_database(expressions, folder);
  if (!database) return std::unexpected(database.error());
  compiled->database = *std::move(database);
  hs_scratch_t* scratch = nullptr;
  if (const auto failed = hs_alloc_scratch(compiled->database.get(), &scratch);
      failed != HS_SUCCESS) {
    return std::unexpected(trouble("make room to scan", failed));
  }
  compiled->first.reset(scratch);
  return Scanner(std::move(compiled));
}

Result<void> Scanner::scan(std::string_view text, const OnMatch& on_match) const {
  if (text.size() > std::numeric_limits<unsigned>::max()) {
    return fail(Errc::too_large, "a text of " + std::to_string(text.size()) +
                                     " bytes cannot be looked through; the most is 4 GiB");
  }
  if (text.empty() || compiled_->database == nullptr) return {};
  auto scratch = compiled_->borrow();
  if (!scratch) return std::unexpected(scratch.error());
  const auto code =
      hs_scan(compiled_->database.get(), text.data(), static_cast<unsigned>(text.size()), 0,
              scratch->get(), pass_on, const_cast<OnMatch*>(&on_match));
  compiled_->give_back(*std::move(scratch));
  if (code != HS_SUCCESS) return std::unexpected(trouble("scan", code));
  return {};
}

}  // namespace lichen::privacy
