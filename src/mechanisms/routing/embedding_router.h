// `by: knn` over the embeddings of a model of its own:
//
//   router: my.router     a file that `lichen route train --router knn --embedder FILE` has made
//   embedder: small       a local model with the weights of that FILE; and the keys of `by: linear`
//
// The receipt has the embedding as a step with the role "embed". A prompt that the embedder cannot
// take (empty, or too long) goes to large. If it fails otherwise, so does the router.
#pragma once

#include "mechanisms/routing/router.h"
#include "mechanisms/routing/trained_router.h"

namespace lichen::mechanisms {

Result<Routing> build_embedding_router(Options& options, const TrainedRouting& trained);

}  // namespace lichen::mechanisms
