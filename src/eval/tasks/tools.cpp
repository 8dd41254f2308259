// From what somebody wants to calls of tools, as JSON.
#include <algorithm>

#include "eval/tasks/families.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kAlarm[] = {"set an alarm for {time}",
                                       "wake me at {time}",
                                       "let my alarm go off at {time}",
                                       "let an alarm wake me at {time}",
                                       "ring the alarm when it is {time}",
                                       "have the alarm clock ring for me at {time}",
                                       "make the alarm go off at {time}",
                                       "make sure that I get up at {time}",
                                       "get me out of bed at {time}",
                                       "get an alarm ready for {time}",
                                       "put an alarm into my clock for {time}",
                                       "put my wake-up call on {time}",
                                       "set my alarm clock on {time}",
                                       "set the clock to {time}, so that it wakes me",
                                       "turn my alarm to {time}",
                                       "wake me up when it is {time}",
                                       "see that I am up at {time}",
                                       "make an alarm at {time}",
                                       "get me up at {time}",
                                       "let the alarm ring at {time}",
                                       "put the alarm on {time}",
                                       "set the alarm to {time}",
                                       "set me an alarm at {time}"};
constexpr std::string_view kCall[] = {"call {contact}",
                                      "ring {contact}",
                                      "give {contact} a call",
                                      "make a phone call with {contact}",
                                      "make the phone dial {contact}",
                                      "start to ring {contact}",
                                      "start a phone line to {contact}",
                                      "get me {contact} on the line",
                                      "get through to {contact} by phone",
                                      "dial the number of {contact}",
                                      "phone the number of {contact}",
                                      "phone through to {contact}",
                                      "put me on the phone with {contact}",
                                      "put a call through to {contact}",
                                      "pick up the phone and ring {contact}",
                                      "let me talk to {contact} on the phone",
                                      "connect me with {contact}",
                                      "use the phone to reach {contact}",
                                      "phone {contact}",
                                      "dial {contact}",
                                      "start a call with {contact}",
                                      "get {contact} on the phone",
                                      "make a call to {contact}",
                                      "start a call to {contact}"};
constexpr std::string_view kLight[] = {"turn {state} the light in the {room}",
                                       "switch the light in the {room} {state}",
                                       "have the {room} light switched {state}",
                                       "have the lamp in the {room} {state}",
                                       "make sure that the light is {state} in the {room}",
                                       "see to it that the {room} light is {state}",
                                       "see that the lamp in the {room} is {state}",
                                       "put {state} the lamp in the {room}",
                                       "put the {room} light {state}",
                                       "get the light in the {room} turned {state}",
                                       "let the light of the {room} be turned {state}",
                                       "turn the {room} light {state}",
                                       "switch the {room} light {state}",
                                       "let the light in the {room} be {state}",
                                       "set the light in the {room} to {state}",
                                       "go to the {room} and turn the light {state}",
                                       "change the light in the {room} to {state}",
                                       "see that the light is {state} in the {room}",
                                       "put the light in the {room} {state}",
                                       "have the light {state} in the {room}",
                                       "have the light in the {room} turned {state}",
                                       "turn the light in the {room} {state}",
                                       "switch {state} the light in the {room}"};
constexpr std::string_view kHeat[] = {"set the heating in the {room} to {degrees} degrees",
                                      "make it {degrees} degrees in the {room}",
                                      "keep the {room} at {degrees} degrees",
                                      "keep it at {degrees} degrees in the {room}",
                                      "bring the heating in the {room} to {degrees} degrees",
                                      "bring the air in the {room} to {degrees} degrees",
                                      "set the {room} heating at {degrees} degrees",
                                      "set {degrees} degrees for the {room}",
                                      "put the {room} on {degrees} degrees",
                                      "put the {room} heating at {degrees} degrees",
                                      "heat up the {room} till it has {degrees} degrees",
                                      "heat the air in the {room} to {degrees} degrees",
                                      "get {degrees} degrees in the {room}",
                                      "get the heating to make {degrees} degrees in the {room}",
                                      "let the {room} have {degrees} degrees",
                                      "turn the heating in the {room} to {degrees} degrees",
                                      "see that the {room} has {degrees} degrees",
                                      "warm the {room} to {degrees} degrees",
                                      "heat the {room} to {degrees} degrees",
                                      "get the {room} to {degrees} degrees",
                                      "keep {degrees} degrees in the {room}",
                                      "bring the {room} to {degrees} degrees",
                                      "set the {room} to {degrees} degrees",
                                      "put the heating in the {room} to {degrees} degrees"};
