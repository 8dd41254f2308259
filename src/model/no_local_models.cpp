// Stands in for llama/ in builds without libllama.
#include "model/open_local_model.h"
#include "model/tensor_codec.h"

namespace lichen::model {

Result<std::shared_ptr<Lane>> open_lane(const LaneOptions& options) {
  return std::make_shared<Lane>(options.name);
}

Result<std::shared_ptr<LocalModel>> open_local_model(std::string name, LocalModelOptions,
                                                     std::shared_ptr<Lane>,
                                                     std::function<bool(double)>) {
  return fail(Errc::unsupported, "`" + name + "` is a GGUF file, and this build has no libllama; " +
                                     "build with -DLICHEN_LLAMA=ON or use a url");
}

Result<Tokenizer> open_tokenizer(const std::filesystem::path&) {
  return fail(Errc::unsupported, "this build has no libllama; build with -DLICHEN_LLAMA=ON");
}

Result<std::shared_ptr<TokenEncoder>> open_token_encoder(const std::filesystem::path& gguf,
                                                         std::shared_ptr<Lane>) {
  return fail(Errc::unsupported, gguf.string() +
                                     ": this build has no libllama; build with "
                                     "-DLICHEN_LLAMA=ON");
}

/// No type is known, so nothing comes to be decoded or encoded.
bool has_codec(const gguf::TensorType&) { return false; }
const gguf::TensorType* codec_type(std::string_view) { return nullptr; }
float largest_encodable(const gguf::TensorType&) { return 0; }
void decode(const gguf::TensorType&, std::span<const std::byte>, std::span<float>) {}
void encode(const gguf::TensorType&, std::span<const float>, std::span<std::byte>) {}

}  // namespace lichen::model
