// Each method against its definition, written down in double precision as the papers have it.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "base/sha256.h"
#include "mechanisms/fusion/philox.h"
#include "mechanisms/fusion/test_models.h"

namespace lichen::mechanisms {
namespace {

using Vector = std::vector<double>;
using Vectors = std::vector<Vector>;

Vector plus(Vector a, const Vector& b, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
  return a;
}

/// The tensor of one model with the words that it draws.
struct Words {
  std::uint64_t seed = 0, stream = 0;

  Words(std::uint64_t its_seed, std::size_t model, const std::string& tensor) : seed(its_seed) {
    const auto hash = base::sha256(std::to_string(model) + "\n" + tensor);
    std::memcpy(&stream, hash.data(), sizeof(stream));
  }
  /// From 0 to 1.
  double operator[](std::size_t i) const {
    const std::array<std::uint32_t, 4> counter = {static_cast<std::uint32_t>(i / 4), 0,
                                                  static_cast<std::uint32_t>(stream),
                                                  static_cast<std::uint32_t>(stream >> 32)};
    return philox(counter, seed)[i % 4] / 0x1p32;
  }
};

class MergeDefinition : public MergeTest {
 protected:
  static constexpr std::size_t kModels = 3;
  static constexpr double kDensity = 0.4, kEpsilon = 0.2, kLambda = 0.8;
  static constexpr double kWeights[kModels] = {0.5, 0.9, 0.3};

  MergeDefinition() {
    for (unsigned i = 0; i <= kModels; ++i) {
      files_.push_back(write("model" + std::to_string(i) + ".gguf", tensors(i + 1)));
    }
  }

  MergeRecipe recipe(MergeMethod method) const {
    MergeRecipe recipe{.file = {}, .method = method};
    recipe.normalize = facts(method).normalizes;
    recipe.lambda = kLambda;
    recipe.seed = 11;
    if (facts(method).base) recipe.base = files_[0];
    for (std::size_t i = 0; i < kModels; ++i) {
      recipe.models.push_back(
          {.gguf = files_[i + 1], .weight = kWeights[i], .density = kDensity, .epsilon = kEpsilon});
    }
    return recipe;
  }

  using Definition = std::function<Vector(const std::string& tensor, std::size_t row_length,
                                          const Vector& base, const Vectors& models)>;

  /// All elements must be within 1e-6 of the largest that they are made of.
  void expect(const MergeRecipe& recipe, const Definition& definition) const {
    const auto report = merge(recipe, "out.gguf", 2);
    ASSERT_TRUE(report) << report.error().detail;
    for (const TestTensor& tensor : tensors(1)) {
      const auto as_vector = [&](std::size_t file) {
        const auto values = values_of(files_[file], tensor.name);
        return Vector(values.begin(), values.end());
      };
      Vectors models;
      for (std::size_t i = 1; i <= recipe.models.size(); ++i) models.push_back(as_vector(i));
      const Vector base = as_vector(0);
      const Vector want = definition(tensor.name, tensor.shape[0], base, models);
      const auto got = values_of(at("out.gguf"), tensor.name);
      ASSERT_EQ(got.size(), want.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        double scale = std::max(std::abs(base[i]), std::abs(want[i]));
        for (const Vector& model : models) scale = std::max(scale, std::abs(model[i]));
        ASSERT_NEAR(got[i], want[i], 1e-6 * scale) << tensor.name << " " << i;
      }
    }
  }

  static Vectors deltas_of(const Vector& base, const Vectors& models) {
    Vectors deltas;
    for (const Vector& model : models) deltas.push_back(plus(model, base, -1));
    return deltas;
  }

  static Vector dropped(Vector delta, const Words& words) {
    for (std::size_t i = 0; i < delta.size(); ++i) {
      delta[i] = words[i] < kDensity ? delta[i] / kDensity : 0;
    }
    return delta;
  }

  static Vector mag_pruned(Vector delta, std::size_t length, const Words& words) {
    for (std::size_t begin = 0; begin < delta.size(); begin += length) {
      std::vector<std::size_t> order(length);
      std::iota(order.begin(), order.end(), begin);
      // As floats, in which the differences are taken; equal ones as they stand.
      std::ranges::sort(order, {}, [&](std::size_t i) {
        return std::pair(std::abs(static_cast<float>(delta[i])), i);
      });
      for (std::size_t rank = 0; rank < length; ++rank) {
        const double kept =
            kDensity - kEpsilon +
            2 * kEpsilon * static_cast<double>(rank) / static_cast<double>(length - 1);
        double& element = delta[order[rank]];
        element = words[order[rank]] < kept ? element / kept : 0;
      }
    }
    return delta;
  }

  static Vector trimmed(Vector delta) {
    Vector sorted(delta);
    std::ranges::sort(sorted, std::greater(), [](double x) { return std::abs(x); });
    const auto kept = static_cast<std::size_t>(kDensity * static_cast<double>(delta.size()));
    const double least = std::abs(sorted[kept - 1]) * (1 - 1e-7);
    for (double& element : delta) element = std::abs(element) >= least ? element : 0;
    return delta;
  }

