#include "privacy/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace lichen::privacy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Detector& detector() {
  static const auto made = Detector::make({});
  EXPECT_TRUE(made) << made.error().detail;
  return *made;
}

/// "KIND:value" of each span.
std::vector<std::string> found(std::string_view text, const Detector& by = detector()) {
  const auto spans = by.find(text);
  EXPECT_TRUE(spans) << spans.error().detail;
  std::vector<std::string> found;
  for (const Span& span : *spans) {
    found.push_back(std::string(name_of(span.kind)) + ":" + std::string(span.in(text)));
  }
  return found;
}

TEST(Detector, Emails) {
  EXPECT_THAT(found("Write to ann.o'neil+x@mail.example.co.uk."),
              ElementsAre("EMAIL:ann.o'neil+x@mail.example.co.uk"));
  EXPECT_THAT(found("mailto:Bob@Example.ORG, <eve@xn--bcher-kva.example>"),
              ElementsAre("EMAIL:Bob@Example.ORG", "EMAIL:eve@xn--bcher-kva.example"));
  EXPECT_THAT(found("jürgen@müller.example"), ElementsAre("EMAIL:jürgen@müller.example"));
  EXPECT_THAT(found("ann [at] example [dot] org"), ElementsAre("EMAIL:ann [at] example [dot] org"));
  EXPECT_THAT(found("a@b and @home and me @ work"), IsEmpty());
}

TEST(Detector, PhonesByTheirForm) {
  for (const char* number :
       {"+1 212 555 0100", "+44 (0)20 7946 0018", "+49-30-1234567", "0049 30 1234567",
        "(212) 555-0100", "212-555-0100", "212.555.0100", "1-800-555-0199", "+12125550100",
        "212-555-0100 ext. 12", "01 42 68 53 00", "030 1234 5678", "(011) 4567-8901",
        "+852 5555 0184", "020 7946 0018"}) {
    EXPECT_THAT(found(std::string("It is ") + number + ", right?"),
                ElementsAre(std::string("PHONE:") + number));
  }
}

TEST(Detector, PhonesByTheWordsNearThem) {
  EXPECT_THAT(found("My phone: 555 0184"), ElementsAre("PHONE:555 0184"));
  EXPECT_THAT(found("Tel. 5550184"), ElementsAre("PHONE:5550184"));
  EXPECT_THAT(found("{\"phone_number\": \"55 50 184\"}"), ElementsAre("PHONE:55 50 184"));
  EXPECT_THAT(found("555 0184 (office), 555 0185-Fax"),
              ElementsAre("PHONE:555 0184", "PHONE:555 0185"));
  EXPECT_THAT(found("phones: 555 0184, 555 0185, 555 0186, 555 0187, 555 0188, 555 0189"),
              ElementsAre("PHONE:555 0184", "PHONE:555 0185", "PHONE:555 0186", "PHONE:555 0187",
                          "PHONE:555 0188", "PHONE:555 0189"));
  EXPECT_THAT(found("There are 555 0184 of them"), IsEmpty());
  EXPECT_THAT(found("call me about order 5550184"), IsEmpty());
  EXPECT_THAT(found("call me on 12-03-2024"), IsEmpty());
}

TEST(Detector, Cards) {
  EXPECT_THAT(found("4111 1111 1111 1111"), ElementsAre("CREDIT_CARD:4111 1111 1111 1111"));
  EXPECT_THAT(found("x 4111-1111-1111-1111 y"), ElementsAre("CREDIT_CARD:4111-1111-1111-1111"));
  EXPECT_THAT(found("12 4111111111111111"), ElementsAre("CREDIT_CARD:4111111111111111"));
  EXPECT_THAT(found("3782 822463 10005"), ElementsAre("CREDIT_CARD:3782 822463 10005"));
  EXPECT_THAT(found("it is 4111111111111112 here"), IsEmpty()) << "a wrong check digit";
  EXPECT_THAT(found("my card 4111111111111112"), ElementsAre("CREDIT_CARD:4111111111111112"))
      << "called a card";
  EXPECT_THAT(found("41111111111111111111111"), IsEmpty()) << "too long";
}