constexpr std::string_view kMail[] = {"send {contact} a mail with the subject {subject}",
                                      "mail {contact} about {subject}",
                                      "let {contact} get a mail about {subject}",
                                      "let a mail on {subject} go to {contact}",
                                      "have a mail sent to {contact} about {subject}",
                                      "have a mail go to {contact}, subject {subject}",
                                      "write a message to {contact} on {subject}",
                                      "write {contact} some lines about {subject}",
                                      "write and send a mail on {subject} to {contact}",
                                      "send {contact} something about {subject} by mail",
                                      "send a mail on the subject {subject} to {contact}",
                                      "mail something on {subject} to {contact}",
                                      "tell {contact} about {subject} in a mail",
                                      "get a mail about {subject} to {contact}",
                                      "make a mail for {contact} with the subject {subject}",
                                      "drop {contact} a line about {subject}",
                                      "inform {contact} by mail, subject {subject}",
                                      "write a mail to {contact}, subject {subject}",
                                      "send a mail about {subject} to {contact}",
                                      "write to {contact} about {subject}",
                                      "let {contact} have a mail on {subject}",
                                      "write {contact} a mail about {subject}",
                                      "send a mail to {contact} about {subject}"};
constexpr std::string_view kPlay[] = {"play {song} in the {room}",
                                      "start {song} in the {room}",
                                      "get {song} played in the {room}",
                                      "get the music going in the {room}: {song}",
                                      "get me {song} to hear in the {room}",
                                      "have {song} going in the {room}",
                                      "have the song {song} on in the {room}",
                                      "let the {room} hear {song}",
                                      "let {song} be played in the {room}",
                                      "play me {song} in the {room}",
                                      "start the song {song} in the {room}",
                                      "get the {room} to play {song}",
                                      "make the {room} player play {song}",
                                      "put the song {song} on in the {room}",
                                      "put {song} on for the {room}",
                                      "turn on {song} in the {room}",
                                      "play the song {song} for me in the {room}",
                                      "let me hear {song} in the {room}",
                                      "put on {song} in the {room}",
                                      "get {song} going in the {room}",
                                      "have {song} played in the {room}",
                                      "start to play {song} in the {room}",
                                      "let {song} play in the {room}"};
constexpr std::string_view kTimer[] = {"set a timer for {minutes} minutes",
                                       "tell me when {minutes} minutes are over",
                                       "remind me when {minutes} minutes are up",
                                       "remind me after {minutes} minutes",
                                       "make the timer ring in {minutes} minutes",
                                       "make a countdown of {minutes} minutes",
                                       "make a sound in {minutes} minutes",
                                       "start the timer with {minutes} minutes",
                                       "start a countdown of {minutes} minutes",
                                       "start to count {minutes} minutes for me",
                                       "count {minutes} minutes down to zero",
                                       "count down from {minutes} minutes",
                                       "set the timer to {minutes} minutes",
                                       "let a timer run for {minutes} minutes",
                                       "use a timer of {minutes} minutes",
                                       "put {minutes} minutes on the timer",
                                       "let me know in {minutes} minutes",
                                       "start a timer of {minutes} minutes",
                                       "count down {minutes} minutes",
                                       "remind me in {minutes} minutes",
                                       "make me a timer of {minutes} minutes",
                                       "start a timer for {minutes} minutes",
                                       "make a timer of {minutes} minutes"};
constexpr std::string_view kOrder[] = {"order {count} {item}",
                                       "buy {count} {item}",
                                       "give an order of {count} {item} to the shop",
                                       "make sure that {count} {item} are bought",
                                       "make it {count} {item} in my order",
                                       "see to it that {count} {item} are bought",
                                       "see that I get {count} {item}",
                                       "have {count} {item} ordered for me",
                                       "get {count} {item} ordered",
                                       "get the shop to send me {count} {item}",
                                       "buy {count} {item} in the shop for me",
                                       "put an order in for {count} {item}",
                                       "put {count} {item} in my cart",
                                       "lay {count} {item} in the basket",
                                       "fill the basket with {count} {item}",
                                       "add {count} {item} to the order",
                                       "order me {count} {item}",
                                       "place an order of {count} {item}",
                                       "get {count} {item} for me",
                                       "put {count} {item} in the basket",
                                       "get me {count} {item}",
                                       "see that {count} {item} are ordered",
                                       "buy me {count} {item}",
                                       "make an order of {count} {item}"};

