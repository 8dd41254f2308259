// The keys of a remote model in the configuration.
#pragma once

#include <filesystem>

#include "model/remote_model.h"
#include "policy/fields.h"

namespace lichen::policy {

/// What stands under a model that has `url` or `urls`. Errors stay in `fields`.
model::RemoteModelOptions read_remote(Fields& fields, const std::filesystem::path& file);

}  // namespace lichen::policy
