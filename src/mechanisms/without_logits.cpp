#include "mechanisms/without_logits.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <utility>

namespace lichen::mechanisms {
namespace {

class WithoutLogits : public Answerer {
 public:
  explicit WithoutLogits(std::string why) : why_(std::move(why)) {}
  awaitable<Result<Answer>> answer(Request, Turn&) override {
    co_return fail(Errc::unsupported, why_);
  }

 private:
  const std::string why_;
};

}  // namespace

AnswererPtr without_logits(std::string mechanism, std::string model) {
  return std::make_shared<WithoutLogits>(
      fmt::format("`{}` needs the logits of `{}`, which offers none", mechanism, model));
}

}  // namespace lichen::mechanisms
