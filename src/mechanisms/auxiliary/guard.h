// `guard`: small screens what comes in and what goes out, and blocks it with the error `refused`
// (HTTP: 400, `content_filter`), so that no fallback asks anyone else.
//
//   guard:
//     of: large                  answers
//     small: small               screens, asked by prompts/guard_input.txt and guard_output.txt
//     screen: both               `input`, `output` or `both`
//     threshold: {input: 0.5, output: 0.5}
//                                probabilities from which on a text is blocked; `lichen guard`
//                                chooses them
//     window: 400                bytes that are judged at once, 64 to 100,000
//     on_failure: closed         where small fails: `closed` refuses, `open` lets pass
//
// Of a request every message of the user and of tools is screened before anyone answers it, since
// injected orders come with documents and results. The answer is screened while it is written:
// a stretch of half a window leaves once it has been judged together with what stands before it and
// with what follows, so nothing shorter than a quarter of a window is shown in part
// (guarded_stream.h). Without a stream the answer is judged as a whole. What was shown before a
// block stays.
//
// Small's steps have the role "guard", those of an answer that was blocked "blocked".
#pragma once

#include "mechanisms/mechanism.h"

namespace lichen::mechanisms {

Result<AnswererPtr> build_guard(Options& options);

}  // namespace lichen::mechanisms
