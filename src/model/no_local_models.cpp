// Stands in for llama/ in builds without libllama.
#include "model/open_local_model.h"

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

}  // namespace lichen::model
