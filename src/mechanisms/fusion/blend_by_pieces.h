// `blend` of models with different vocabularies, or of a remote one: over pieces of bytes that one
// of them at least finds likely, the union of their top k (UniTE, arXiv 2410.03777).
#pragma once

#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/fusion/blend_options.h"

namespace lichen::mechanisms {

/// The first is a LocalModel and answers; the others are LocalModels of its lane, or continue.
AnswererPtr make_blend_by_pieces(std::vector<ModelPtr> models, const BlendOptions& options);

}  // namespace lichen::mechanisms
