"""Texts with names, piece by piece: templates with their slots filled, put together and disguised."""

import random
import re
import unicodedata

from entities import HERE, Entities, cap

KINDS = ("PERSON", "ORGANIZATION", "LOCATION", "ADDRESS", "NATIONALITY", "TITLE", "AGE", "DATE")
PERSON, ORGANIZATION, LOCATION, ADDRESS, NATIONALITY, TITLE, AGE, DATE = range(len(KINDS))
HELD_OUT_TEMPLATES = 12  # of so many, one is for validation
LONG = 0.15  # share of texts that are made of several
ASKED = 0.07  # of texts that something is asked about
FORMATS = ("JSON", "JSON", "JSON", "XML", "YAML", "CSV", "HTML", "Markdown", "LaTeX", "SQL", "TOML", "a table",
           "bullet points", "Python", "plain text", "RFC 822", "PDF", "ASCII")
KEYS = ("name", "email", "e-mail address", "address", "phone", "phone number", "card", "card number", "date", "city",
        "company", "title", "amount", "id", "order number", "status", "first_name", "last_name", "zip", "country",
        "subject", "total", "price", "age", "note", "url", "account", "user", "key", "value")

SLOT = re.compile(r"\{([a-zA-Z]+)(\d*)\}")


def parse(template):
    """A list of literal texts and (slot, number) pairs."""
    parts, at = [], 0
    for m in SLOT.finditer(template):
        if m.start() > at:
            parts.append(template[at:m.start()])
        parts.append((m.group(1), m.group(2)))
        at = m.end()
    if at < len(template):
        parts.append(template[at:])
    return parts


