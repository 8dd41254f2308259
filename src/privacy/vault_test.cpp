#include "privacy/vault.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

// ThreadSanitizer links operators of its own, which leave no room for a test's.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LICHEN_OPERATORS_ARE_TAKEN
#endif
#endif

#ifndef LICHEN_OPERATORS_ARE_TAKEN
namespace {

// Looks, while it is told to, into all memory that goes back, for what must have been wiped.
constexpr std::string_view kMark = "unmistakable";
std::atomic<bool> looking = false;
std::atomic<int> seen = 0;

void look_and_free(void* memory) {
  if (memory != nullptr && looking) {
    const std::string_view bytes(static_cast<const char*>(memory), malloc_usable_size(memory));
    if (bytes.find(kMark) != std::string_view::npos) ++seen;
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = std::calloc(1, size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::calloc(1, size);  // which libraries free by the `operator delete` below, too
}
void operator delete(void* memory) noexcept { look_and_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { look_and_free(memory); }
#endif

namespace lichen::privacy {
namespace {

TEST(Vault, NumbersEachKindFromOne) {
  Vault vault;
  EXPECT_EQ(vault.keep(Kind::email, "ann@example.org").placeholder, "[EMAIL_1]");
  EXPECT_EQ(vault.keep(Kind::phone, "555 0100").placeholder, "[PHONE_1]");
  EXPECT_EQ(vault.keep(Kind::email, "bob@example.org").placeholder, "[EMAIL_2]");
}

TEST(Vault, PlaceholdersMayHaveOtherNames) {
  const auto names = PlaceholderNames::with({{Kind::person, "NAME"}});
  ASSERT_TRUE(names);
  Vault vault(*names);
  EXPECT_EQ(vault.keep(Kind::person, "Ann Lee").placeholder, "[NAME_1]");
  EXPECT_EQ(vault.keep(Kind::email, "ann@example.org").placeholder, "[EMAIL_1]");
  ASSERT_NE(vault.find("[name_1]"), nullptr);
  EXPECT_EQ(vault.find("[PERSON_1]"), nullptr);
}

TEST(Vault, TheSameValueHasTheSamePlaceholder) {
  Vault vault;
  vault.keep(Kind::email, "Ann@Example.org");
  EXPECT_EQ(vault.keep(Kind::email, "ANN@example.ORG").placeholder, "[EMAIL_1]");
  vault.keep(Kind::phone, "+1 (212) 555-0100");
  EXPECT_EQ(vault.keep(Kind::phone, "001 212 555 0100").placeholder, "[PHONE_1]");
  EXPECT_EQ(vault.keep(Kind::credit_card, "4111 1111 1111 1111").placeholder,
            vault.keep(Kind::credit_card, "4111-1111-1111-1111").placeholder);
  EXPECT_EQ(vault.entries().front().value, "Ann@Example.org") << "as written first";
  EXPECT_EQ(vault.forms().size(), 5U);
}

TEST(Vault, SecretsDifferByCase) {
  Vault vault;
  vault.keep(Kind::secret, "aBc12345");
  EXPECT_EQ(vault.keep(Kind::secret, "abC12345").placeholder, "[SECRET_2]");
}

TEST(Vault, PlaceholdersAreFoundInAnyCase) {
  Vault vault;
  vault.keep(Kind::date_of_birth, "1 May 1970");
  ASSERT_NE(vault.find("[Date_Of_birth_1]"), nullptr);
  EXPECT_EQ(vault.find("[date_of_birth_1]")->value, "1 May 1970");
  EXPECT_EQ(vault.find("[DATE_OF_BIRTH_2]"), nullptr);
  EXPECT_EQ(vault.find("DATE_OF_BIRTH_1"), nullptr);
  EXPECT_TRUE(vault.may_become_placeholder("[dATE_of"));
  EXPECT_FALSE(vault.may_become_placeholder("[DATE_OF_BIRTH_1]x"));
  EXPECT_FALSE(vault.may_become_placeholder("[E"));
}

TEST(Vault, IsNeitherCopiedNorMoved) {
  EXPECT_FALSE(std::is_copy_constructible_v<Vault>);
  EXPECT_FALSE(std::is_move_constructible_v<Vault>);
  EXPECT_FALSE(std::is_copy_assignable_v<Vault>);
}

#ifndef LICHEN_OPERATORS_ARE_TAKEN
TEST(Vault, LeavesNothingInMemory) {
  auto vault = std::make_unique<Vault>();
  looking = true;
  for (int i = 0; i < 200; ++i) {
    // Short ones lie within their owners, long ones have memory of their own.
    char value[80] = {};
    const int size =
        std::snprintf(value, sizeof value, i % 2 == 0 ? "%s%d" : "%s%040d", kMark.data(), i);
    vault->keep(i % 3 == 0 ? Kind::secret : Kind::email,
                std::string_view(value, static_cast<std::size_t>(size)));
    vault->keep(Kind::phone, std::string_view(value, static_cast<std::size_t>(size)));
  }
  vault.reset();
  looking = false;
  EXPECT_EQ(seen, 0);
  // The look itself can fail.
  looking = true;
  {
    const std::string plain = std::string(kMark) + std::string(40, 'x');
  }
  looking = false;
  EXPECT_EQ(seen, 1);
}
#endif

}  // namespace
}  // namespace lichen::privacy
