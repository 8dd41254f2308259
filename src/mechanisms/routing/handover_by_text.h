// `handover` where the models share no tokens, or large is remote: large is given the answer's text
// so far and goes on with it.
#pragma once

#include <memory>

#include "lichen/answerer.h"
#include "mechanisms/routing/handover_options.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// `large` continues.
AnswererPtr make_handover_by_text(std::shared_ptr<model::LocalModel> small, ModelPtr large,
                                  const HandoverOptions& options);

}  // namespace lichen::mechanisms