  static Vector added(const Vector& base, const Vectors& deltas) {
    Vector out = base;
    for (std::size_t m = 0; m < deltas.size(); ++m)
      out = plus(out, deltas[m], kLambda * kWeights[m]);
    return out;
  }

  static Vector elected(const Vector& base, const Vectors& deltas, bool mean) {
    Vector out = base;
    for (std::size_t i = 0; i < base.size(); ++i) {
      double votes = 0;
      for (std::size_t m = 0; m < deltas.size(); ++m) votes += kWeights[m] * deltas[m][i];
      double sum = 0, weights = 0;
      for (std::size_t m = 0; m < deltas.size(); ++m) {
        if (deltas[m][i] * votes <= 0) continue;
        sum += kWeights[m] * deltas[m][i];
        weights += kWeights[m];
      }
      if (weights > 0) out[i] += kLambda * sum / (mean ? weights : 1);
    }
    return out;
  }

  std::vector<std::filesystem::path> files_;
};

TEST_F(MergeDefinition, Linear) {
  expect(recipe(MergeMethod::linear), [](auto&, auto, const Vector& base, const Vectors& models) {
    Vector sum(base.size());
    for (std::size_t m = 0; m < kModels; ++m) sum = plus(sum, models[m], kWeights[m] / 1.7);
    return sum;
  });
}

TEST_F(MergeDefinition, LinearWithoutNormalization) {
  auto plain = recipe(MergeMethod::linear);
  plain.normalize = false;
  expect(plain, [](auto&, auto, const Vector& base, const Vectors& models) {
    Vector sum(base.size());
    for (std::size_t m = 0; m < kModels; ++m) sum = plus(sum, models[m], kWeights[m]);
    return sum;
  });
}

TEST_F(MergeDefinition, Slerp) {
  auto two = recipe(MergeMethod::slerp);
  two.models.pop_back();
  two.t = 0.3;
  expect(two, [](auto&, auto, const Vector& base, const Vectors& models) {
    const auto product = [](const Vector& a, const Vector& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double theta =
        std::acos(product(models[0], models[1]) /
                  std::sqrt(product(models[0], models[0]) * product(models[1], models[1])));
    Vector out = plus(Vector(base.size()), models[0], std::sin(0.7 * theta) / std::sin(theta));
    return plus(out, models[1], std::sin(0.3 * theta) / std::sin(theta));
  });
}

TEST_F(MergeDefinition, TaskArithmetic) {
  expect(recipe(MergeMethod::task_arithmetic),
         [](auto&, auto, const Vector& base, const Vectors& models) {
           return added(base, deltas_of(base, models));
         });
}

TEST_F(MergeDefinition, Ties) {
  expect(recipe(MergeMethod::ties), [](auto&, auto, const Vector& base, const Vectors& models) {
    Vectors deltas = deltas_of(base, models);
    for (Vector& delta : deltas) delta = trimmed(delta);
    return elected(base, deltas, true);
  });
}

TEST_F(MergeDefinition, Dare) {
  for (const MergeMethod method : {MergeMethod::dare_linear, MergeMethod::dare_ties}) {
    expect(recipe(method),
           [&](const std::string& tensor, auto, const Vector& base, const Vectors& models) {
             Vectors deltas = deltas_of(base, models);
             for (std::size_t m = 0; m < kModels; ++m) {
               deltas[m] = dropped(deltas[m], Words(11, m, tensor));
             }
             return method == MergeMethod::dare_linear ? added(base, deltas)
                                                       : elected(base, deltas, false);
           });
  }
}

TEST_F(MergeDefinition, Della) {
  for (const MergeMethod method : {MergeMethod::della_linear, MergeMethod::della}) {
    expect(recipe(method), [&](const std::string& tensor, std::size_t length, const Vector& base,
                               const Vectors& models) {
      Vectors deltas = deltas_of(base, models);
      for (std::size_t m = 0; m < kModels; ++m) {
        deltas[m] = mag_pruned(deltas[m], length, Words(11, m, tensor));
      }
      return method == MergeMethod::della_linear ? added(base, deltas)
                                                 : elected(base, deltas, true);
    });
  }
}

TEST_F(MergeDefinition, NumbersByTensorAndLayer) {
  auto varied = recipe(MergeMethod::linear);
  varied.models[0].weight =
      TensorNumber({{.tensors = "*norm*", .values = {1}}, {.values = {0, 1}}});
  varied.models[1].weight = TensorNumber({{.values = {1, 0}}});
  varied.models.pop_back();
  expect(varied, [](const std::string& tensor, auto, const Vector&, const Vectors& models) {
    // The first layer is all of the second model, the second all of the first, and norms between.
    if (tensor == "blk.0.attn_norm.weight")
      return plus(plus(models[0], models[0], -0.5), models[1], 0.5);
    return tensor == "token_embd.weight" || tensor.starts_with("blk.0") ? models[1] : models[0];
  });
}

}  // namespace
}  // namespace lichen::mechanisms
