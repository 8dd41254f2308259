"""Persons, organizations, places, addresses and dates as they stand in texts, drawn from lists or made
up. What is made up matters most: a name that was never seen must be known by its shape and place."""

import random
import zlib
from pathlib import Path

HERE = Path(__file__).parent
MARKOV_ORDER = 3
HELD_OUT = 20  # of so many names, one is for validation
INITIALS = "ABCDEFGHIJKLMNOPRSTVWYZ"
MONTHS = ("January February March April May June July August September October November "
          "December").split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NOT_LATIN = {"ar", "bn_BD", "dv", "el", "fa", "he", "hy", "ja", "ka_GE", "ko", "ku_ckb", "mk", "ne",
             "ru", "ta_IN", "th", "uk", "zh_CN", "zh_TW", "mn_MN_cyrl", "ur", "en_NP"}
FAMILY_FIRST = {"zh_CN": "", "zh_TW": "", "ko": "", "ja": " ", "hu": " "}
LATIN = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
                 "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g"
                 .replace("_", "").split(" ")))
# Syllables of romanized names that the lists have in their own letters only.
CHINESE_FAMILY = ("Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo "
                  "Zheng Liang Xie Tang Deng Feng Han Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang "
                  "Yu Du Ye Cheng Wei Su Lu Ding Ren Shen Yao Lee Wong Chan Cheung Leung Ng Tan Lim Ong "
                  "Chua Goh Tsai Hsu Hsieh Ho Kwok Lau").split()
CHINESE = ("wei fang xiu ying na min jing li qiang lei yan jun yang yong jie juan tao ming chao xia ping "
           "gang gui hua hong jian guo wen zhi hao yu xin rui zi han yi chen meng ting shu xuan lin bo "
           "kai long qing peng fei xiang dong ning ya qi jia hui tian ze chun mei lan zhen").split()
KOREAN_FAMILY = "Kim Lee Park Choi Jung Jeong Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song".split()
KOREAN = ("min seo jun ji hyun woo young soo jin hee kyung sang ho eun hye sun mi yeon joon tae dong hwan "
          "seung jae won in ah ra bin yu chul").split()
ARABIC = ("Mohammed Muhammad Mohamed Ahmed Ahmad Ali Omar Khalid Hassan Hussein Ibrahim Yousef Youssef "
          "Abdullah Abdulrahman Abdulaziz Mahmoud Mustafa Karim Tariq Bilal Hamza Salman Faisal Saad "
          "Nasser Majid Walid Rashid Samir Jamal Fahad Sultan Turki Bandar Nawaf Zaid Anas Ayman Amr "
          "Sherif Tamer Wael Hisham Osama Hossam Ehab Fatima Aisha Maryam Zainab Khadija Layla Noor Nour "
          "Huda Salma Amina Yasmin Rania Dina Heba Mona Reem Sara Hala Lina Dalia Ghada Abeer Manal Nadia "
          "Rasha Eman Iman Shaimaa Asma Hanan Farah Jana Lama Maha Wafa Kareem Mazen Rami Basel Adel Hadi "
          "Mehdi Reza Hossein Amir Parisa Shirin Leila Farid Javad Saeed Mina Nasrin").split()
ARABIC_FAMILY = ("Al-Sayed Al-Harbi Al-Ghamdi Al-Qahtani Al-Otaibi Al-Rashid Al-Masri Al-Najjar Haddad "
                 "Khoury Mansour Saleh Salem Hamdan Nasser Darwish Shaheen Qureshi Siddiqui Malik Khan "
                 "Butt Chaudhry Sheikh Ansari Farooqi Abbasi Hashmi Rizvi Zaidi Bukhari Mirza Baig Iqbal "
                 "Akhtar Aziz Latif Rahman Islam Hossain Uddin Chowdhury Karimi Ahmadi Hosseini Moradi "
                 "Rezaei Tehrani Shirazi El-Sayed El Masry Abdelaziz Benali Bouzid Trabelsi Ben Salah "
                 "Gharbi Mansouri Alaoui Idrissi Berrada Tazi").split()
JAPANESE_FAMILY = ("Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida "
                   "Yamada Sasaki Matsumoto Inoue Kimura Hayashi Shimizu Mori Abe Ikeda Hashimoto Ueda "
                   "Ishikawa Ogawa Okada Fujita Goto Murakami Endo Aoki Sakamoto Nishimura").split()
