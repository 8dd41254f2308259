// What a state or a parent gives: identity numbers, passports, licenses, dates of birth.
#include <array>
#include <string>

#include "privacy/checksums.h"
#include "privacy/national_ids.h"
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {
namespace {

bool is_enough_digits(std::string_view text) { return Digits(text).size() >= 5; }

/// A day in numbers, in either order of day and month.
bool is_date(std::string_view text) {
  std::array<std::size_t, 3> parts = {};
  std::size_t part = 0, at = 0;
  while (at < text.size() && part < 3) {
    std::size_t end = at;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end > at) parts[part++] = Digits(text.substr(at, end - at)).number(0, end - at);
    at = end + 1;
  }
  const auto number = [&](std::size_t i) { return static_cast<int>(parts[i]); };
  if (number(0) > 31) return is_day(number(0), number(1), number(2));
  return is_day(number(2), number(1), number(0)) || is_day(number(2), number(0), number(1));
}

void add_national_ids(std::vector<Pattern>& patterns) {
  const auto add = [&](const char* regex, Check check, Cue cue = Cue::none,
                       Kind kind = Kind::national_id) {
    patterns.push_back(
        {.kind = kind, .regex = regex, .check = check, .cue = cue, .sides = Pattern::Sides::alone});
  };
  add(R"(\b\d{3}-\d{2}-\d{4}\b)", if_valid<is_us_ssn>, Cue::none, Kind::us_ssn);
  add(
      R"(\b\d{3}[ -]?\d{2}[ -]?\d{4}\b)", [](std::string_view text) { return text; }, Cue::ssn,
      Kind::us_ssn);

  // Told by their shape and check digits.
  add(R"(\b9\d{2}-\d{2}-\d{4}\b)", if_valid<is_us_itin>);
  add(R"(\b[a-ceghj-prtw-z][a-ceghj-nprtw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b)", if_valid<is_uk_nino>);
  add(R"(\b[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3} ?\d{2}\b)", if_valid<is_french_nir>);
  add(R"(\b(?:\d{8}|[xyz]-?\d{7})-?[a-z]\b)", if_valid<is_spanish_nif>);
  add(R"(\b[a-z]{6}[0-9l-np-v]{2}[abcdehlmprst][0-9l-np-v]{2}[a-z][0-9l-np-v]{3}[a-z]\b)",
      if_valid<is_italian_code>);
  add(R"(\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b)", if_valid<is_belgian_number>);
  add(R"(\b(?:\d{2})?\d{6}[-+]\d{4}\b)", if_valid<is_swedish_number>);
  add(R"(\b\d{6}[-+a-fu-y]\d{3}[0-9a-y]\b)", if_valid<is_finnish_hetu>);
  add(R"(\b\d{6} ?\d{5}\b)", if_valid<is_norwegian_number>);
  add(R"(\b756\.?\d{4}\.?\d{4}\.?\d{2}\b)", if_valid<is_swiss_ahv>);
  add(R"(\b\d{3}\.\d{3}\.\d{3}-\d{2}\b)", if_valid<is_brazilian_cpf>);
  add(R"(\b[a-z]{4}\d{6}[hmx][a-z]{5}[0-9a-z]\d\b)", if_valid<is_mexican_curp>);
  add(R"(\b\d{4} \d{4} \d{4}\b)", if_valid<is_aadhaar>);
  add(R"(\b\d{17}[0-9x]\b)", if_valid<is_chinese_id>);
  add(R"(\b\d{6}-[1-8]\d{6}\b)", if_valid<is_korean_rrn>);
  // India's PAN: the fourth letter says what the holder is.
  patterns.push_back({.kind = Kind::national_id,
                      .regex = R"(\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b)",
                      .match_case = true});

  // Shapes that other numbers share: called an id, too.
  add(R"(\b\d{3}[ -]?\d{3}[ -]?\d{4}\b)", if_valid<is_uk_nhs>, Cue::national_id);
  add(R"(\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b)", if_valid<is_german_tax_id>, Cue::national_id);
  add(R"(\b\d{9}\b)", if_valid<is_dutch_bsn>, Cue::national_id);
  add(R"(\b\d{11}\b)", if_valid<is_belgian_number>, Cue::national_id);
  add(R"(\b\d{11}\b)", if_valid<is_polish_pesel>, Cue::national_id);
  add(R"(\b\d{11}\b)", if_valid<is_brazilian_cpf>, Cue::national_id);
  add(R"(\b\d{6}[ -]?\d{4}\b)", if_valid<is_danish_cpr>, Cue::national_id);
  add(R"(\b\d{3}[ -]?\d{3}[ -]?\d{3}\b)", if_valid<is_canadian_sin>, Cue::national_id);
  add(R"(\b\d{3} ?\d{3} ?\d{3}\b)", if_valid<is_australian_tfn>, Cue::national_id);
  add(R"(\b\d{4}[ -]?\d{4}[ -]?\d{4}\b)", if_valid<is_japanese_number>, Cue::national_id);
  add(R"(\b\d{12}\b)", if_valid<is_aadhaar>, Cue::national_id);
  add(R"(\b\d{13}\b)", if_valid<is_south_african_id>, Cue::national_id);
  // Of a state that is not among these.
  add(R"(\b[a-z]{0,3}-?\d[a-z0-9-]{5,16}\b)", if_valid<is_enough_digits>, Cue::national_id);
}

}  // namespace

