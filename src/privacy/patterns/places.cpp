// Postal addresses as far as their form tells them, and postal codes.
#include <string>

#include "privacy/patterns/pattern.h"
#include "privacy/patterns/street.h"

namespace lichen::privacy {

void add_place_patterns(std::vector<Pattern>& patterns) {
  const auto add = [&](const std::string& regex, Grow grow, bool match_case = true) {
    patterns.push_back(
        {.kind = Kind::address, .regex = regex, .grow = grow, .match_case = match_case});
  };
  const std::string number = R"(\d{1,5}[A-Za-z]?\b)";
  // 221B Baker Street, and its relatives: a number, a name, a kind of street.
  // The point behind a kind in full ends a sentence.
  add(R"( (?:(?:Street|Avenue|Road|Boulevard|Lane|Drive|Court|Square|Place|Terrace|Way|Parkway|Highway|Circle|Trail|Crescent|Close|Row|Mews|Gardens|Hill|Quay|Loop|Alley|Plaza|Path|Grove|Ridge|Bend|Crossing|Esplanade|Parade)\b|(?:St|Ave|Av|Rd|Blvd|Ln|Dr|Ct|Sq|Pl|Ter|Pkwy|Hwy|Cir|Cres)\b\.?))",
      number_name_kind);
  // Hauptstraße 5, Storgatan 12, Mannerheimintie 3: name and kind in one word, the number behind.
  add(R"((?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|damm|ufer|gata|gatan|gade|vej|veien|vegen|vägen|gränd|torget|straat|laan|plein|gracht|kade|katu|tie|kuja|polku) )" +
          number,
      name_kind_number);
  // Villacher Strasse 89, Erzsébet tér 19
  add(R"( (?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|u\.|utca|út|útja|tér|körút|gate|gata|vei|väg|tie|terrasse) )" +
          number,
      name_kind_number);
  // 9 rue de la Paix, Via Roma 131, Calle Mayor 3: the kind first.
  add(R"(\b(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]d|[Cc]hemin|[Pp]lace|[Aa]ll(?:e|é)e|[Qq]uai|[Ii]mpasse|[Cc]ours|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Vv]icolo|[Ll]argo|[Cc]alle|[Aa]venida|[Aa]vda\.|[Pp]aseo|[Pp]laza|[Cc]arrer|[Rr]ua|[Tt]ravessa|[Pp]ra(?:c|ç)a|[Uu]l\.|[Uu]lica|[Aa]l\.|[Oo]d(?:o|ó)s) )",
      kind_name);
  // Boxes, of armies as well, and what a line of an address has besides the street.
  add(R"(\b(?:P\.? ?O\.? ?Box|Postfach|Postbox|Boîte postale|Apartado|Casella postale|Postbus) ?\d{1,7}\b)",
      with_town, false);
  add(R"(\b(?:(?:PSC|Unit|CMR) \d{1,5},? ?Box \d{1,6}|USN?S \w{2,20})[,\s]{1,3}(?:APO|FPO|DPO)[,\s]{1,2}A[AEP] \d{5}\b)",
      nullptr, false);
  add(R"(\b(?:Apt|Apartment|Suite|Ste)\.? #?\d{1,5}[A-Z]?\b)", nullptr, false);

  const auto add_code = [&](const std::string& regex, Cue cue, bool match_case) {
    patterns.push_back({.kind = Kind::postal_code,
                        .regex = regex,
                        .cue = cue,
                        .sides = Pattern::Sides::alone,
                        .match_case = match_case});
  };
  // The United Kingdom, Canada, and the United States with the state.
  add_code(R"(\b(?:[A-PR-UWYZ][A-HK-Y]?\d[A-HJKMNP-Y\d]? \d[ABD-HJLNP-UW-Z]{2}|GIR 0AA)\b)",
           Cue::none, true);
  add_code(R"(\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d\b)", Cue::none, true);
  add_code(
      R"(\b(?:A[KLPRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]) \d{5}(?:-\d{4})?\b)",
      Cue::none, true);
  add_code(
      R"(\b(?:\d{3,6}(?:[ -]\d{2,4})?(?: [a-z]{2})?|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|[a-z]{2}-\d{4,5})\b)",
      Cue::postal_code, false);
}

}  // namespace lichen::privacy