constexpr std::string_view kAskCalls[] = {"{wish}.",
                                          "Please {wish}.",
                                          "I want you to {wish}.",
                                          "I need you to {wish} now.",
                                          "Now I want you to {wish}.",
                                          "Which tool call does this need: {wish}?",
                                          "Wanted is a tool call: {wish}.",
                                          "Which tool do you need for this: {wish}?",
                                          "Would you be so good as to {wish}?",
                                          "Be so good and {wish}.",
                                          "It would be kind of you to {wish}.",
                                          "Please be kind and {wish}.",
                                          "Could you please {wish} for me?",
                                          "Assistant, could you {wish}?",
                                          "Dear assistant, please {wish}.",
                                          "My wish, please: {wish}.",
                                          "{wish}, if you can.",
                                          "When you can, {wish}.",
                                          "Assistant, {wish}.",
                                          "Could you {wish}?",
                                          "{wish}, please.",
                                          "Tool call for: {wish}.",
                                          "Be so kind: {wish}.",
                                          "Now {wish}."};
constexpr std::string_view kToolList =
    "Tools: set_alarm(time), call(contact), light(room, state), heat(room, degrees), "
    "send_mail(contact, subject), play(song, room), set_timer(minutes), order(item, count). ";

/// One wish: how it is said, and its call.
struct Wish {
  std::string said;
  std::string call;
};

Wish random_wish(Maker& maker, int tool) {
  Random& random = maker.random;
  const int hour = random.below(24);
  const auto time = text(padded(hour, 2), ":", padded(random.below(12) * 5, 2));
  const auto contact = full_name(random);
  const std::string room(random.pick(kRooms));
  const std::string state = random.chance(50) ? "on" : "off";
  const auto degrees = text(random.between(15, 25));
  const std::string subject(random.pick(kWords));
  const auto song = capitalized(random.pick(kWords));
  const auto minutes = text(random.between(2, 90));
  const auto count = text(random.between(2, 30));
  const std::string item(random.pick(kGoods));
  const auto wish = [&](Phrasings phrasings, std::string call) {
    return Wish{phrase(maker, phrasings,
                       {{"time", time},
                        {"contact", contact},
                        {"room", room},
                        {"state", state},
                        {"degrees", degrees},
                        {"subject", subject},
                        {"song", song},
                        {"minutes", minutes},
                        {"count", count},
                        {"item", item}}),
                "{\"tool\": " + std::move(call) + "}"};
  };
  switch (tool) {
    case 0: return wish(kAlarm, text("\"set_alarm\", \"time\": ", quoted(time)));
    case 1: return wish(kCall, text("\"call\", \"contact\": ", quoted(contact)));
    case 2:
      return wish(kLight,
                  text("\"light\", \"room\": ", quoted(room), ", \"state\": ", quoted(state)));
    case 3:
      return wish(kHeat, text("\"heat\", \"room\": ", quoted(room), ", \"degrees\": ", degrees));
    case 4:
      return wish(kMail, text("\"send_mail\", \"contact\": ", quoted(contact),
                              ", \"subject\": ", quoted(subject)));
    case 5:
      return wish(kPlay, text("\"play\", \"song\": ", quoted(song), ", \"room\": ", quoted(room)));
    case 6: return wish(kTimer, text("\"set_timer\", \"minutes\": ", minutes));
    default:
      return wish(kOrder, text("\"order\", \"item\": ", quoted(item), ", \"count\": ", count));
  }
}

}  // namespace

Task make_tool_call(Maker& maker) {
  Random& random = maker.random;
  constexpr int kToolIds[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const int count = maker.by_level(1, 1, 2, 4);
  const auto tools =
      maker.level == 1 ? std::vector<int>{random.below(4)} : random.draw(kToolIds, count);
  std::vector<std::string> said;
  std::vector<std::string> calls;
  for (const int tool : tools) {
    auto wish = random_wish(maker, tool);
    said.push_back(std::move(wish.said));
    calls.push_back(std::move(wish.call));
  }
  // Said in the order in which they are to be done, or not.
  std::string wish = join(said, ", then ");
  if (maker.level >= 3 && random.chance(40)) {
    wish = text("before you ", said.back(), ", ",
                join(std::vector<std::string>(said.begin(), said.end() - 1), ", then "));
  }
  std::string answer = count == 1 ? calls[0] : text("[", join(calls), "]");
  Task task{.question = capitalized(phrase(maker, kAskCalls, {{"wish", wish}})),
            .answer = answer,
            .check = "json"};
  task.question = std::string(kToolList) + task.question;
  if (count > 1) task.question += " Answer with a list, in order.";
  const auto other = random_wish(maker, tools[0]).call;
  if (other != calls[0]) {
    calls[0] = other;
    task.rivals = {count == 1 ? calls[0] : text("[", join(calls), "]")};
  }
  return task;
}

}  // namespace lichen::eval::tasks
