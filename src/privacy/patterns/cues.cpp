// Words that tell what a number near them is, in some languages.
#include "privacy/patterns/pattern.h"

namespace lichen::privacy {

std::vector<Pattern> built_in_patterns() {
  std::vector<Pattern> patterns;
  add_contact_patterns(patterns);
  add_network_patterns(patterns);
  add_money_patterns(patterns);
  add_identity_patterns(patterns);
  add_place_patterns(patterns);
  add_secret_patterns(patterns);
  return patterns;
}

std::vector<CuePattern> cue_patterns() {
  return {
      {Cue::phone,
       R"((?:\b|_)(?:tele?phones?|phones?|tel|tlf|telf|mobiles?|cell(?:phone|ular)?|fax|hotline|landline|whatsapp|viber|sms|pager|voicemail|desk|office|telefon[oe]?|tel(?:e|é)fono|t(?:e|é)l(?:e|é)phone|portable|m(?:o|ó)vil|celular|cellulare|handy|mobil|rufnummer|telefoon|puhelin|puh|kom(?:o|ó)rka)(?:[ _-]?(?:number|num|no|nr|nummer))?\b)"},
      {Cue::phone,
       R"(\b(?:(?:phone|tel|mobile|cell|fax)Number|call(?:s|ed|ing)?|ring|dial(?:l?ed|l?ing)?|reach|contact|text(?:ed|ing)?|messages?|answering|direct line|my number is|number to (?:call|reach))\b)"},
      {Cue::phone, R"(电话|電話|手机|手機|携帯|전화|телефон|тел\.|моб\.)"},
      {Cue::phone_behind,
       R"(\b(?:phone|tel|mobile|mob|cell|fax|office|home|work|desk|direct|landline|telefax|mobil)\b)"},
      {Cue::card,
       R"(\b(?:cards?|credit|debit|visa|master ?card|amex|american express|maestro|cc|kreditkarten?(?:nummer)?|tarjeta|carte(?: bancaire| bleue)?|carta di credito|cart(?:a|ã)o)\b)"},
      {Cue::bank,
       R"(\b(?:account (?:number|no|nr|#)|acct|account|bank ?account|routing(?: number| no)?|aba|sort ?code|swift(?: code)?|bic|bsb|kontonummer|konto(?:nr)?|blz|bankleitzahl|num(?:e|é)ro de compte|n(?:u|ú)mero de cuenta|clabe|ifsc|rib)\b)"},
      {Cue::ssn, R"(\b(?:ssn|ss#|soc(?:ial)? ?sec(?:urity)?(?: (?:number|no|#))?|itin)\b)"},
      {Cue::national_id,
       R"(\b(?:national (?:id(?:entity)?|identification|insurance)|id(?:entity|entification)?[ -]?(?:card|number|no|nr|code)|(?:tax(?:payer)?|steuer|fiscal)[ -]?(?:id|identification|identifikationsnummer|number|file number|nummer)|tin|nhs|nino|tfn|bsn|burgerservicenummer|steuer-?id|pesel|sin|social insurance|cpf|aadhaar|aadhar|uidai|cpr|personal (?:identity )?(?:number|code)|personnummer|f(?:o|ø)dselsnummer|henkil(?:o|ö)tunnus|hetu|insee|nir|s(?:e|é)curit(?:e|é) sociale|num(?:e|é)ro fiscal|rijksregister(?:nummer)?|registre national|dni|nie|nif|c(?:o|ó)digo? fiscale?|codice fiscale|curp|ahv|avs|my number|rrn|sa id)\b)"},
      {Cue::national_id, R"(マイナンバー|個人番号|身份证|身分證|주민등록번호)"},
      {Cue::passport,
       R"(\b(?:passports?|reisepass(?:nummer)?|passeport|pasaporte|passaporto|passaporte|paspoort|pass(?:nummer|-?nr)))"},
      {Cue::passport, R"(护照|護照|パスポート|여권|паспорт)"},
      {Cue::driver_license,
       R"(\b(?:driv(?:er|ing)(?:'?s|’s)?[ -]?licen[cs]e|licen[cs]e (?:number|no|#)|dl ?(?:number|no|#)|f(?:u|ü)hrerschein(?:nummer)?|permis de conduire|carnet de conducir|patente di guida|rijbewijs(?:nummer)?))"},
      {Cue::birth,
       R"(\b(?:born(?: on| in)?|birth ?(?:day|date)|date of birth|d\.?o\.?b\b\.?|b-?day|geboren(?: am)?|geburts(?:datum|tag)|geb\.|n(?:e|é)e? le|date de naissance|nacid[oa]|fecha de nacimiento|nat[oa] il|data di nascita|nascid[oa]|data de nascimento|f(?:o|ö)delsedatum|f(?:o|ö)dd|f(?:o|ø)dt|f(?:o|ø)dselsdato|geboortedatum|geboren op|urodzon[ya]|data urodzenia|syntynyt))"},
      {Cue::birth, R"(生年月日|出生日期|出生于|생년월일|дата рождения|родил)"},
      {Cue::postal_code,
       R"(\b(?:zip(?:[ -]?code)?|post(?:al)?[ -]?code|plz|postleitzahl|code postal|c(?:o|ó)digo postal|cap|cep|postnummer|postinumero|kod pocztowy|postcode|pin ?code)\b)"},
      {Cue::other,
       R"(\b(?:orders?|invoices?|tickets?|tracking|case|version|release|isbn|issn|sku|serial|model|part|page|chapter|room|build|commit|rfc|bugs?|issue|transactions? id|patent|doi|article|section|port|total|amount|price|quantity|bestellnummer|rechnung|rechnungsnummer|commande|facture|pedido|factura)\b)"},
  };
}

}  // namespace lichen::privacy