void add_identity_patterns(std::vector<Pattern>& patterns) {
  add_national_ids(patterns);

  const auto add = [&](Kind kind, const std::string& regex, Check check, Cue cue) {
    patterns.push_back(
        {.kind = kind, .regex = regex, .check = check, .cue = cue, .sides = Pattern::Sides::alone});
  };
  add(Kind::passport, R"(\b[a-z]{0,3}\d[a-z0-9]{4,9}\b)", if_valid<is_enough_digits>,
      Cue::passport);
  add(Kind::driver_license, R"(\b[a-z]{0,3}[ -]?\d[a-z0-9-]{4,18}\b)", if_valid<is_enough_digits>,
      Cue::driver_license);
  // The United Kingdom's: five of the name, the birth with the sex, initials, check.
  patterns.push_back(
      {.kind = Kind::driver_license,
       .regex = R"(\b[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d{2}[A-Z9]{2}\d[A-Z]{2}\b)",
       .check = [](std::string_view text) { return text.size() == 16 ? text : std::string_view(); },
       .match_case = true});

  const std::string day = R"(\d{1,2}(?:st|nd|rd|th|er|\.|º)?)";
  const std::string month =
      R"((?:jan(?:uary|uar|vier|uari)?|feb(?:ruary|ruar|ruari|rero|braio)?|f(?:e|é)vr(?:ier)?|mar(?:ch|s|zo|(?:c|ç)o)?|m(?:a|ä)rz|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maio|maggio|mei|june?|juni|juin|junio|junho|giugno|july?|juli|juillet|julio|julho|luglio|aug(?:ust|ustus)?|ao(?:u|û)t|agosto|sept?(?:ember|embre|iembre)?|set(?:embro|tembre)|o[ck]t(?:ober|obre|ubre)?|ottobre|outubro|nov(?:ember|embre|iembre|embro)?|de[cz](?:ember)?|d(?:e|é)c(?:embre)?|dic(?:iembre|embre)?|dezembro)\.?)";
  const std::string year = R"((?:19|20)\d{2})";
  const auto whole = [](std::string_view text) { return text; };
  add(Kind::date_of_birth, R"(\b\d{1,2}[./ -]{1,2}\d{1,2}[./ -]{1,2}(?:\d{4}|\d{2})\b)",
      if_valid<is_date>, Cue::birth);
  add(Kind::date_of_birth, R"(\b\d{4}[./-]\d{1,2}[./-]\d{1,2}\b)", if_valid<is_date>, Cue::birth);
  add(Kind::date_of_birth,
      R"(\b)" + day + "(?: of| de| do)? " + month + "(?:,?(?: de)? " + year + R"()?\b)", whole,
      Cue::birth);
  add(Kind::date_of_birth,
      R"(\b)" + month + R"( \d{1,2}(?:st|nd|rd|th)?\b(?:,? )" + year + R"(\b)?)", whole,
      Cue::birth);
  add(Kind::date_of_birth, R"((?:19|20)\d{2}年\d{1,2}月\d{1,2}日)", whole, Cue::birth);
}

}  // namespace lichen::privacy