TEST(Detector, BankAccounts) {
  EXPECT_THAT(found("GB82 WEST 1234 5698 7654 32 and more"),
              ElementsAre("IBAN:GB82 WEST 1234 5698 7654 32"));
  EXPECT_THAT(found("de89370400440532013000"), ElementsAre("IBAN:de89370400440532013000"));
  EXPECT_THAT(found("DE88370400440532013000"), IsEmpty());
  EXPECT_THAT(found("GB82 WEST 1234 5698 7654"), IsEmpty()) << "shorter than its country's";
  EXPECT_THAT(found("Account number: 12345678, sort code 12-34-56"),
              ElementsAre("BANK_ACCOUNT:12345678", "BANK_ACCOUNT:12-34-56"));
}

TEST(Detector, SocialSecurityNumbers) {
  EXPECT_THAT(found("725-23-5818"), ElementsAre("US_SSN:725-23-5818"));
  EXPECT_THAT(found("SSN 725235818"), ElementsAre("US_SSN:725235818"));
  EXPECT_THAT(found("725235818"), IsEmpty());
  EXPECT_THAT(found("1725-23-58189"), IsEmpty());
}

TEST(Detector, NationalIds) {
  for (const char* number : {"104052B37929106", "Y0025228B", "200692-377M", "12119148128",
                             "057.481.896-07", "671216-6658", "CLTTLR94D23H501B",
                             "110101198612119816", "756.4892.8488.58", "AB123456C", "AAAPL1234C"}) {
    EXPECT_THAT(found(std::string("x ") + number + " y"),
                ElementsAre(std::string("NATIONAL_ID:") + number));
  }
  EXPECT_THAT(found("BSN 250302342"), ElementsAre("NATIONAL_ID:250302342"));
  EXPECT_THAT(found("there are 250302342"), IsEmpty());
  EXPECT_THAT(found("national ID: 8812-77120"), ElementsAre("NATIONAL_ID:8812-77120"));
}

TEST(Detector, PapersByTheWordsNearThem) {
  EXPECT_THAT(found("passport no. X1234567"), ElementsAre("PASSPORT:X1234567"));
  EXPECT_THAT(found("driver's license number is D1234567"), ElementsAre("DRIVER_LICENSE:D1234567"));
}

TEST(Detector, DatesOfBirth) {
  for (const char* day : {"3/14/1975", "14.03.1975", "1975-03-14", "14 March 1975",
                          "March 14, 1975", "14 mars 1975", "14. März 1975"}) {
    EXPECT_THAT(found(std::string("She was born on ") + day + " there"),
                ElementsAre(std::string("DATE_OF_BIRTH:") + day));
    EXPECT_THAT(found(std::string("The meeting is on ") + day), IsEmpty());
  }
  EXPECT_THAT(found("born on 45/45/1975"), IsEmpty());
  EXPECT_THAT(found("生年月日：1975年3月14日"), ElementsAre("DATE_OF_BIRTH:1975年3月14日"));
}

TEST(Detector, Network) {
  EXPECT_THAT(found("from 192.0.2.17."), ElementsAre("IP_ADDRESS:192.0.2.17"));
  EXPECT_THAT(found("192.0.2.0/24"), ElementsAre("IP_ADDRESS:192.0.2.0/24"));
  EXPECT_THAT(found("1.2.3.4.5 and 300.1.1.1"), IsEmpty());
  EXPECT_THAT(found("2001:db8::8a2e:370:7334 up"),
              ElementsAre("IP_ADDRESS:2001:db8::8a2e:370:7334"));
  EXPECT_THAT(found("at 12:34:56, std::dead::beef"), IsEmpty());
  EXPECT_THAT(found("00:1B:44:11:3A:B7"), ElementsAre("MAC_ADDRESS:00:1B:44:11:3A:B7"));
  EXPECT_THAT(found("(see https://example.org/a_(b)?c=1#d)."),
              ElementsAre("URL:https://example.org/a_(b)?c=1#d)"));
  EXPECT_THAT(found("(see https://example.org/a)."), ElementsAre("URL:https://example.org/a"));
  EXPECT_THAT(found("www.example.org/x, example.com"),
              ElementsAre("URL:www.example.org/x", "URL:example.com"));
  EXPECT_THAT(found("main.py, lib.rs and README.md"), IsEmpty());
}

