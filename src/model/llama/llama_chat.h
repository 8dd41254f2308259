// Chat templates, tool calls and JSON-schema grammars by llama.cpp's `common` library. The only
// file that uses it, since it promises no stability.
#pragma once

#include <llama.h>

#include <memory>

#include "model/chat_format.h"

namespace lichen::model {

/// The chat format of a model: its GGUF's jinja template. `bad_model` when the template does not
/// parse. A model without one gets a format that refuses chats but knows grammars.
Result<std::shared_ptr<const ChatFormat>> open_llama_chat(const llama_model* model);

}  // namespace lichen::model