JAPANESE = ("Haruto Yuto Sota Yuki Hayato Haruki Ryusei Koki Sora Kaito Takumi Kenji Hiroshi Takashi "
            "Kazuo Akira Satoshi Daisuke Naoki Yui Aoi Hina Sakura Yuna Mio Rin Miyu Hana Akari Yoko "
            "Keiko Michiko Naomi Ayumi Emi Kaori Tomoko Mariko").split()
INDIAN = ("Aarav Vivaan Aditya Arjun Sai Reyansh Krishna Ishaan Rohan Rahul Amit Suresh Ramesh Rajesh "
          "Sanjay Vijay Anil Sunil Manoj Deepak Vikram Karthik Arun Prakash Ganesh Venkatesh Harish Naveen "
          "Priya Ananya Diya Saanvi Aadhya Kavya Meera Lakshmi Divya Pooja Neha Sneha Anjali Sunita Seema "
          "Rekha Geeta Shreya Nisha Swati Jyoti Rani Akhil Belal Danish Waqas Salar Asif Imran Shafaq Sana "
          "Zara Ayesha Hina Mahsa Tanvi Ishita Ravi Kiran Lalitha Padma").split()
INDIAN_FAMILY = ("Sharma Verma Gupta Singh Kumar Patel Shah Mehta Joshi Desai Reddy Rao Nair Menon Pillai "
                 "Iyer Iyengar Krishnan Subramanian Chatterjee Banerjee Mukherjee Ghosh Bose Das Sen Dutta "
                 "Roy Kapoor Khanna Malhotra Chopra Bhatia Bhalla Arora Agarwal Jain Mishra Tiwari Pandey "
                 "Yadav Chauhan Thakur Rathore Naidu Chowdary Gowda Shetty Hegde Kulkarni Patil Pawar "
                 "Fernandes D'Souza Taneja Kaur Perera Silva Fernando Jayawardena").split()
AFRICAN = ("Chinedu Emeka Ngozi Chioma Adaeze Ifeoma Oluwaseun Tunde Bola Femi Kunle Yetunde Folake "
           "Aminata Fatou Mamadou Ousmane Kwame Kofi Ama Akosua Yaa Thabo Sipho Lerato Nomsa Themba Zanele "
           "Lebogang Nthabiseng Kagiso Blessing Precious Wanjiku Kamau Njoroge Achieng Otieno Juma Amani "
           "Baraka Neema Tendai Tatenda Farai Chipo Abebe Tigist Selam").split()
AFRICAN_FAMILY = ("Okafor Okonkwo Adeyemi Adebayo Ogunleye Balogun Eze Nwosu Obi Mensah Owusu Boateng "
                  "Asante Diallo Traoré Keita Ndiaye Diop Sow Nkosi Dlamini Zulu Khumalo Mokoena Ndlovu "
                  "Mhlanga Mwangi Kariuki Ochieng Odhiambo Mutua Moyo Banda Phiri Tembo Tesfaye Bekele "
                  "Haile").split()
GROUPS = [(ARABIC, ARABIC_FAMILY), (INDIAN, INDIAN_FAMILY), (JAPANESE, JAPANESE_FAMILY),
          (AFRICAN, AFRICAN_FAMILY)]
ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl sn sp st str t th tr v w x y z zh".split()
VOWELS = "a e i o u a e i o u ai au ea ee ei ia ie io oa oo ou ua y".split()
CODAS = "b c ck d f g k l ll m n nd ng nk nt p r rd rn rs rt s sh sk ss st t th v x z".split()
BRAND_ENDS = ("ify ly io ia ex ix os on is us era ora ana ino eo tech soft net data cloud pay mart hub lab "
              "labs box works ware gen med bio chem cell wave link base point path flow sense mind spark "
              "bit byte zen max pro go now").split()
SUBJECTS = ("Agriculture Education Finance Health Justice Labour Transport Trade Energy Defence Culture "
            "Tourism Technology Science Economics Medicine Law Design Statistics Physics Engineering Music "
            "Management Sport Youth Housing Immigration Taxation Environment").split()
ORDINALS = "First Second Third National Royal Central Northern Southern Eastern Western Federal State Imperial General United American International Global Pacific Atlantic New Old Grand".split()


def sections(path):
    """A file of [name] lines, each followed by values with commas between."""
    found, name = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1]
        elif line and not line.startswith("#"):
            found.setdefault(name, []).extend(v.strip() for v in line.split(",") if v.strip())
    return found


def held_out(name):
    return zlib.crc32(name.lower().encode()) % HELD_OUT == 0


