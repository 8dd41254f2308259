#include "mechanisms/routing/ensemble_router.h"

#include <utility>
#include <vector>

#include "mechanisms/routing/knn_router.h"
#include "mechanisms/routing/linear_router.h"
#include "mechanisms/routing/mf_router.h"

namespace lichen::mechanisms {
namespace {

class EnsembleRouter : public VectorRouter {
 public:
  explicit EnsembleRouter(std::vector<std::unique_ptr<VectorRouter>> members)
      : members_(std::move(members)) {}

  double need(const SparseVector& vector) const override {
    double sum = 0;
    for (const auto& member : members_) sum += member->need(vector);
    return sum / static_cast<double>(members_.size());
  }

 private:
  const std::vector<std::unique_ptr<VectorRouter>> members_;
};

}  // namespace

Result<std::unique_ptr<VectorRouter>> make_ensemble_router(const RouterFile& file) {
  std::vector<std::unique_ptr<VectorRouter>> members;
  for (const auto make : {make_linear_router, make_knn_router, make_mf_router}) {
    auto member = make(file);
    if (!member) return std::unexpected(member.error());
    members.push_back(*std::move(member));
  }
  return std::make_unique<EnsembleRouter>(std::move(members));
}

}  // namespace lichen::mechanisms
