#include "mechanisms/auxiliary/compress.h"
#include "mechanisms/auxiliary/contrast.h"
#include "mechanisms/auxiliary/guard.h"
#include "mechanisms/auxiliary/hint.h"
#include "mechanisms/auxiliary/prior.h"
#include "mechanisms/auxiliary/speculate.h"
#include "mechanisms/auxiliary/verify.h"
#include "mechanisms/fusion/blend.h"
#include "mechanisms/fusion/rank_fuse.h"
#include "mechanisms/fusion/vote.h"
#include "mechanisms/mechanism.h"
#include "mechanisms/pipeline/expand.h"
#include "mechanisms/pipeline/extract.h"
#include "mechanisms/pipeline/refine.h"
#include "mechanisms/policy/auto.h"
#include "mechanisms/policy/cache.h"
#include "mechanisms/policy/fallback.h"
#include "mechanisms/privacy/mask.h"
#include "mechanisms/routing/cascade.h"
#include "mechanisms/routing/handover.h"
#include "mechanisms/routing/route.h"

namespace lichen::mechanisms {

std::span<const Mechanism> registry() {
  static constexpr Mechanism kMechanisms[] = {
      {"auto", "learns from feedback which of several plans answers", build_auto},
      {"blend", "several models write each token from one distribution", build_blend},
      {"cache", "what was asked before gets the answer that was given", build_cache},
      {"cascade", "small answers; where it is not confident, large does", build_cascade},
      {"compress", "small leaves out of the prompt what large can do without", build_compress},
      {"contrast", "large writes what it finds likelier than an amateur does", build_contrast},
      {"expand", "large writes an outline, small writes all its points side by side", build_expand},
      {"extract", "small reads a document for the jobs that large writes; large answers",
       build_extract},
      {"fallback", "the first alternative that does not fail answers", build_fallback},
      {"guard", "small screens what comes in and what goes out, and blocks it", build_guard},
      {"handover", "small writes; where it does not know how to go on, large writes a stretch",
       build_handover},
      {"hint", "large writes a short hint, small answers with it", build_hint},
      {"mask", "remote models get placeholders in the place of private values", build_mask},
      {"prior", "large answers, told what small says and how sure it is", build_prior},
      {"proxy_tune", "large writes as tuning would have it, seen on a small model",
       build_proxy_tune},
      {"rank_fuse", "a judge compares answers of several plans; the best are fused into one",
       build_rank_fuse},
      {"refine", "small drafts, large accepts the draft or mends only what is wrong", build_refine},
      {"route", "a router picks small or large before anything is generated", build_route},
      {"speculate", "a drafter guesses, the target checks: the target's answers, faster",
       build_speculate},
      {"verify", "answers several times; a verifier picks the best", build_verify},
      {"vote", "several plans answer; what most of them say is the answer", build_vote},
  };
  return kMechanisms;
}

}  // namespace lichen::mechanisms
