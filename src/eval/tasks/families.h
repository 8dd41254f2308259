// The makers of all families, by file. Each takes the maker's level and split and nothing else from
// outside, so a task is the same wherever and in whatever order it is made. families.cpp names
// them.
#pragma once

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

// arithmetic.cpp
Task make_add(Maker& maker);
Task make_subtract(Maker& maker);
Task make_multiply(Maker& maker);
Task make_divide(Maker& maker);
Task make_terms(Maker& maker);

// word_problems.cpp
Task make_story(Maker& maker);
Task make_shopping(Maker& maker);
Task make_rates(Maker& maker);

// dates.cpp
Task make_date_add(Maker& maker);
Task make_date_difference(Maker& maker);
Task make_month_add(Maker& maker);
Task make_weekday(Maker& maker);

// clock_and_units.cpp
Task make_clock(Maker& maker);
Task make_units(Maker& maker);

// lists.cpp
Task make_sort(Maker& maker);
Task make_list_ops(Maker& maker);
Task make_sets(Maker& maker);
Task make_statistics(Maker& maker);

// strings.cpp
Task make_spell(Maker& maker);
Task make_letters(Maker& maker);
Task make_edit_text(Maker& maker);

// counting.cpp
Task make_count(Maker& maker);
Task make_count_kind(Maker& maker);

// relations.cpp
Task make_kinship(Maker& maker);
Task make_order(Maker& maker);
Task make_transfer(Maker& maker);

// logic.cpp
Task make_boolean(Maker& maker);
Task make_implication(Maker& maker);

// extraction.cpp
Task make_extract_json(Maker& maker);
Task make_table(Maker& maker);

// long_context.cpp
Task make_needle(Maker& maker);
Task make_aggregate(Maker& maker);

// facts.cpp
Task make_fact(Maker& maker);
Task make_fact_chain(Maker& maker);

// tools.cpp
Task make_tool_call(Maker& maker);
// robot.cpp
Task make_robot(Maker& maker);

// code.cpp
Task make_code(Maker& maker);

}  // namespace lichen::eval::tasks
