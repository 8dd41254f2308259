// The optimizer's numbers.
#pragma once

namespace lichen::training {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  // of matrices, times the learning rate
  double clip = 1;             // gradients whose norm is greater are scaled down to it; 0: none are
};

}  // namespace lichen::training