class Markov:
    """Words that look like those of a list, letter by letter."""

    def __init__(self, words):
        self.next = {}
        for word in words:
            letters = "\0" * MARKOV_ORDER + word + "\0"
            for i in range(len(letters) - MARKOV_ORDER):
                self.next.setdefault(letters[i:i + MARKOV_ORDER], []).append(letters[i + MARKOV_ORDER])

    def word(self, rng):
        for _ in range(20):
            state, word = "\0" * MARKOV_ORDER, ""
            while len(word) < 16:
                letter = rng.choice(self.next[state])
                if letter == "\0":
                    break
                word += letter
                state = state[1:] + letter
            if 3 <= len(word) <= 14:
                return word
        return word


def cap(word):
    return word[:1].upper() + word[1:]


class Entities:
    """validation: draws only names that training never sees."""

    def __init__(self, lists, rng: random.Random, validation=False):
        self.rng, self.validation = rng, validation
        self.known = sections(HERE / "templates/known.txt")
        self.known["organization"] = self.mine(self.known["organization"])
        self.words = lists["words"]
        self.nouns = [n for n in lists["lemmas"]["noun"] if " " not in n]
        self.people = {code: (self.mine(p["first"]), self.mine(p["last"]))
                       for code, p in lists["people"].items()}
        for code in ("ru", "uk", "mk"):
            if code in self.people:
                self.people[code + "_latin"] = tuple(
                    [self.romanized(n) for n in part] for part in self.people[code])
        self.latin = [c for c in self.people if c not in NOT_LATIN]
        self.other = [c for c in self.people if c in NOT_LATIN]
        self.markov_first = {c: Markov(self.people[c][0]) for c in self.latin}
        self.markov_last = {c: Markov(self.people[c][1]) for c in self.latin}
        self.towns = self.mine([t for t, _ in lists["towns"]])
        self.more_towns = self.mine([t for c, ts in lists["cities"].items()
                                     if c not in NOT_LATIN for t in ts])
        self.local_towns = {c: self.mine(ts) for c, ts in lists["cities"].items()}
        self.streets = {c: s for c, s in lists["streets"].items()}
        self.town_markov = Markov([t for t in self.towns if " " not in t and t.isascii()])
        self.countries = lists["countries"]
        self.famous = self.mine([p for p in lists["instances"]["person"] if " " in p]
                                + self.words["author"] + self.known["person"])
        self.spots = self.mine(lists["instances"]["location"])
        brands = [w for name in self.known["organization"] + self.words["maker"] + self.words["app"]
                  for w in name.split() if w.isalpha()]
        self.brand_markov = Markov(brands)
        self.company_lists = [self.mine(self.words[k]) for k in ("maker", "publisher", "airline")]

    def mine(self, names):
        """All of a list that is too short to be parted."""
        return [n for n in names if held_out(n) == self.validation] or names

    def chance(self, p):
        return self.rng.random() < p

    def romanized(self, name):
        return cap("".join(LATIN.get(c, c) for c in name.lower()))

    def syllables(self, low, high):
        rng = self.rng
        word = ""
        for i in range(rng.randint(low, high)):
            word += (rng.choice(ONSETS) if i or rng.random() < 0.8 else "") + rng.choice(VOWELS)
            if rng.random() < 0.3:
                word += rng.choice(CODAS)
        return word

    # persons

    def person_parts(self, code=None):
        """(first, last, locale)"""
        rng = self.rng
        if code is None:
            drawn = rng.random()
            if drawn < 0.12:
                firsts, lasts = rng.choice(GROUPS)
                firsts, lasts = self.mine(firsts), self.mine(lasts)
                return rng.choice(firsts), rng.choice(lasts), None
            if drawn < 0.17:
                given = rng.choice(CHINESE) + (rng.choice(CHINESE) if self.chance(0.6) else "")
                return cap(given), rng.choice(CHINESE_FAMILY), None
            if drawn < 0.20:
                join = rng.choice(("-", "", " "))
                second = rng.choice(KOREAN)
                given = cap(rng.choice(KOREAN)) + join + (cap(second) if join == " " else second)
                return given, rng.choice(KOREAN_FAMILY), None
            if drawn < 0.28:
                return cap(self.syllables(1, 3)), cap(self.syllables(1, 3)), None
            code = "en" if drawn < 0.45 else rng.choice(self.latin)
        if code in self.latin and self.chance(0.3):
            first = self.markov_first[code].word(rng)
            last = self.markov_last[code].word(rng)
            return first, last, code
        first = rng.choice(self.people[code][0])
        other = rng.choice(self.latin) if code in self.latin and self.chance(0.15) else code
        return first, rng.choice(self.people[other][1]), code

    def full_name(self, parts):
        first, last, code = parts
        rng = self.rng
        if code in FAMILY_FIRST:
            return last + FAMILY_FIRST[code] + first
        drawn = rng.random()
        if drawn < 0.66:
            return f"{first} {last}"
        if drawn < 0.76:
            return f"{first} {rng.choice(INITIALS)}. {last}"
        if drawn < 0.80:
            return f"{first} {self.person_parts(code)[0]} {last}"
        if drawn < 0.83:
            return f"{first} {last}-{self.person_parts(code)[1]}"
        if drawn < 0.86:
            return f"{first} {last} {self.person_parts(code)[1]}"
        if drawn < 0.89:
            return f"{first[0]}. {last}"
        if drawn < 0.91:
            return f"{first[0]}.{rng.choice(INITIALS)}. {last}"
        if drawn < 0.93:
            return f"{first} {rng.choice(('de', 'van', 'von', 'bin', 'al', 'da', 'del', 'van der', 'Mc', 'O’', 'El'))} {last}"
        if drawn < 0.95:
            return f"{first} {last} {rng.choice(('Jr.', 'Sr.', 'II', 'III', 'Jr'))}"
        if drawn < 0.97:
            return f"{last} {first}"
        return f"{first} {rng.choice(INITIALS)} {last}"

    def person(self):
        drawn = self.rng.random()
        if drawn < 0.07:
            return self.rng.choice(self.famous)
        parts = self.person_parts(self.rng.choice(self.other) if drawn < 0.12 else None)
        return self.full_name(parts) if drawn < 0.9 else parts[0]

    # organizations

    def brand(self):
        rng = self.rng
        drawn = rng.random()
        noun, other = cap(rng.choice(self.nouns)), cap(rng.choice(self.nouns))
        if drawn < 0.15:
            return "".join(rng.choice(INITIALS) for _ in range(rng.choice((2, 3, 3, 3, 4, 4, 5))))
        if drawn < 0.40:
            return cap(self.syllables(2, 3))
        if drawn < 0.55:
            return self.brand_markov.word(rng)
        if drawn < 0.68:
            stem = rng.choice((noun, cap(self.syllables(1, 2))))
            return stem + rng.choice(BRAND_ENDS)
        if drawn < 0.78:
            return noun + (other if self.chance(0.5) else other.lower())
        if drawn < 0.84:
            return f"{noun} {other}"
        if drawn < 0.88:
            return cap(self.syllables(1, 2)) + str(rng.choice((1, 2, 3, 4, 7, 8, 9, 24, 360, 365, 1000)))
        if drawn < 0.91:
            return cap(self.syllables(1, 3)) + rng.choice((".com", ".io", ".ai", ".co", ".net", ".org"))
        if drawn < 0.94:
            return rng.choice(INITIALS) + "&" + rng.choice(INITIALS)
        if drawn < 0.97:
            return f"{rng.choice(self.words['company_adjective'])} {noun}"
        return noun

    def organization(self):
        rng = self.rng
        drawn = rng.random()
        kind = rng.choice(self.known["kind_of_organization"])
        legal = rng.choice(self.known["legal"])
        if drawn < 0.14:
            return rng.choice(self.known["organization"])
        if drawn < 0.20:
            return rng.choice(rng.choice(self.company_lists))
        if drawn < 0.42:
            return self.brand()
        last = self.person_parts()[1]
        if drawn < 0.50:
            return f"{self.brand()} {kind}" + (f" {legal}" if self.chance(0.3) else "")
        if drawn < 0.57:
            return f"{self.brand()} {legal}"
        if drawn < 0.66:
            name = last if self.chance(0.8) else last + "'s"
            return f"{name} {kind}" + (f" {legal}" if self.chance(0.2) else "")
        if drawn < 0.74:
            other, third = self.person_parts()[1], self.person_parts()[1]
            return rng.choice((f"{last}-{other}", f"{last} & {other}", f"{last} and {other}",
                               f"{last}, {other} and {third}", f"{last}, {other} & {third}",
                               f"{last} {legal}", f"{last} and Sons", f"{last} & Sons", f"{last} Inc",
                               f"{last} Group", f"{last} LLC", f"{last} PLC"))
        city = self.city()
        subject, noun = rng.choice(SUBJECTS), cap(rng.choice(self.nouns))
        country = self.country()
        adjective = self.nationality()
        return rng.choice((
            f"University of {city}", f"{city} University", f"{last} University", f"{last} College",
            f"The University of {city}", f"{city} {kind}", f"{city} {kind}", f"{city} {kind} {legal}",
            f"{city} General Hospital", f"{city} {subject} {kind}", f"Ministry of {subject}",
            f"{country} Ministry of {subject}", f"Department of {subject}", f"{adjective} {kind}",
            f"{adjective} Institute of {subject}", f"{adjective} {subject} {kind}", f"Bank of {country}",
            f"{noun} {kind}", f"{noun} {kind} {legal}", f"{noun} & {cap(rng.choice(self.nouns))}",
            f"{noun} and {noun} {kind}", f"{rng.choice(ORDINALS)} {noun} {kind}",
            f"{rng.choice(ORDINALS)} {kind}", f"{rng.choice(ORDINALS)} {city} {kind}",
            f"{city} FC", f"FC {city}", f"{city} {cap(rng.choice(self.nouns))}s", f"City of {city}",
            f"{city} City Council", f"St. {self.person_parts()[0]} {kind}",
            f"{kind} of {subject}", f"{kind} for {noun} {subject}", f"{country} {kind}",
            f"The {noun} {kind}", f"The {noun}", f"The {cap(rng.choice(self.nouns))} {noun}s",
            f"{city} {self.brand()} {kind} Co., Ltd.", f"{self.brand()} ({country}) {legal}",
            f"{self.brand()} {country}", f"{self.person_parts()[0]}'s {kind}",
            f"{adjective} Association of {subject}", f"Friends of {noun}",
            f"Grupo {last}", f"Banco {city}", f"Universidad de {city}", f"Université de {city}",
            f"Hochschule {city}", f"Clínica {last}", f"Istituto {last}", f"Hotel {noun}"))

    # places

    def city(self):
        rng, drawn = self.rng, self.rng.random()
        if drawn < 0.62:
            return self.towns[int(len(self.towns) * rng.random() ** 2)]
        if drawn < 0.84:
            return rng.choice(self.more_towns)
        return self.town_markov.word(rng) if drawn < 0.95 else cap(self.syllables(2, 3))

    def country(self):
        if self.chance(0.6):
            return self.rng.choice(self.known["country"])
        return self.rng.choice(self.countries["en"])

    def region(self):
        rng, drawn = self.rng, self.rng.random()
        if drawn < 0.4:
            return rng.choice(self.known["region"])
        if drawn < 0.6:
            return rng.choice(self.words["state"] + self.words["county"])
        if drawn < 0.65:
            return rng.choice(self.words["state_abbr"])
        if drawn < 0.75:
            return rng.choice(self.words["airport"])
        if drawn < 0.9:
            return rng.choice(self.spots)
        name = self.city()
        return rng.choice((f"{name} Airport", f"{name} County", f"{name} Province", f"{name} Beach",
                           f"{name} Park", f"Lake {name}", f"Mount {name}", f"{name} Island",
                           f"{name} Bridge", f"{name} Station", f"{name} Valley", f"Port {name}",
                           f"{name} District", f"{name} Square", f"North {name}", f"New {name}"))

    def nationality(self):
        return self.rng.choice(self.known["nationality"]).split("/")[0]

    def nationals(self):
        return self.rng.choice(self.known["nationality"]).split("/")[1]

    def street(self):
        rng, drawn = self.rng, self.rng.random()
        name = rng.choice((self.person_parts()[1], self.person_parts()[0], cap(rng.choice(self.nouns)),
                           self.town_markov.word(rng), cap(self.syllables(1, 3))))
        if drawn < 0.45:
            suffix = rng.choice(self.words["street_suffix"] + ["Street", "St", "St.", "Road", "Rd", "Ave",
                                "Avenue", "Lane", "Drive", "Dr", "Blvd", "Court", "Way", "Close"] * 6)
            front = rng.choice(("", "", "", "", "North ", "S. ", "West ", "E ", "Old ", "Upper "))
            return f"{front}{name} {suffix}"
        if drawn < 0.60:
            return rng.choice(("Rue de ", "Rue ", "rue du ", "Avenue de ", "Boulevard ", "Place ",
                               "Chemin de ", "Via ", "Viale ", "Piazza ", "Corso ", "Calle ", "Calle de ",
                               "Avenida ", "Plaza ", "Paseo ", "Rua ", "Rua da ", "Travessa ", "ul. ",
                               "ulica ", "al. ", "Jalan ", "Jl. ", "Str. ", "Strada ", "Ulitsa ",
                               "Carrer de ", "Camino ", "Quai ")) + name
        if drawn < 0.75:
            return name + rng.choice(("straße", "strasse", "str.", "weg", "platz", "gasse", "allee", "straat",
                                      "laan", "plein", "gracht", "vej", "gade", "gatan", "vägen", "veien",
                                      "gata", "katu", "tie", "kuja", " utca", " út", " tér", " Sokak",
                                      " Caddesi", "ova", "ská", " nám.", "-dori", " Marg", " Nagar"))
        code = rng.choice(list(self.streets))
        return rng.choice(self.streets[code])

    def address(self):
        rng, street = self.rng, self.street()
        number = str(rng.randint(1, rng.choice((30, 200, 999, 9999))))
        if self.chance(0.06):
            number = rng.choice(("0", "")) + number + rng.choice("ABCabc")
        drawn = rng.random()
        text = f"{number} {street}" if drawn < 0.6 else f"{street} {number}"
        if drawn > 0.9:
            text = f"{street}, {number}" if self.chance(0.5) else f"{number} {street} {rng.randint(1, 400)}"
        if self.chance(0.2):
            unit = rng.choice(("Apt.", "Apt", "Suite", "Unit", "Flat", "Floor", "Room", "#", "Building"))
            text += f"{rng.choice((', ', ' ', chr(10), chr(10) + ' '))}{unit} {rng.randint(1, 990)}"
        elif self.chance(0.03):
            text = f"P.O. Box {rng.randint(10, 99999)}"
        elif self.chance(0.03):
            text = self.military_address()
        return text

    def military_address(self):
        rng = self.rng
        first = rng.choice((f"PSC {rng.randint(1, 9999)}, Box {rng.randint(1, 9999)}",
                            f"Unit {rng.randint(1, 9999)} Box {rng.randint(1, 9999)}",
                            f"{rng.choice(('USS', 'USNS', 'USCGC', 'USNV'))} {self.person_parts()[1]}"))
        second = f"{rng.choice(('APO', 'FPO', 'DPO'))} {rng.choice(('AA', 'AE', 'AP'))} {rng.randint(10000, 99999)}"
        return first + rng.choice(("\n", ", ", " ")) + second

    def postcode(self):
        rng = self.rng
        digits = "".join(rng.choice("0123456789") for _ in range(rng.choice((4, 5, 5, 5, 6))))
        letters = "".join(rng.choice(INITIALS) for _ in range(4))
        return rng.choice((digits, digits, digits, f"{digits[:3]} {digits[3:]}", f"{digits[:4]} {letters[:2]}",
                           f"{letters[:2]}{digits[0]} {digits[1]}{letters[2:]}", f"{letters[:2]} {digits}",
                           f"{digits}-{digits[:4]}"))

    # times

    def year(self):
        rng = self.rng
        return str(rng.randint(1985, 2025) if self.chance(0.8) else rng.randint(1750, 2030))

    def month(self):
        month = self.rng.choice(MONTHS)
        return month if self.chance(0.75) else month[:3]

    def date(self):
        rng = self.rng
        day, number = rng.randint(1, 28), rng.randint(1, 12)
        month, year = self.month(), self.year()
        nth = f"{day}{'th' if 4 <= day <= 20 or day % 10 > 3 or day % 10 == 0 else ('st', 'nd', 'rd')[day % 10 - 1]}"
        clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        return rng.choice((
            f"{month} {day}, {year}", f"{day} {month} {year}", f"{month} {nth}", f"{nth} of {month}",
            f"{month} {nth}, {year}", f"{nth} {month} {year}", f"{day:02}/{number:02}/{year}",
            f"{number}/{day}/{year[2:]}", f"{year}-{number:02}-{day:02}", f"{day}.{number}.{year}",
            f"{year}-{number:02}-{day:02} {clock}:{rng.randint(0, 59):02}", f"{month} {year}", year,
            rng.choice(DAYS), f"{rng.choice(DAYS)}, {month} {day}", f"{month} {day}",
            f"{rng.choice(DAYS)} {day} {month}", f"{day}-{month[:3]}-{year}",
            f"{year}-{number:02}-{day:02}T{clock}:00Z", f"{day} {month}"))

    def age(self):
        return str(self.rng.randint(1, 99))
