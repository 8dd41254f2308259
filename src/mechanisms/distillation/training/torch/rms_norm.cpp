#include "mechanisms/distillation/training/torch/rms_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace lichen::training {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double epsilon) {
    // The norm is summed up in float, as libllama does, also of numbers in BF16.
    const at::Tensor inverse = at::linalg_vector_norm(x, 2, {-1}, true, at::kFloat)
                                   .square_()
                                   .div_(static_cast<double>(x.size(-1)))
                                   .add_(epsilon)
                                   .rsqrt_()
                                   .to(x.scalar_type());
    const at::Tensor unit = x * inverse;
    context->save_for_backward({unit, inverse, weight});
    return unit * weight;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &unit = saved[0], &inverse = saved[1], &weight = saved[2];
    const at::Tensor& gradient = gradients[0];
    at::Tensor of_x, of_weight;
    if (context->needs_input_grad(1)) {
      of_weight = (gradient * unit).reshape({-1, weight.size(0)}).sum(0);
    }
    if (context->needs_input_grad(0)) {
      at::Tensor scaled = gradient * weight;
      const at::Tensor along = (scaled * unit).mean(-1, true);
      of_x = scaled.addcmul_(unit, along, -1).mul_(inverse);
    }
    return {of_x, of_weight, at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return RmsNorm::apply(x, weight, epsilon);
}

}  // namespace lichen::training
