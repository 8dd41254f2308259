#include "eval/tasks/messages.h"

#include <cassert>

#include "base/ascii.h"
#include "eval/tasks/calendar.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kName[] = {
    "My name is {v}.", "I am {v}.",        "This is {v} writing.", "{v} here.",
    "Signed, {v}.",    "I am called {v}.", "It is {v} writing.",   "The name is {v}."};
constexpr std::string_view kEmail[] = {"You can reach me at {v}.", "My e-mail address is {v}.",
                                       "Write to me at {v}.",      "Please answer to {v}.",
                                       "My mail is {v}.",          "Send it to {v}.",
                                       "Please write to {v}.",     "You can write to me at {v}."};
constexpr std::string_view kPhone[] = {"My phone number is {v}.", "Call me on {v}.",
                                       "You can call {v}.",       "My number is {v}.",
                                       "Ring me on {v}.",         "I answer the phone on {v}.",
                                       "Please call me on {v}.",  "The phone number is {v}."};
constexpr std::string_view kAddress[] = {
    "I live at {v}.",         "My address is {v}.",
    "Please deliver to {v}.", "Send the parcel to {v}.",
    "Our house is at {v}.",   "You find me at {v}.",
    "The address is {v}.",    "Please send the parcel to {v}."};
constexpr std::string_view kCard[] = {"My card number is {v}.",   "Please charge the card {v}.",
                                      "I paid with card {v}.",    "The card is {v}.",
                                      "Take it from card {v}.",   "Use my card {v}.",
                                      "Please use the card {v}.", "I paid by card, {v}."};
constexpr std::string_view kOrder[] = {"The order is {v}.",           "It is about order {v}.",
                                       "My order number is {v}.",     "I write about {v}.",
                                       "Order {v} has not come.",     "Please look at order {v}.",
                                       "I write about my order {v}.", "Please look up {v}."};
constexpr std::string_view kAmount[] = {
    "I paid {v}.",      "The invoice is over {v}.", "It cost {v}.",        "The price was {v}.",
    "You charged {v}.", "I was billed {v}.",        "The amount was {v}.", "I was charged {v}."};
constexpr std::string_view kCity[] = {"I write from {v}.",        "I am in {v} at the moment.",
                                      "The shop is in {v}.",      "It went to {v}.",
                                      "I ordered from {v}.",      "Our office is in {v}.",
                                      "I write to you from {v}.", "The office is in {v}."};
constexpr std::string_view kDay[] = {"I ordered on {v}.",     "It was on {v}.",
                                     "The visit was on {v}.", "I bought it on {v}.",
                                     "It happened on {v}.",   "We spoke on {v}.",
                                     "It came on {v}.",       "The order was made on {v}."};
constexpr std::string_view kItem[] = {"I want to return the {v}.", "The {v} is broken.",
                                      "I bought a {v}.",           "It is about the {v}.",
                                      "My {v} does not work.",     "I need a new {v}.",
                                      "I want a new {v}.",         "The {v} does not work."};

constexpr std::string_view kOf[] = {"The {n} of {w} is {v}.",
                                    "{w}'s {n} is {v}.",
                                    "{w} has the {n} {v}.",
                                    "For {w}, the {n} is {v}.",
                                    "Do not confuse it with {v}, the {n} of {w}.",
                                    "By the way, {w}'s {n} is {v}.",
                                    "As for {w}, the {n} is {v}.",
                                    "{v} is the {n} of {w}."};

/// They ask and say nothing, so the splits share them: a long text would repeat a few otherwise.
constexpr std::string_view kTalk[] = {"I hope you are well.",
                                      "Thank you for your help.",
                                      "The weather is fine here.",
                                      "Please answer soon.",
                                      "I look forward to your reply.",
                                      "It was a long week.",
                                      "Sorry for the trouble.",
                                      "We met last year.",
                                      "The parcel was well packed.",
                                      "Your shop is nice.",
                                      "I have been waiting for a while.",
                                      "Nobody told me anything.",
                                      "Please tell me what to do.",
                                      "I would be glad about an answer.",
                                      "My dog likes the box.",
                                      "I hope this helps.",
                                      "Have a nice day.",
                                      "Please let me know.",
                                      "Thank you for your patience.",
                                      "I look forward to your answer.",
                                      "Sorry for the long mail.",
                                      "The weather is bad here.",
                                      "Please tell me soon.",
                                      "I hope to hear from you."};

Phrasings phrasings_for(std::string_view key) {
  struct Row {
    std::string_view key;
    Phrasings phrasings;
  };
  static constexpr Row kRows[] = {{"name", kName},       {"email", kEmail}, {"phone", kPhone},
                                  {"address", kAddress}, {"card", kCard},   {"order", kOrder},
                                  {"amount", kAmount},   {"city", kCity},   {"date", kDay},
                                  {"item", kItem}};
  for (const auto& row : kRows) {
    if (row.key == key) return row.phrasings;
  }
  assert(false);
  return {};
}

/// An address out of a name: ASCII letters only.
std::string email_of(Random& random, std::string_view name) {
  constexpr std::string_view kHosts[] = {"mail.com", "post.org", "corp.net", "home.io", "web.eu"};
  std::string out;
  for (const char c : lowercase(name)) {
    if (c == ' ') out += '.';
    if (base::is_lower(c)) out += c;
  }
  if (random.chance(30)) out += text(random.between(1, 99));
  return out.append("@").append(random.pick(kHosts));
}

std::string card_number(Random& random) {
  std::string out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out += ' ';
    out += padded(random.below(10'000), 4);
  }
  return out;
}

}  // namespace

std::vector<Detail> random_details(Random& random) {
  constexpr std::string_view kStreets[] = {"Oak Street",  "Mill Lane",     "Station Road",
                                           "Park Avenue", "Church Street", "Hill Road",
                                           "River Lane",  "Garden Street"};
  // One statement each: the order in which random numbers are drawn must not depend on a compiler.
  std::vector<Detail> details;
  const auto name = full_name(random);
  details.push_back({"name", "name", "NAME", name});
  details.push_back({"email", "e-mail address", "EMAIL", email_of(random, name)});
  const int country = random.between(1, 99);
  const int area = random.between(100, 999);
  const int number = random.between(1'000, 9'999);
  details.push_back({"phone", "phone number", "PHONE", text("+", country, "-", area, "-", number)});
  const int house = random.between(1, 199);
  details.push_back({"address", "address", "ADDRESS", text(house, " ", random.pick(kStreets))});
  details.push_back({"card", "card number", "CARD", card_number(random)});
  details.push_back({"order", "order number", "", text("ORD-", random.between(10'000, 99'999))});
  const int euros = random.between(5, 2'999);
  details.push_back(
      {"amount", "amount", "", text(euros, ".", padded(random.below(100), 2), " EUR")});
  details.push_back({"city", "city", "", std::string(random.pick(kCities))});
  const Date day = date_of(random.between(18'000, 23'000));
  details.push_back({"date", "date", "", iso(day)});
  details.push_back({"item", "item", "", std::string(random.pick(kObjects))});
  return details;
}

std::string tell(Maker& maker, const Detail& detail) {
  return say(maker.random, phrasings_for(detail.key), {{"v", detail.value}});
}

std::string tell_of(Maker& maker, std::string_view who, const Detail& detail) {
  return say(maker.random, kOf, {{"w", who}, {"n", detail.noun}, {"v", detail.value}});
}

std::string small_talk(Maker& maker) { return std::string(maker.random.pick(kTalk)); }

}  // namespace lichen::eval::tasks
