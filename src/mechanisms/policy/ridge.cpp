#include "mechanisms/policy/ridge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lichen::mechanisms {
namespace {

constexpr std::size_t kN = kSketchSize;
constexpr std::size_t kNumbers = 1 + kN + kN * (kN + 1) / 2;

double dot(const auto& a, const auto& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

Ridge::Ridge(double prior) : prior_(prior), inverse_(kN * kN) {
  for (std::size_t i = 0; i < kN; ++i) inverse_[i * kN + i] = 1;
}

Ridge::Vector Ridge::times_inverse(const auto& x) const {
  Vector product{};
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = 0; j < kN; ++j) product[j] += inverse_[i * kN + j] * x[i];
  }
  return product;
}

Estimate Ridge::estimate(const Sketch& x) const {
  return {.mean = prior_ + dot(weights_, x),
          .width = std::sqrt(std::max(0.0, dot(x, times_inverse(x))))};
}

void Ridge::learn(const Sketch& x, double reward) {
  // Sherman and Morrison: (A + x x')^-1 = A^-1 - (A^-1 x)(A^-1 x)' / (1 + x' A^-1 x)
  const Vector ax = times_inverse(x);
  const double scale = 1 / (1 + dot(x, ax));
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = 0; j < kN; ++j) inverse_[i * kN + j] -= scale * ax[i] * ax[j];
  }
  ++observations_;
  revise(x, prior_, reward);
}

void Ridge::revise(const Sketch& x, double from, double to) {
  for (std::size_t i = 0; i < kN; ++i) sum_[i] += (to - from) * x[i];
  weights_ = times_inverse(sum_);
}

std::vector<double> Ridge::numbers() const {
  std::vector<double> numbers = {static_cast<double>(observations_)};
  numbers.reserve(kNumbers);
  numbers.insert(numbers.end(), sum_.begin(), sum_.end());
  for (std::size_t i = 0; i < kN; ++i) {  // it is symmetric
    numbers.insert(numbers.end(), inverse_.begin() + static_cast<std::ptrdiff_t>(i * kN + i),
                   inverse_.begin() + static_cast<std::ptrdiff_t>(i * kN + kN));
  }
  return numbers;
}

Result<void> Ridge::restore(std::span<const double> numbers) {
  const auto wrong = [](const char* what) { return fail(Errc::bad_model, what); };
  if (numbers.size() != kNumbers) return wrong("an arm has another number of numbers");
  if (!std::ranges::all_of(numbers, [](double n) { return std::isfinite(n); })) {
    return wrong("an arm has a number that is not finite");
  }
  constexpr double kMostObservations = 1e15;
  if (!(numbers[0] >= 0 && numbers[0] <= kMostObservations)) {
    return wrong("an arm has an impossible number of observations");
  }
  Ridge restored(prior_);
  restored.observations_ = static_cast<std::int64_t>(numbers[0]);
  std::copy_n(numbers.begin() + 1, kN, restored.sum_.begin());
  auto next = numbers.begin() + 1 + kN;
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = i; j < kN; ++j) {
      restored.inverse_[i * kN + j] = restored.inverse_[j * kN + i] = *next++;
    }
    // Observations only ever shrink the identity that it begins as.
    const double own = restored.inverse_[i * kN + i];
    if (!(own > 0 && own <= 1 + 1e-9)) return wrong("an arm's matrix is no inverse");
  }
  restored.weights_ = restored.times_inverse(restored.sum_);
  *this = std::move(restored);
  return {};
}

}  // namespace lichen::mechanisms
