// Large answers in shadow what small has answered, so that a DriftWatch learns whether that was a
// loss. Runs after the user has the answer.
#pragma once

#include <memory>

#include "lichen/answerer.h"
#include "mechanisms/routing/drift.h"

namespace lichen::mechanisms {

struct Shadow {
  std::shared_ptr<DriftWatch> watch;
  AnswererPtr large;
  AnswererPtr judge = {};  // may be null
};

/// For `Turn::later`. Large's step has the role "shadow". Without a judge an answer counts as lost
/// where the texts differ in more than letter case and blanks, or in their tool calls. A judge says
/// of two that differ which are right (prompts/judge.txt); lost is what only large has right. Where
/// large or the judge fails, or the judge says neither yes nor no, nothing is learned.
Turn::Later shadow(Shadow parts, Request request, Answer by_small);

}  // namespace lichen::mechanisms
