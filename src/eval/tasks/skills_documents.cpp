// Long documents in stages: jobs for a document that is not seen, findings from one chunk, an
// answer from findings. The documents are reports on made-up companies.
#include <algorithm>

#include "eval/tasks/inquiry.h"
#include "eval/tasks/skills.h"
#include "eval/tasks/text.h"
#include "eval/tasks/words.h"

namespace lichen::eval::tasks {
namespace {

constexpr std::string_view kMeasures[] = {"revenue", "profit", "staff", "output", "debt", "budget"};

constexpr std::string_view kStated[] = {
    "In {y} the {m} of {c} was {v}.",    "The {m} of {c} was {v} in {y}.",
    "{c} had a {m} of {v} in {y}.",      "For {y}, {c} reports a {m} of {v}.",
    "{c} closed {y} with a {m} of {v}.", "In {y}, {c} had a {m} of {v}.",
    "For {y}, the {m} of {c} was {v}.",  "{c} reports a {m} of {v} for {y}."};
/// The splits share these: they ask and tell nothing.
constexpr std::string_view kTalk[] = {
    "The year {y} was a good one for {c}.",  "{p} has led {c} since {y}.",
    "The office of {c} in {v} was painted.", "{c} opened a hall in {v}.",
    "The report was written by {p}.",        "Customers of {c} like the new shop in {v}.",
    "{p} spoke about plans for {v}.",        "Nothing else happened in {v}.",
    "{c} has worked with {p} since {y}.",    "The hall of {c} is in {v}.",
    "{p} wrote about the year {y}.",         "Customers in {v} like {c}."};

constexpr std::string_view kOne[] = {"What was the {m} of {c} in {y}?",
                                     "How large was the {m} of {c} in {y}?",
                                     "Which figure did {c} report as its {m} for {y}?",
                                     "How much {m} did {c} report in {y}?",
                                     "Give me one figure: the {m} of {c} in {y}.",
                                     "Please give the {m} that {c} had in {y}.",
                                     "I need the {m} of {c} for {y}.",
                                     "Wanted: the {m} of {c} in {y}.",
                                     "[Tell me|Say|State] the {m} of {c} for the year {y}.",
                                     "How much {m} did {c} have in {y}?",
                                     "The year is {y}, the company {c}: what was its {m}?",
                                     "If you look at {c} in {y}, what {m} did it have?",
                                     "In the year {y}, how large was {c}'s {m}?",
                                     "For the year {y}, which {m} did {c} state?",
                                     "{c} in {y}: how [high|large] was the {m}?",
                                     "[Find out|Look up] what {c}'s {m} was in {y}.",
                                     "I [want|would like] to know the {m} of {c} in {y}.",
                                     "Which {m} did {c} have in {y}?",
                                     "Give the {m} of {c} for {y}.",
                                     "In {y}, what was the {m} of {c}?",
                                     "What {m} did {c} report for {y}?",
                                     "For {y}, what was the {m} of {c}?",
                                     "What {m} did {c} have in {y}?"};
constexpr std::string_view kWhich[] = {
    "Which had the larger {m} in {y}, {c} or {d}?",
    "Was the {m} of {c} or of {d} larger in {y}?",
    "Of {c} and {d}, which one had more {m} in {y}?",
    "Compare the {m} of {c} and {d} in {y} and name the company with more.",
    "Compare {c}'s {m} with {d}'s in {y}. Who had more?",
    "Whose {m} was the larger one in {y}? Choose {c} or {d}.",
    "If you compare {c}'s {m} and {d}'s in {y}, whose is larger?",
    "Who had more {m} in {y}, {c} or {d}?",
    "Did {c} or {d} have more {m} in {y}?",
    "I need the name of the company with the larger {m} in {y}: {c} or {d}?",
    "In the year {y}, was {c} or {d} the one with more {m}?",
    "Two companies, {c} and {d}: tell me which had the larger {m} in {y}.",
    "Is it {c} or {d} that had the larger {m} in {y}?",
    "Look at {y}. Whose {m} was larger, that of {c} or that of {d}?",
    "Larger {m} in {y}: {c} or {d}?",
    "Between {c} and {d}, who had the larger {m} in {y}?",
    "Please name the [larger|higher] one: the {m} of {c} or of {d} in {y}.",
    "In {y}, whose {m} was larger: {c} or {d}?",
    "Name the one with more {m} in {y}: {c} or {d}.",
    "Compare {c} and {d}: whose {m} was larger in {y}?",
    "{c} or {d}: which had the larger {m} in {y}?",
    "Whose {m} was larger in {y}, {c}'s or {d}'s?",
    "In {y}, which had the larger {m}, {c} or {d}?"};
constexpr std::string_view kSum[] = {
    "What is the total {m} of {c} from {y} to {z}?",
    "Add up the {m} of {c} for {y} to {z}.",
    "All years from {y} to {z} together: what {m} did {c} have?",
    "I need the sum of the {m} of {c} over the years {y} to {z}.",
    "Sum up {c}'s {m} for all years from {y} to {z}.",
    "Please sum the figures: the {m} of {c}, {y} to {z}.",
    "How large was {c}'s total {m} for {y} to {z}?",
    "How large is the {m} of {c} in all, over {y} to {z}?",
    "Give me one total: the {m} of {c} from {y} to {z}.",
    "Add the years {y} to {z} together: how much {m} did {c} have?",
    "If you add up {c}'s {m} from {y} to {z}, what do you get?",
    "Total {m} of {c}, {y} to {z}:",
    "Please give the sum of {c}'s {m} over the years from {y} to {z}.",
    "Taken together, how much {m} did {c} [have|report] from {y} to {z}?",
    "In all, how large was the {m} of {c} over the years from {y} to {z}?",
    "[Find|Work out] the total of {c}'s {m} from {y} to {z}.",
    "The years {y} to {z} at {c}: what was the {m} in total?",
    "How large was the {m} of {c} from {y} to {z} together?",
    "Sum the {m} of {c} over the years {y} to {z}.",
    "From {y} to {z}, what was the total {m} of {c}?",
    "What {m} did {c} have from {y} to {z} in all?",
    "Give the total {m} of {c} for the years {y} to {z}.",
    "What was the {m} of {c} from {y} to {z} together?"};
constexpr std::string_view kGrowth[] = {
    "By how much did the {m} of {c} change from {y} to {z}?",
    "What is the change in the {m} of {c} from {y} to {z}?",
    "Give the change in {c}'s {m} from {y} to {z}.",
    "Did {c}'s {m} grow or fall from {y} to {z}, and by how much?",
    "How did {c}'s {m} change from the year {y} to the year {z}?",
    "I need the change in {m} at {c} between {y} and {z}.",
    "Please give me the [change|difference] in the {m} of {c}: from {y} to {z}.",
    "If you compare {c} in {y} and in {z}, how much did its {m} change?",
    "Take the {m} of {c} in {y} and in {z}. What was the change?",
    "What did the {m} of {c} grow or fall by between {y} and {z}?",
    "Between the years {y} and {z}, by how much did {c}'s {m} grow or fall?",
    "Change of the {m} of {c} from {y} to {z}:",
    "Look at {c}'s {m} in {y}, then in {z}: how large was the change?",
    "Work out how much the {m} of {c} changed from {y} to {z}.",
    "Subtract the {m} of {c} in {y} from that in {z}.",
    "Tell me by how much the {m} of {c} went up or down between {y} and {z}.",
    "How much did the {m} of {c} grow or fall from {y} to {z}?",
    "Give the change of the {m} of {c} between {y} and {z}.",
    "Between {y} and {z}, how did the {m} of {c} change?",
    "From {y} to {z}, how much did the {m} of {c} change?",
    "What was the change in the {m} of {c} between {y} and {z}?",
    "By how much did {c}'s {m} change from {y} to {z}?"};

enum class Aim { one, which, sum, growth };

}  // namespace

std::string Figure::named() const { return text(measure, " of ", company, " in ", year); }
std::string Figure::job() const { return text("Find the ", named(), "."); }
std::string Figure::finding() const { return text(named(), ": ", value); }

std::string company(Random& random) { return capitalized(invented_word(random, 2)); }

Figure random_figure(Random& random) {
  Figure figure;
  figure.company = company(random);
  figure.measure = random.pick(kMeasures);
  figure.year = random.between(2008, 2024);
  figure.value = random.between(11, 990);
  return figure;
}

std::string statement(Random& random, const Figure& figure) {
  return say(random, kStated,
             {{"y", text(figure.year)},
              {"m", figure.measure},
              {"c", figure.company},
              {"v", text(figure.value)}});
}

std::string talk(Random& random, std::string_view first, std::string_view second) {
  return say(random, kTalk,
             {{"y", text(random.between(2008, 2024))},
              {"c", random.chance(50) ? first : second},
              {"p", full_name(random)},
              {"v", random.pick(kCities)}});
}

Inquiry random_inquiry(Maker& maker) {
  Random& random = maker.random;
  constexpr Aim kAims[] = {Aim::which, Aim::growth, Aim::sum};
  const Aim aim = maker.level == 1 ? Aim::one : maker.level == 4 ? Aim::sum : random.pick(kAims);
  Figure first = random_figure(random);
  Inquiry inquiry;
  inquiry.figures = {first};
  const int years = aim == Aim::one      ? 1
                    : aim == Aim::growth ? 2
                    : aim == Aim::which  ? 1
                                         : maker.by_level(1, 2, 3, random.between(4, 5));
  for (int i = 1; i < years; ++i) {
    Figure next = first;
    next.year += i;
    next.value = random.between(11, 990);
    inquiry.figures.push_back(next);
  }
  std::string other;
  if (aim == Aim::which) {
    Figure rival = first;
    while (rival.company == first.company) rival.company = company(random);
    while (rival.value == first.value) rival.value = random.between(11, 990);
    other = rival.company;
    inquiry.figures.push_back(rival);
  }
  const auto& last = inquiry.figures.back();
  inquiry.question = phrase(maker,
                            aim == Aim::one      ? Phrasings(kOne)
                            : aim == Aim::which  ? Phrasings(kWhich)
                            : aim == Aim::growth ? Phrasings(kGrowth)
                                                 : Phrasings(kSum),
                            {{"m", first.measure},
                             {"c", first.company},
                             {"d", other},
                             {"y", text(first.year)},
                             {"z", text(last.year)}});
  switch (aim) {
    case Aim::one: inquiry.answer = text(first.value); break;
    case Aim::which:
      inquiry.answer = first.value > last.value ? first.company : last.company;
      break;
    case Aim::growth:
      inquiry.answer = text(last.value - first.value);
      inquiry.steps = {text(last.value, " - ", first.value, " = ", inquiry.answer)};
      break;
    case Aim::sum: {
      int sum = first.value;
      for (std::size_t i = 1; i < inquiry.figures.size(); ++i) {
        const int value = inquiry.figures[i].value;
        inquiry.steps.push_back(text(sum, " + ", value, " = ", sum + value));
        sum += value;
      }
      inquiry.answer = text(sum);
    }
  }
  return inquiry;
}

Task make_extract_jobs(Maker& maker) {
  const auto inquiry = random_inquiry(maker);
  std::vector<std::string> jobs;
  for (const auto& figure : inquiry.figures) jobs.push_back(figure.job());
  return {.question = asked_by("extract_jobs", {{"question", inquiry.question}}),
          .answer = join(jobs, "\n"),
          .check = "lines"};
}

Task make_extract_chunk(Maker& maker) {
  Random& random = maker.random;
  const Figure wanted = random_figure(random);
  // Near misses: one thing differs.
  std::vector<Figure> figures;
  const int others = maker.by_level(1, 3, 6, 12);
  const auto others_name = company(random);
  while (static_cast<int>(figures.size()) < others) {
    Figure other = wanted;
    other.value = random.between(11, 990);
    switch (random.below(3)) {
      case 0: other.company = random.chance(50) ? others_name : company(random); break;
      case 1: other.year = random.between(2008, 2024); break;
      default: other.measure = random.pick(kMeasures);
    }
    const auto same = [&other](const Figure& f) { return f.named() == other.named(); };
    if (!same(wanted) && std::ranges::none_of(figures, same)) figures.push_back(other);
  }
  const bool there = random.chance(60);
  if (there) figures.push_back(wanted);
  std::vector<std::string> sentences;
  for (const auto& figure : figures) sentences.push_back(statement(random, figure));
  const int idle = maker.by_level(2, 5, 12, 25);
  for (int i = 0; i < idle; ++i) sentences.push_back(talk(random, wanted.company, others_name));
  random.shuffle(sentences);
  Task task{.question =
                asked_by("extract_chunk", {{"chunk", join(sentences, " ")}, {"job", wanted.job()}}),
            .answer = there ? wanted.finding() : "none"};
  return task;
}

Task make_extract_answer(Maker& maker) {
  Random& random = maker.random;
  const auto inquiry = random_inquiry(maker);
  std::vector<std::string> findings;
  for (const auto& figure : inquiry.figures) findings.push_back(figure.finding());
  const bool complete = inquiry.figures.size() < 2 || random.chance(70);
  Task task{.question = {}, .answer = inquiry.answer, .steps = inquiry.steps};
  if (!complete) {
    const auto missing =
        static_cast<std::size_t>(random.below(static_cast<int>(inquiry.figures.size())));
    findings.erase(findings.begin() + static_cast<std::ptrdiff_t>(missing));
    task.answer = text("more: ", inquiry.figures[missing].job());
    task.steps.clear();
  }
  random.shuffle(findings);
  task.question = asked_by("extract_answer",
                           {{"question", inquiry.question}, {"findings", join(findings, "\n")}});
  return task;
}

}  // namespace lichen::eval::tasks
