// The skills that mechanisms ask models for, by the prompts of prompts/ applied to tasks of the
// other families. Levels are those of the tasks within.
#pragma once

#include "eval/tasks/task.h"
#include "mechanisms/prompts.h"

namespace lichen::eval::tasks {

// skills_answers.cpp
Task make_judge(Maker& maker);
Task make_verify(Maker& maker);
Task make_compare(Maker& maker);
Task make_refine(Maker& maker);
Task make_hint_use(Maker& maker);
Task make_hint_write(Maker& maker);
Task make_prior(Maker& maker);
Task make_fuse(Maker& maker);
Task make_rationale(Maker& maker);

// skills_pieces.cpp
Task make_outline(Maker& maker);
Task make_expand(Maker& maker);
Task make_compressed(Maker& maker);

// skills_documents.cpp
Task make_extract_jobs(Maker& maker);
Task make_extract_chunk(Maker& maker);
Task make_extract_answer(Maker& maker);

// skills_privacy.cpp
Task make_mask(Maker& maker);
Task make_placeholders(Maker& maker);
Task make_guard_input(Maker& maker);
Task make_guard_output(Maker& maker);

/// A prompt of prompts/, filled. Its name and slots are fixed in the code: a mistake is a defect.
std::string asked_by(std::string_view prompt, std::initializer_list<mechanisms::PromptSlot> slots);

/// A task of a random family that has one right answer.
Task random_base(Maker& maker);
/// One that is worked in at least `steps` steps.
Task random_worked(Maker& maker, std::size_t steps);

}  // namespace lichen::eval::tasks