def lines_of(name):
    lines = (HERE / "templates" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


LOCALES = {"de": "de", "fr": "fr", "es": "es", "it": "it", "pt": "pt_PT", "nl": "nl", "pl": "pl",
           "sv": "sv", "da": "da", "nb": "nb_NO", "fi": "fi", "tr": "tr", "cs": "cs_CZ", "hu": "hu",
           "ro": "ro", "hr": "hr", "id": "id_ID", "vi": "vi", "ru": "ru", "uk": "uk", "ar": "ar",
           "fa": "fa", "he": "he", "zh": "zh_CN", "ja": "ja", "ko": "ko", "th": "th", "el": "el"}
COUNTRY_LISTS = {"de": "de", "fr": "fr", "es": "es", "it": "it", "pt": "pt_BR", "nl": "nl", "pl": "pl",
                 "ru": "ru"}
MONTHS_ABROAD = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"}
ORGANIZATIONS_ABROAD = {"zh": ["公司", "集团", "银行", "大学", "医院", "科技有限公司", "股份有限公司"],
                        "ja": ["株式会社", "大学", "銀行", "商事", "病院"], "ko": [" 주식회사", "대학교", "은행", "전자"],
                        "ru": [" ООО", " Банк", "строй", "нефть"], "uk": [" ТОВ", " Банк"],
                        "ar": [" للتجارة", " القابضة", " للخدمات"], "he": [' בע"מ'], "fa": [" گستر"],
                        "el": [" Α.Ε."], "th": [" จำกัด"]}


class Writer:
    def __init__(self, lists, seed, validation=False):
        self.rng = random.Random(seed)
        self.e = Entities(lists, self.rng, validation)
        known, words = self.e.known, self.e.words
        self.lists = {name: known[name] for name in
                      ("title", "tech", "job", "field", "rel", "ask", "ask2", "ask3", "social", "color",
                       "label")}
        self.lists |= {"lang": words["language"], "dept": words["department"], "animal": words["animal"],
                       "food": words["food"], "chem": words["chemical"]}
        lemmas = lists["lemmas"]
        self.lemmas = {k: [w for w in lemmas[k] if " " not in w] for k in lemmas}
        self.sentences = [s for s in lists["sentences"] if not re.search(r"\d", s) and len(s) < 160]
        self.titles = words["book"] + words["song"] + words["album"]

        def mine(templates):
            return [parse(t) for i, t in enumerate(templates)
                    if (i % HELD_OUT_TEMPLATES == 7) == validation]

        self.single = mine(lines_of("sentences.txt"))
        self.plain = mine(lines_of("plain.txt"))
        self.requests = mine(line.replace("\\n", "\n") for line in lines_of("requests.txt"))
        self.foreign = [(line[:2], parse(line[3:])) for line in lines_of("foreign.txt")]
        text = (HERE / "templates/documents.txt").read_text(encoding="utf-8")
        self.documents = mine([d.strip("\n") for d in text.split("%%\n")])
        clauses = {}
        for line in lines_of("predicates.txt"):
            if line.startswith("["):
                part = clauses.setdefault(line[1:-1], [])
            else:
                part.append(line)
        self.clauses = {name: mine(lines) for name, lines in clauses.items()}
        self.bound = {}
        self.abroad = None

    # what slots become: (text, kind or None)

    def lemma(self, kind):
        words = self.lemmas[kind]
        return words[int(len(words) * self.rng.random() ** 2)]

    def noun(self, plural=False):
        noun = self.lemma("noun")
        if not plural:
            return noun
        if noun.endswith(("s", "x", "ch", "sh")):
            return noun + "es"
        return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeou" else noun + "s"

    def sentence(self):
        if self.rng.random() < 0.45:
            return self.rng.choice(self.sentences)
        parts = self.fill(self.rng.choice(self.plain), plain=True)
        return "".join(t for t, _ in parts).rstrip(".")

    def persona(self, number):
        if number not in self.bound:
            e = self.e
            if self.abroad in LOCALES and LOCALES[self.abroad] in e.people and self.rng.random() < 0.8:
                parts = e.person_parts(LOCALES[self.abroad])
            else:
                parts = e.person_parts()
            self.bound[number] = parts
        return self.bound[number]

    def organization_abroad(self):
        e, rng = self.e, self.rng
        endings = ORGANIZATIONS_ABROAD.get(self.abroad)
        if not endings or rng.random() < 0.4:
            return e.organization()
        last = e.person_parts(LOCALES[self.abroad])[1]
        town = self.town_abroad()
        ending = rng.choice(endings)
        return rng.choice((last, town)) + ending if rng.random() < 0.8 else ending.strip() + " " + last

    def town_abroad(self):
        code = LOCALES[self.abroad]
        for name, towns in self.e.local_towns.items():
            if name == code and self.rng.random() < 0.7:
                return self.rng.choice(towns)
        if code == "ar":
            return self.rng.choice("القاهرة الرياض جدة دبي بغداد دمشق بيروت عمان الكويت الدوحة تونس الجزائر طنجة مسقط".split())
        if code == "ja":
            return self.rng.choice("東京 大阪 京都 名古屋 札幌 福岡 横浜 神戸 仙台 広島".split())
        if code in ("zh_CN", "th", "ko", "ru", "uk", "he", "fa", "el") and code in self.e.local_towns:
            return self.rng.choice(self.e.local_towns[code])
        return self.e.city()

    def bind(self, slot, number, make):
        if not number:
            return make()
        key = slot + number
        if key not in self.bound:
            self.bound[key] = make()
        return self.bound[key]

    def person_form(self, slot, number):
        e, rng = self.e, self.rng
        if not number:
            if slot == "p":
                if self.abroad:
                    parts = e.person_parts(LOCALES[self.abroad]) if rng.random() < 0.8 else e.person_parts()
                    return e.full_name(parts)
                return e.person()
            if self.abroad and rng.random() < 0.8:
                first, last, _ = e.person_parts(LOCALES[self.abroad])
            else:
                first, last, _ = e.person_parts()
            if slot == "f" and rng.random() < 0.03:
                return f"{first}-{e.person_parts()[0]}" if rng.random() < 0.5 else first[:rng.randint(2, 4)]
            return first if slot == "f" else last
        first, last, _ = parts = self.persona(number)
        if slot == "f":
            return first
        if slot == "l":
            return last
        return self.bind("full", number, lambda: e.full_name(parts))

    def slot(self, slot, number):
        """A list of (text, kind)."""
        e, rng = self.e, self.rng
        if slot in ("p", "f", "l"):
            name = [(self.person_form(slot, number), PERSON)]
            if slot != "f" and not self.abroad and rng.random() < 0.05:
                return [(rng.choice(self.lists["title"]), TITLE), (" ", None)] + name
            return name
        if slot in ("P", "F"):
            return [(self.person_form(slot.lower(), number or "9").upper(), PERSON)]
        if slot == "o":
            make = self.organization_abroad if self.abroad else e.organization
            return [(self.bind("o", number, make), ORGANIZATION)]
        if slot == "c":
            make = self.town_abroad if self.abroad else e.city
            return [(self.bind("c", number, make), LOCATION)]
        if slot == "k":
            code = COUNTRY_LISTS.get(self.abroad)
            make = (lambda: rng.choice(e.countries[code])) if code else e.country
            return [(self.bind("k", number, make), LOCATION)]
        if slot == "g":
            return [(e.region(), LOCATION)]
        if slot == "state":
            return [(self.state(), LOCATION)]
        if slot in ("a", "st"):
            return [(e.address() if slot == "a" else e.street(), ADDRESS)]
        if slot == "z":
            return [(e.postcode(), ADDRESS)]
        if slot == "n":
            return [(e.nationality(), NATIONALITY)]
        if slot == "ns":
            return [(e.nationals(), NATIONALITY)]
        if slot == "t":
            return [(rng.choice(self.lists["title"]), TITLE)]
        if slot == "y":
            return [(self.bind("y", number, e.age), AGE)]
        if slot == "yr":
            return [(e.year(), DATE)]
        if slot == "mo":
            return [(e.month(), DATE)]
        if slot == "wd":
            day = rng.choice(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
            return [(day if rng.random() < 0.9 else day[:3], DATE)]
        if slot == "d":
            if self.abroad in MONTHS_ABROAD:
                month = rng.choice(MONTHS_ABROAD[self.abroad].split())
                dot = "." if self.abroad == "de" else " de" if self.abroad in ("es", "pt") else ""
                return [(f"{rng.randint(1, 28)}{dot} {month}", DATE)]
            return [(e.date(), DATE)]
        return [(self.word(slot, number), None)]

    def word(self, slot, number):
        rng, e = self.rng, self.e
        if slot == "s":
            return self.sentence()
        if slot == "S":
            return cap(self.sentence())
        if slot in ("noun", "Noun", "NOUN", "nouns", "Nouns"):
            word = self.noun(slot.endswith("s"))
            return word.upper() if slot == "NOUN" else cap(word) if slot[0] == "N" else word
        if slot.lower() in ("verb", "adj", "adv"):
            word = self.lemma(slot.lower())
            return cap(word) if slot[0].isupper() else word
        if slot in self.lists:
            return rng.choice(self.lists[slot])
        if slot == "Label":
            label = rng.choice(self.lists["label"])
            return rng.choice((cap(label), cap(label), label.title(), label.upper()))
        if slot == "Job":
            return rng.choice(self.lists["job"]).title()
        if slot == "Food":
            return cap(rng.choice(self.lists["food"]))
        if slot == "Pron":
            return rng.choice(("He", "She"))
        if slot == "prod":
            return " ".join((cap(self.lemma("adj")), rng.choice(e.words["product"]), cap(self.noun())))[:60] \
                if rng.random() < 0.6 else f"{rng.choice('ABCDEFGHKLMNPRSTVXZ')}{rng.randint(1, 9999)} {self.noun()}"
        if slot == "title":
            title = rng.choice(self.titles)
            return rng.choice((f'"{title}"', f"“{title}”", f"'{title}'", title, f"*{title}*", f"_{title}_"))
        if slot == "num":
            return rng.choice((str(rng.randint(1, 10 ** rng.randint(1, 8))), f"{rng.randint(1, 999)},{rng.randint(100, 999)}",
                               f"{rng.randint(1, 99)}.{rng.randint(0, 99)}", f"{rng.randint(2, 90)} million"))
        if slot == "small":
            return str(rng.randint(1, 30))
        if slot == "money":
            amount = rng.randint(1, 10 ** rng.randint(1, 6))
            return rng.choice((f"${amount}", f"€{amount}", f"{amount} USD", f"£{amount:,}", f"{amount} euros",
                               f"${amount} million", f"Rs. {amount}", f"{amount} dollars"))
        if slot == "time":
            return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        if slot == "phone":
            return rng.choice(("+", "", "(0)")) + "".join(rng.choice("0123456789 -") for _ in range(rng.randint(8, 14))).strip(" -") + "5"
        if slot == "format":
            return rng.choice(FORMATS)
        if slot in ("key", "Key"):
            return cap(rng.choice(KEYS)) if slot == "Key" else rng.choice(KEYS)
        if slot == "url":
            return f"www.{e.syllables(2, 3)}.{rng.choice(('com', 'org', 'net', 'io', 'de'))}"
        if slot == "email":
            first, last, _ = self.persona(number or "9")
            name = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
            return f"{name.replace(' ', '')}@{e.syllables(2, 3)}.com"
        if slot == "user":
            return rng.choice((self.noun() + str(rng.randint(1, 999)), self.noun() + "_" + self.noun(),
                               cap(self.noun()) + cap(self.noun()), "x" + self.noun() + "x"))
        if slot == "ticker":
            return "".join(rng.choice("ABCDEFGHIJKLMNOPRSTUVWXYZ") for _ in range(rng.randint(2, 4)))
        if slot in ("initials", "init"):
            return rng.choice("ABCDEFGHJKLMNPRST") + rng.choice(("", ".", "." + rng.choice("ABCDEFGHJKLM") + "."))
        raise ValueError(f"there is no slot {{{slot}}}")

    def fill(self, parts, plain=False):
        out = []
        for part in parts:
            if isinstance(part, str):
                if out and part.startswith("ed") and out[-1][0].endswith("e"):
                    part = part[1:]  # {verb}ed
                out.append((part, None))
            else:
                out += self.slot(*part)
        if not plain:
            out = [p for p in out if p[0]]
        return out

    def state(self):
        rng = self.rng
        if rng.random() < 0.6:
            return rng.choice(self.e.words["state_abbr"])
        return "".join(rng.choice("ABCDEFGHIJKLMNOPRSTUVWXYZ") for _ in range(2))

    def subject(self, kind):
        rng = self.rng
        if kind == "person":
            form = rng.choice(("{p}", "{p}", "{f}", "{f}", "{f}", "{l}", "{t} {l}", "{t} {p}", "my {rel} {f}",
                               "My {rel}, {f},", "{f} and {f}", "the {n} {job} {p}", "{p} of {o}",
                               "{p} from {c}", "{o} {job} {p}", "{job} {p}", "{f} ({y})"))
        elif kind == "organization":
            form = rng.choice(("{o}", "{o}", "{o}", "The {o}", "{o} and {o}", "The {n} company {o}", "{o} in {c}",
                               "{o} of {k}", "our client {o}"))
        elif kind == "place":
            form = rng.choice(("{c}", "{c}", "{k}", "{k}", "{g}", "The city of {c}", "{c}, {k},"))
        else:
            form = rng.choice(("The {noun}", "A {adj} {noun}", "My {noun}", "This {noun}", "Our {noun}", "He", "She",
                               "It", "That", "The {adj} {noun}", "The {noun} of the {noun}", "Your {noun}",
                               "The {n} {noun}", "Nobody", "Everything", "One of the {nouns}", "The {prod}"))
        return self.fill(parse(form))

    def clause(self):
        """Somebody or something, and what is said of it; often not of what it is said of usually, so
        that words around do not decide alone."""
        rng = self.rng
        kind = rng.choice(("person", "person", "person", "organization", "organization", "place", "thing", "thing"))
        said = kind if rng.random() < 0.9 else rng.choice(list(self.clauses))
        if said in ("front", "behind"):
            said = kind
        out = self.subject(kind)
        predicate = self.fill(rng.choice(self.clauses[said]))
        if predicate and not predicate[0][0].startswith((",", "'")):
            out.append((" ", None))
        out += predicate
        if rng.random() < 0.3:
            front = self.fill(rng.choice(self.clauses["front"]))
            if out[0][1] is None:
                out[0] = (out[0][0][:1].lower() + out[0][0][1:], None)
            out = front + [(" ", None)] + out
        if rng.random() < 0.25:
            behind = self.fill(rng.choice(self.clauses["behind"]))
            out += ([] if behind[0][0].startswith(",") else [(" ", None)]) + behind
        return out + [(rng.choice((".", ".", ".", "", "!", "?")), None)]

    # texts

    def noise(self):
        """A name somewhere in words that say nothing of it."""
        rng, e = self.rng, self.e
        words = self.sentence().split(" ")
        at = rng.randint(0, len(words))
        slot = rng.choice(("p", "p", "f", "l", "o", "o", "c", "k", "n", "a", "g", "d"))
        name = self.slot(slot, "")
        joint = rng.choice((" ", " ", " ", ", ", " (", ": ", "\n", " - "))
        close = ") " if joint == " (" else " "
        if rng.random() < 0.3:
            words = [cap(w) for w in words]
        return [(" ".join(words[:at]) + joint, None)] + name + [(close + " ".join(words[at:]), None)]

    def negative(self):
        rng = self.rng
        drawn = rng.random()
        if drawn < 0.5:
            text = ". ".join(cap(self.sentence()) if rng.random() < 0.9 else self.sentence()
                             for _ in range(rng.randint(1, 5)))
        elif drawn < 0.7:
            text = " ".join(cap(w) for w in self.sentence().split(" "))
        elif drawn < 0.8:
            text = self.sentence().upper()
        else:
            return self.fill(rng.choice(self.plain))
        return [(text + rng.choice((".", "", "!", "?")), None)]

    def foreign_text(self):
        out = []
        lang = self.rng.choice(self.foreign)[0]
        mine = [p for code, p in self.foreign if code == lang]
        self.abroad = lang
        for _ in range(self.rng.randint(1, 4)):
            out += self.fill(self.rng.choice(mine)) + [(self.rng.choice((" ", "\n")), None)]
        self.abroad = None
        return out

    def paragraph(self, low, high):
        out = []
        for _ in range(self.rng.randint(low, high)):
            drawn = self.rng.random()
            if drawn < 0.35:
                out += self.fill(self.rng.choice(self.single))
            elif drawn < 0.7:
                out += self.clause()
            else:
                out += [(cap(self.sentence()) + self.rng.choice((".", ".", "", "?")), None)]
            out.append((self.rng.choice((" ", " ", " ", "\n", ". ", ", ", "\n\n", "; ")), None))
        return out

    def text(self):
        """A list of (text, kind): one text, or some behind each other."""
        out = self.one()
        if self.rng.random() < LONG:
            for _ in range(self.rng.randint(1, 7)):
                out += [(self.rng.choice((" ", "\n", "\n\n", " ", ". ")), None)] + self.one()
        return out

    def one(self):
        rng, drawn = self.rng, self.rng.random()
        self.bound = {}
        if drawn < 0.16:
            out = self.fill(rng.choice(self.single))
        elif drawn < 0.27:
            out = self.clause()
        elif drawn < 0.46:
            out = self.paragraph(2, 7)
        elif drawn < 0.74:
            out = self.fill(rng.choice(self.documents))
            if rng.random() < 0.5:  # as it looks when pasted into a line
                out = [(t.replace("\n", " "), k) for t, k in out]
        elif drawn < 0.82:
            out = self.noise()
        elif drawn < 0.92:
            out = self.negative()
        else:
            out = self.foreign_text()
        if rng.random() < 0.12:
            ask = rng.choice(self.lists["ask"] + self.lists["ask3"])
            out = [(ask + rng.choice((" ", "\n", ": ", " \"")), None)] + out
        elif rng.random() < ASKED:
            out = self.asked(out)
        return self.disguise(out)

    def asked(self, body):
        out = []
        for part in self.rng.choice(self.requests):
            out += body if part == ("body", "") else self.fill([part])
        return out

    def disguise(self, out):
        """Cases, accents, typing mistakes, blanks."""
        rng, drawn = self.rng, self.rng.random()
        if drawn < 0.12:
            out = [(t.lower(), k) for t, k in out]
        elif drawn < 0.16:
            out = [(t.lower() if k is not None else t, k) for t, k in out]
        elif drawn < 0.19:
            out = [(t.upper(), k) for t, k in out]
        elif drawn < 0.23:
            out = [(t.upper() if k is not None and rng.random() < 0.7 else t, k) for t, k in out]
        elif drawn < 0.26:
            out = [(re.sub(r"\b[a-z]", lambda m: m.group().upper(), t), k) for t, k in out]
        elif drawn < 0.30:  # names in the case of one kind alone
            kind = rng.choice((PERSON, ORGANIZATION, LOCATION, NATIONALITY))
            out = [(t.lower() if k == kind else t, k) for t, k in out]
        if rng.random() < 0.08:
            out = [("".join(c for c in unicodedata.normalize("NFKD", t) if not unicodedata.combining(c)), k)
                   if t.isascii() is False and all(ord(c) < 0x250 or not c.isalpha() for c in t) else (t, k)
                   for t, k in out]
        if rng.random() < 0.06:
            out = [(self.mistype(t), k) for t, k in out]
        if rng.random() < 0.05:
            out = [(t.replace(",", "").replace(".", "") if k is None else t, k) for t, k in out]
        if rng.random() < 0.03:
            out = [(t.replace("'", "’"), k) for t, k in out]
        if rng.random() < 0.05:  # "Dr.Ahmed", "Mr.Rana"
            out = [(t.lstrip(" ") if i and out[i - 1][1] == TITLE and out[i - 1][0].endswith(".") else t, k)
                   for i, (t, k) in enumerate(out)]
        return out

    def mistype(self, text):
        rng = self.rng
        if len(text) < 4 or rng.random() < 0.4:
            return text
        at = rng.randrange(1, len(text) - 1)
        drawn = rng.random()
        if drawn < 0.35:
            return text[:at] + text[at + 1] + text[at] + text[at + 2:]
        if drawn < 0.65:
            return text[:at] + text[at + 1:]
        return text[:at] + rng.choice("aeioutnrsl") + text[at:]
