// `blend` of local models with one vocabulary: whole rows, token by token.
#pragma once

#include <memory>
#include <vector>

#include "lichen/answerer.h"
#include "mechanisms/fusion/blend_options.h"
#include "model/local_model.h"

namespace lichen::mechanisms {

/// Models of one lane and one vocabulary; the first one answers.
AnswererPtr make_blend_in_step(std::vector<std::shared_ptr<model::LocalModel>> models,
                               const BlendOptions& options);

}  // namespace lichen::mechanisms
