#include "mechanisms/fusion/task_vector.h"

#include <gtest/gtest.h>

#include <vector>

namespace lichen::mechanisms {
namespace {

using Values = std::vector<float>;

TEST(TaskVectors, AddWhatModelsHaveLearned) {
  const Values base{1, 2};
  Values a{2, 2}, b{1, 6};
  subtract(a, base);
  subtract(b, base);
  const float* const deltas[] = {a.data(), b.data()};
  const double weights[] = {0.5, -0.25};
  Values out(2);
  add_task_vectors(base, deltas, weights, 2, out);
  EXPECT_EQ(out, (Values{2, 0}));
}

TEST(TaskVectors, WithoutADifferenceItIsTheBase) {
  const Values base{0.1F, -3.7e-12F}, none{0, 0};
  const float* const deltas[] = {none.data()};
  const double weights[] = {0.3};
  Values out(2);
  add_task_vectors(base, deltas, weights, 1, out);
  EXPECT_EQ(out, base);
}

}  // namespace
}  // namespace lichen::mechanisms
