#include "mechanisms/routing/latent_space.h"

#include <Eigen/Dense>

#include "mechanisms/routing/hashing.h"

namespace lichen::mechanisms {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = std::span<const SparseVector>;

constexpr Eigen::Index kSpare = 8;  // directions more than wanted, which make those wanted sharper
constexpr int kPasses = 3;          // power iterations
constexpr double kLeastStrength = 1e-6;  // of the strongest: squared singular values under it are 0

Matrix times(Rows rows, const Matrix& right) {
  Matrix product = Matrix::Zero(std::ssize(rows), right.cols());
  for (Eigen::Index i = 0; i < product.rows(); ++i) {
    for (const Entry& entry : rows[static_cast<std::size_t>(i)]) {
      if (entry.index < right.rows()) product.row(i) += entry.value * right.row(entry.index);
    }
  }
  return product;
}

Matrix transposed_times(Rows rows, std::size_t columns, const Matrix& right) {
  Matrix product = Matrix::Zero(static_cast<Eigen::Index>(columns), right.cols());
  for (Eigen::Index i = 0; i < right.rows(); ++i) {
    for (const Entry& entry : rows[static_cast<std::size_t>(i)]) {
      if (entry.index < columns) product.row(entry.index) += entry.value * right.row(i);
    }
  }
  return product;
}

/// The same column space with orthonormal columns, by growing strength; the last `width` of them.
Matrix orthonormal(const Matrix& matrix, Eigen::Index width) {
  const Eigen::MatrixXd gram = (matrix.transpose() * matrix).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  const Eigen::VectorXd strengths = solver.eigenvalues().tail(width);
  const double least = kLeastStrength * strengths(width - 1);
  const Eigen::VectorXd scales = strengths.unaryExpr(
      [least](double strength) { return strength > least ? 1 / std::sqrt(strength) : 0.0; });
  return matrix * (solver.eigenvectors().rightCols(width) * scales.asDiagonal()).cast<float>();
}

Matrix random_signs(std::size_t columns, Eigen::Index width, std::uint64_t seed) {
  Matrix signs(static_cast<Eigen::Index>(columns), width);
  for (Eigen::Index i = 0; i < signs.size(); ++i) {
    const bool positive = (mixed(mixed(seed) + static_cast<std::uint64_t>(i)) & 1) != 0;
    signs.data()[i] = positive ? 1.0F : -1.0F;
  }
  return signs;
}

}  // namespace

std::vector<float> latent_directions(Rows rows, const LatentOptions& options) {
  const auto width = static_cast<Eigen::Index>(options.width);
  const Eigen::Index wider = width + kSpare;
  Matrix right = random_signs(options.columns, wider, options.seed);
  for (int pass = 0; pass <= kPasses && !options.stop.stop_requested(); ++pass) {
    const Matrix left = orthonormal(times(rows, right), wider);
    right = transposed_times(rows, options.columns, left);
  }
  const Matrix directions = orthonormal(right, width);
  return {directions.data(), directions.data() + directions.size()};
}

}  // namespace lichen::mechanisms
