// Numbers that states give to persons: shape is told by a pattern, these check what patterns
// cannot. Each takes the number as written, with its separators. Sources: the issuing offices'
// published rules, as gathered in python-stdnum's documentation, against which they were compared.
#pragma once

#include <string_view>

namespace lichen::privacy {

bool is_us_ssn(std::string_view text);            // areas, groups and serials that are given out
bool is_us_itin(std::string_view text);           // 9XX-[50-65, 70-88, 90-92, 94-99]-XXXX
bool is_uk_nino(std::string_view text);           // prefixes that are not used
bool is_uk_nhs(std::string_view text);            // 10 digits, mod 11
bool is_german_tax_id(std::string_view text);     // 11 digits, MOD 11,10, one digit repeated
bool is_french_nir(std::string_view text);        // 13 + key of 97
bool is_spanish_nif(std::string_view text);       // DNI and NIE, letter by mod 23
bool is_italian_code(std::string_view text);      // codice fiscale, its last letter
bool is_dutch_bsn(std::string_view text);         // 9 digits, the test by 11
bool is_belgian_number(std::string_view text);    // 11 digits, mod 97 for either century
bool is_polish_pesel(std::string_view text);      // 11 digits, mod 10
bool is_swedish_number(std::string_view text);    // birth date and Luhn
bool is_finnish_hetu(std::string_view text);      // birth date and mod 31
bool is_danish_cpr(std::string_view text);        // birth date; check digits ended in 2007
bool is_norwegian_number(std::string_view text);  // two digits by mod 11
bool is_swiss_ahv(std::string_view text);         // 756 and EAN-13
bool is_brazilian_cpf(std::string_view text);     // two digits by mod 11
bool is_mexican_curp(std::string_view text);      // digit by mod 10
bool is_canadian_sin(std::string_view text);      // 9 digits, Luhn
bool is_australian_tfn(std::string_view text);    // 9 digits, mod 11
bool is_aadhaar(std::string_view text);           // 12 digits, Verhoeff
bool is_chinese_id(std::string_view text);        // birth date and MOD 11-2
bool is_japanese_number(std::string_view text);   // My Number: 12 digits, mod 11
bool is_korean_rrn(std::string_view text);        // birth date; check digits ended in 2020
bool is_south_african_id(std::string_view text);  // birth date and Luhn

}  // namespace lichen::privacy