TEST(Detector, Secrets) {
  for (const char* secret :
       {"sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x", "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE", "xoxb-123456789012-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "postgres://bob:hunter2@db.example.org/x", "q7Zp2KxV9mB4tL8wR3nC6yH1"}) {
    EXPECT_THAT(found(std::string("Use ") + secret + " now"),
                ElementsAre(std::string("SECRET:") + secret));
  }
  EXPECT_THAT(found("password: hunter2."), ElementsAre("SECRET:hunter2"));
  EXPECT_THAT(found("{\"api_key\": \"abcdef-ghijkl\"}"), ElementsAre("SECRET:abcdef-ghijkl"));
  EXPECT_THAT(found("my password is s3cr3t!x, ok"), ElementsAre("SECRET:s3cr3t!x"));
  EXPECT_THAT(found("Authorization: Bearer 0123456789abcdef0123"),
              ElementsAre("SECRET:0123456789abcdef0123"));
  EXPECT_THAT(found("CVV: 123"), ElementsAre("SECRET:123"));
  EXPECT_THAT(found("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIBOgIBAAJBAK\n"
                    "-----END RSA PRIVATE KEY-----\nThat was it."),
              ElementsAre("SECRET:-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
                          "MIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----"));
}

TEST(Detector, NamesOfSecretsAreNone) {
  EXPECT_THAT(found("password: required, token = getToken(1), secret is kept"), IsEmpty());
  EXPECT_THAT(found("AbstractSingletonProxyFactoryBean2Impl42"), IsEmpty());
  EXPECT_THAT(found("d41d8cd98f00b204e9800998ecf8427e is the sum"), IsEmpty());
}

TEST(Detector, Addresses) {
  EXPECT_THAT(found("at 221B Baker Street, London NW1 6XE."),
              ElementsAre("ADDRESS:221B Baker Street, London NW1 6XE"));
  EXPECT_THAT(found("I live at 11 Hill Lane. Please write."), ElementsAre("ADDRESS:11 Hill Lane"));
  EXPECT_THAT(found("it goes to 11 Hill Ln. on Sunday"), ElementsAre("ADDRESS:11 Hill Ln."));
  EXPECT_THAT(found("to 12 Long Hill Road, Apt. 4, Springfield, IL 62704 please"),
              ElementsAre("ADDRESS:12 Long Hill Road, Apt. 4, Springfield, IL 62704"));
  EXPECT_THAT(found("Hauptstraße 5, 10115 Berlin").front(), HasSubstr("ADDRESS:Hauptstraße 5"));
  EXPECT_THAT(found("9 rue de la Paix"), ElementsAre("ADDRESS:9 rue de la Paix"));
  EXPECT_THAT(found("Via Garibaldi 131"), ElementsAre("ADDRESS:Via Garibaldi 131"));
  EXPECT_THAT(found("P.O. Box 149"), ElementsAre("ADDRESS:P.O. Box 149"));
  EXPECT_THAT(found("ZIP: 1386, in CA 94105"),
              ElementsAre("POSTAL_CODE:1386", "POSTAL_CODE:CA 94105"));
  EXPECT_THAT(found("5 days on the road"), IsEmpty());
}

TEST(Detector, ClausesWithoutPrivateValuesStayClean) {
  for (const char* text :
       {"What is 12 + 30?", "In 2019 sales rose by 12.5 % to 1,234,567 units.",
        "Version 1.2.3 of RFC 2119, section 4.5", "for (int i = 0; i < 10; ++i) sum += a[i];",
        "The order 66-1234567 was shipped on 2024-03-12 at 10:30.", "ISBN 978-3-16-148410-0",
        "pi is 3.14159265358979", "It cost $1,299.00 in 1999-2003.",
        "550e8400-e29b-41d4-a716-446655440000"}) {
    EXPECT_THAT(found(text), IsEmpty()) << text;
  }
}

TEST(Detector, OnlyKindsThatAreWanted) {
  const auto made = Detector::make({.kinds = KindSet().set(index_of(Kind::email))});
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(found("ann@example.org, 725-23-5818", *made), ElementsAre("EMAIL:ann@example.org"));
}

TEST(Detector, DictionaryTermsInAnyCaseAsWholeWords) {
  const auto made = Detector::make({.dictionary = {{Kind::person, "Zoë Ångström"},
                                                   {Kind::organization, "C.A.T. (Ltd)"},
                                                   {Kind::location, "北京"},
                                                   {Kind::other, "Blue Heron"}}});
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(found("ZOË ÅNGSTRÖM and zoë\n ångström", *made),
              ElementsAre("PERSON:ZOË ÅNGSTRÖM", "PERSON:zoë\n ångström"));
  EXPECT_THAT(found("c.a.t. (ltd) is not cxaxt. (ltd)", *made),
              ElementsAre("ORGANIZATION:c.a.t. (ltd)"));
  EXPECT_THAT(found("我在北京工作", *made), ElementsAre("LOCATION:北京"));
  EXPECT_THAT(found("blue herons, the blue heron_", *made), IsEmpty());
}

TEST(Detector, ADictionaryThatCannotBeIsAnError) {
  const auto made = Detector::make({.dictionary = {{Kind::person, "x"}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::bad_config);
  EXPECT_EQ(Detector::make({.dictionary = std::vector<Term>(kMostTerms + 1)}).error().code,
            Errc::bad_config);
}

TEST(Detector, TextThatIsNotUtf8IsAnError) {
  const auto spans = detector().find("abc\xFFxyz");
  ASSERT_FALSE(spans);
  EXPECT_EQ(spans.error().code, Errc::bad_request);
  EXPECT_THAT(spans.error().detail, HasSubstr("byte 3"));
  EXPECT_THAT(*detector().find(""), IsEmpty());
}

TEST(Detector, ManyThreadsAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_THAT(found("ann@example.org"), ElementsAre("EMAIL:ann@example.org"));
      }
    });
  }
}

