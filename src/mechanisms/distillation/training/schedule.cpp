#include "mechanisms/distillation/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lichen::training {

double Schedule::rate(double progress) const {
  progress = std::clamp(progress, 0.0, 1.0);
  if (progress < warmup) return learning_rate * progress / warmup;
  const double done = warmup < 1 ? (progress - warmup) / (1 - warmup) : 0;
  const double cosine = (1 + std::cos(std::numbers::pi * done)) / 2;
  return learning_rate * (final_share + (1 - final_share) * cosine);
}

}  // namespace lichen::training
