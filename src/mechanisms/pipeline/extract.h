// `extract`: a question about a document of any length. Large writes jobs without seeing the
// document, small runs every job on every chunk, large answers from what was found (MinionS:
// Narayan et al. 2025, arXiv 2502.15964).
//
//   extract:
//     plan: large          writes the jobs and the answer; sees the question and the findings
//     by: small            reads the chunks; a local one, unless `allow_remote`
//     fallback: other      takes large's place when it fails (none)
//     chunk: 200           tokens of a chunk, about
//     overlap: 25          of these, that the chunk in front has, too
//     jobs: 8              of a round, at most
//     rounds: 2            in which jobs are written
//     findings: 64         that large reads, at most
//     max_tokens: 64       of a finding
//     rare: 0.2            a chunk is read for a job only if it has one of the job's words that
//     stand
//                          in no more than this share of the chunks; 0: every chunk is read
//     support: 0           share of a finding's words (of four letters and more, and numbers) that
//                          must stand in one sentence of the chunk
//     samples: 1           how often small is asked about a chunk while what it says is dropped
//     temperature: 1       of these but the first
//     at_once: 16          prompts of small in progress
//     max_bytes: 16777216  of a document
//     allow_remote: false  lets the document leave this device, to a remote `by`
//
// Which part of the request is the document: asked_document.h. Prompts: extract_jobs,
// extract_chunk, extract_answer. Small begins with a job as soon as its line is complete, at
// temperature 0, and says "none" where a chunk has nothing. What it says in more than `max_tokens`,
// or with a number that neither the chunk nor the job has, is dropped. The answer streams and has a
// citation for each finding that large read. Where large replies "more: JOB", that is the next
// round's job; when there are no rounds left, or nothing is found, the answer says what is missing.
//
// Fails as large does, saying what had been done; `refused` where a chunk went to a remote model
// that may have none. Chunks that small fails on are counted in the receipt; where it fails on all
// of them, or time after time, so does the request.
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_extract(Options& options);

}  // namespace lichen::mechanisms