TEST(JoinOverlaps, CoverAllThatWasFoundAndTakeTheLongestsKind) {
  EXPECT_THAT(join_overlaps({{5, 9, Kind::phone}, {0, 6, Kind::url}, {9, 10, Kind::email}}),
              ElementsAre(Span{0, 9, Kind::url}, Span{9, 10, Kind::email}));
  EXPECT_THAT(join_overlaps({{0, 4, Kind::phone}, {0, 4, Kind::secret}}),
              ElementsAre(Span{0, 4, Kind::secret}));
  EXPECT_THAT(join_overlaps({{0, 9, Kind::url}, {2, 5, Kind::email}}),
              ElementsAre(Span{0, 9, Kind::url}));
  EXPECT_THAT(join_overlaps({}), IsEmpty());
}

TEST(Dictionary, LinesWithAndWithoutKinds) {
  const auto terms = parse_dictionary("# ours\n\nPERSON: Ann Lee \r\nblue heron\n", "d.txt");
  ASSERT_TRUE(terms) << terms.error().detail;
  ASSERT_EQ(terms->size(), 2U);
  EXPECT_EQ((*terms)[0].kind, Kind::person);
  EXPECT_EQ((*terms)[0].text, "Ann Lee");
  EXPECT_EQ((*terms)[1].kind, Kind::other);
}

TEST(Dictionary, ErrorsNameTheLine) {
  const auto unknown = parse_dictionary("a b\nPERSN: Ann\n", "d.txt");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().detail, HasSubstr("d.txt:2"));
  EXPECT_THAT(unknown.error().detail, HasSubstr("PERSON"));
  EXPECT_FALSE(parse_dictionary("x", "d.txt"));
  EXPECT_FALSE(parse_dictionary("LITERAL: abc", "d.txt"));
}

TEST(Detector, OfKindsWithoutPatternsFindsNothing) {
  DetectorOptions options{.kinds = KindSet().set(index_of(Kind::person))};
  const auto made = Detector::make(options);
  ASSERT_TRUE(made) << made.error().detail;
  const auto spans = made->find("Ann, ann@example.org");
  ASSERT_TRUE(spans) << spans.error().detail;
  EXPECT_TRUE(spans->empty());
  EXPECT_FALSE(made->find("\xFF"));
}

}  // namespace
}  // namespace lichen::privacy
