// `handover` where both models hold the same tokens.
#pragma once

#include <memory>

#include "lichen/answerer.h"
#include "mechanisms/routing/handover_options.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// The models are of one lane and have the same tokens.
AnswererPtr make_handover_in_step(std::shared_ptr<model::LocalModel> small,
                                  std::shared_ptr<model::LocalModel> large,
                                  const HandoverOptions& options);

}  // namespace lichen::mechanisms
