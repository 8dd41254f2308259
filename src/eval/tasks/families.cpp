#include "eval/tasks/families.h"

#include <algorithm>

#include "eval/tasks/sample.h"
#include "eval/tasks/skills.h"
#include "eval/tasks/text.h"

namespace lichen::eval::tasks {
namespace {

constexpr Family kFamilies[] = {
    {"add", "the sum of two numbers, up to 12 digits", make_add},
    {"subtract", "a difference, at times negative", make_subtract},
    {"multiply", "a product, worked by parts", make_multiply},
    {"divide", "quotient and remainder by long division", make_divide},
    {"terms", "an expression of several terms, times before plus", make_terms},
    {"story", "a story in which a number changes step by step", make_story},
    {"shopping", "prices, numbers, totals and change", make_shopping},
    {"rates", "speed and work, alone and together", make_rates},
    {"date_add", "the date some days before or after", make_date_add},
    {"date_difference", "the days between two dates", make_date_difference},
    {"month_add", "the date some months before or after", make_month_add},
    {"weekday", "the day of the week", make_weekday},
    {"clock", "times of day, durations and time zones", make_clock},
    {"units", "units of measure, single and mixed", make_units},
    {"sort", "words or numbers in order", make_sort},
    {"list_ops", "changes of a list, one after the other", make_list_ops},
    {"sets", "what two lists share, or only one has", make_sets},
    {"statistics", "largest, sum, mean, median of numbers", make_statistics},
    {"spell", "letters of a word, forwards and backwards", make_spell},
    {"letters", "the nth letter, or how many of one", make_letters},
    {"edit_text", "changes of the words of a sentence", make_edit_text},
    {"count", "how often a word is in a list", make_count},
    {"count_kind", "how many of a list are animals, tools, ...", make_count_kind},
    {"kinship", "who is whose mother's boss: relations over hops", make_kinship},
    {"order", "who is the second tallest, from comparisons", make_order},
    {"transfer", "where a thing is after it was carried around", make_transfer},
    {"boolean", "the value of an expression of truth values", make_boolean},
    {"implication", "whether rules lead from a fact to a conclusion", make_implication},
    {"extract_json", "details of a message as JSON", make_extract_json},
    {"table", "look up, filter and add up in a table", make_table},
    {"needle", "one fact in a long text", make_needle, 0.6},
    {"aggregate", "many numbers of a long text, added up", make_aggregate, 0.6},
    {"fact", "a fact of a made-up world of 5,000 things", make_fact, 12},
    {"fact_chain", "two facts of that world put together", make_fact_chain, 3},
    {"tool_call", "calls of tools for what somebody wants", make_tool_call},
    {"robot", "a plan for a robot on a grid, checked by executing it", make_robot},
    {"code", "what a short program prints", make_code},
    {"judge", "is this answer right?", make_judge, 1, "judge"},
    {"verify", "the first wrong step of a solution", make_verify, 1, "verify"},
    {"compare", "the better of two answers", make_compare, 1, "compare"},
    {"refine", "OK, or the edits that mend a draft", make_refine, 1, "refine"},
    {"hint_use", "an answer with the help of a hint", make_hint_use, 0.5, "hint_use"},
    {"hint_write", "the first step as a hint", make_hint_write, 0.5, "hint_write"},
    {"prior", "an answer after another model's, with its confidence", make_prior, 1, "prior"},
    {"fuse", "one right answer out of several", make_fuse, 0.8, "fuse"},
    {"rationale", "the steps to an answer", make_rationale, 0.5, "rationale"},
    {"outline", "the points of an answer", make_outline, 1, "outline"},
    {"expand", "one point of an outline in full", make_expand, 3, "expand"},
    {"compressed", "an answer to a question with words left out", make_compressed, 0.6},
    {"extract_jobs", "what to look up in a document not seen", make_extract_jobs, 0.5,
     "extract_jobs"},
    {"extract_chunk", "the finding in a part of a document, or none", make_extract_chunk, 1,
     "extract_chunk"},
    {"extract_answer", "an answer from findings, or what is missing", make_extract_answer, 0.7,
     "extract_answer"},
    {"mask", "the private details of a message", make_mask, 1, "mask"},
    {"placeholders", "reading and rewriting with placeholders kept", make_placeholders},
    {"guard_input", "injected orders and harmful wishes", make_guard_input, 0.7, "guard_input"},
    {"guard_output", "secrets and harmful help in a reply", make_guard_output, 0.7, "guard_output"},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family* find_family(std::string_view name) {
  const auto* family = std::ranges::find(kFamilies, name, &Family::name);
  return family == std::end(kFamilies) ? nullptr : family;
}

}  // namespace lichen::eval::tasks
