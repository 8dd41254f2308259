// Names and things that tasks speak of.
#pragma once

#include <string>
#include <string_view>

#include "eval/tasks/random.h"

namespace lichen::eval::tasks {

/// Women's and men's names in turn: see is_woman.
inline constexpr std::string_view kFirstNames[] = {
    "Ada",  "Ben",  "Cleo", "Dan",    "Eva",  "Finn",  "Gia",  "Hugo",  "Iris",  "Jack",
    "Kara", "Liam", "Mona", "Nico",   "Olga", "Paul",  "Rosa", "Sam",   "Tina",  "Quin",
    "Uma",  "Walt", "Vera", "Amir",   "Xena", "Carl",  "Yara", "Emil",  "Bella", "Gus",
    "Dina", "Ivan", "Fay",  "Karl",   "Hana", "Milo",  "Jana", "Otto",  "Lena",  "Ralf",
    "Nora", "Theo", "Pia",  "Viktor", "Sara", "Yusuf", "Ursa", "Anton", "Wanda", "Erik"};
inline constexpr std::string_view kLastNames[] = {
    "Stone",  "Rivers", "Woods",  "Field", "Hill",     "Marsh",  "Lake",  "Brook",
    "Forest", "Glen",   "Moor",   "Vale",  "Reed",     "Frost",  "Snow",  "Storm",
    "West",   "North",  "Müller", "Novák", "Sørensen", "García", "Kowal", "Bianchi",
    "Okafor", "Tanaka", "Haddad", "Silva", "Dubois",   "Larsen"};
inline constexpr std::string_view kGoods[] = {
    "apples",  "pens",    "books",   "cups",    "tickets",   "lamps",  "chairs",  "coins",
    "stamps",  "shells",  "cards",   "plates",  "boxes",     "keys",   "bottles", "pears",
    "ribbons", "candles", "marbles", "buttons", "notebooks", "spoons", "eggs",    "bricks"};
inline constexpr std::string_view kWords[] = {
    "apple",   "river",   "stone",  "cloud",  "tiger",  "maple",  "ocean",  "candle", "forest",
    "bridge",  "garden",  "silver", "window", "rocket", "planet", "violin", "anchor", "basket",
    "copper",  "desert",  "eagle",  "falcon", "ginger", "harbor", "island", "jungle", "kettle",
    "lemon",   "mirror",  "nectar", "orange", "pepper", "quartz", "ribbon", "saddle", "timber",
    "urchin",  "velvet",  "walnut", "zebra",  "acorn",  "beacon", "canyon", "dragon", "ember",
    "feather", "glacier", "hammer", "ivory",  "jacket", "ladder", "magnet", "needle", "onion",
    "parrot",  "rabbit",  "shadow", "temple", "valley", "winter", "yellow", "button", "carpet",
    "dinner",  "engine",  "flower", "guitar", "helmet", "insect", "jigsaw", "kitten", "lantern",
    "market",  "napkin",  "oyster", "pencil", "quiver", "rudder", "spider", "tunnel"};
inline constexpr std::string_view kAnimals[] = {"cat",   "dog",   "horse", "owl",  "fox",   "bear",
                                                "goat",  "duck",  "mouse", "wolf", "sheep", "crow",
                                                "otter", "snake", "frog",  "lion"};
inline constexpr std::string_view kFruit[] = {
    "plum", "cherry", "fig",     "grape",  "peach",  "mango",   "kiwi",   "melon",
    "lime", "pear",   "currant", "quince", "banana", "apricot", "papaya", "guava"};
inline constexpr std::string_view kTools[] = {
    "saw",    "drill", "chisel",  "wrench", "pliers", "axe",    "rake",   "spade",
    "hammer", "clamp", "crowbar", "shovel", "ruler",  "mallet", "trowel", "vise"};
inline constexpr std::string_view kColours[] = {"red",    "blue",  "green", "white", "black",
                                                "yellow", "brown", "grey",  "pink",  "purple"};
inline constexpr std::string_view kRooms[] = {"kitchen", "office", "garden",   "garage", "lab",
                                              "library", "cellar", "attic",    "hall",   "porch",
                                              "bedroom", "studio", "workshop", "pantry"};
inline constexpr std::string_view kObjects[] = {
    "mug",  "book",   "plant", "box",   "lamp", "cup",  "toolkit", "bag",
    "tray", "parcel", "map",   "radio", "ball", "coat", "vase",    "clock"};
inline constexpr std::string_view kCities[] = {
    "Paris",   "Rome",   "Oslo",   "Lima",   "Cairo",  "Tokyo",  "Delhi",    "Quito",  "Accra",
    "Dublin",  "Vienna", "Prague", "Lisbon", "Madrid", "Berlin", "Warsaw",   "Athens", "Helsinki",
    "Nairobi", "Havana", "Zürich", "Málaga", "Kyiv",   "Seoul",  "Montréal", "Geneva"};
inline constexpr std::string_view kWeekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                 "Friday", "Saturday", "Sunday"};
inline constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                               "May",       "June",     "July",     "August",
                                               "September", "October",  "November", "December"};

bool is_woman(std::string_view first_name);

inline std::string_view first_name(Random& random) { return random.pick(kFirstNames); }
inline std::string full_name(Random& random) {
  return std::string(first_name(random)).append(" ").append(random.pick(kLastNames));
}

/// A made-up word of that many syllables that can be spoken, small letters.
std::string invented_word(Random& random, int syllables);

}  // namespace lichen::eval::tasks
