#include "mechanisms/distillation/training/torch/losses.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace lichen::training {

namespace {

const double kLeastLogProb = std::log(1e-10);

/// Log-probabilities of both over the same outcomes, [n, m]. `valid` is false where a row has no
/// such outcome; undefined: it has all.
struct Outcomes {
  at::Tensor teacher, student, valid;

  /// The sum over outcomes of p * (log p - log q), [n]; `p` and the others are [n, m].
  at::Tensor divergence(const at::Tensor& p, const at::Tensor& log_p,
                        const at::Tensor& log_q) const {
    return sum(p * (log_p - log_q));
  }
  at::Tensor sum(const at::Tensor& terms) const {
    return (valid.defined() ? terms.masked_fill(valid.logical_not(), 0) : terms).sum(-1);
  }
};

/// The student's log-probability of all tokens but those in `ids`; `none_left` tells of rows where
/// there are no others, whose value means nothing.
at::Tensor log_tail(const at::Tensor& log_q, const at::Tensor& ids, const at::Tensor& listed,
                    at::Tensor& none_left) {
  const std::int64_t vocabulary = log_q.size(-1);
  none_left = listed.sum(-1) >= vocabulary;
  // A column more takes the entries that are no tokens.
  const at::Tensor taken =
      at::zeros({log_q.size(0), vocabulary + 1}, log_q.options().dtype(at::kBool))
          .scatter(-1, ids.masked_fill(listed.logical_not(), vocabulary), true)
          .narrow(-1, 0, vocabulary)
          .logical_and(none_left.logical_not().unsqueeze(-1));
  return log_q.masked_fill(taken, -std::numeric_limits<double>::infinity()).logsumexp(-1);
}

Outcomes outcomes_of(const at::Tensor& log_q, const Targets& targets) {
  const at::Tensor log_p = targets.logprobs.to(log_q.scalar_type()).clamp_min(kLeastLogProb);
  if (!targets.ids.defined()) return {log_p, log_q, {}};
  const at::Tensor listed = targets.ids >= 0;
  const at::Tensor chosen = log_q.gather(-1, targets.ids.clamp_min(0));
  if (!targets.tail.defined()) {
    return {log_p, chosen.masked_fill(listed.logical_not(), 0), listed};
  }
  at::Tensor none_left;
  const at::Tensor rest = log_tail(log_q, targets.ids, listed, none_left).unsqueeze(-1);
  const at::Tensor tail =
      targets.tail.to(log_q.scalar_type()).clamp_min(kLeastLogProb).unsqueeze(-1);
  const at::Tensor valid = at::cat({listed, none_left.logical_not().unsqueeze(-1)}, -1);
  return {at::cat({log_p, tail}, -1).masked_fill(valid.logical_not(), 0),
          at::cat({chosen, rest}, -1).masked_fill(valid.logical_not(), 0), valid};
}

/// log(share * exp(a) + (1 - share) * exp(b))
at::Tensor mixed(double share, const at::Tensor& a, const at::Tensor& b) {
  if (share <= 0) return b;
  if (share >= 1) return a;
  return at::logaddexp(a + std::log(share), b + std::log1p(-share));
}

at::Tensor uld(const at::Tensor& log_q, const Targets& targets) {
  at::Tensor p = targets.logprobs.to(log_q.scalar_type()).exp();
  if (targets.ids.defined()) p = p.masked_fill(targets.ids < 0, 0);
  const std::int64_t k = std::min(p.size(-1), log_q.size(-1));
  const at::Tensor q = std::get<0>(log_q.exp().topk(k, -1, /*largest=*/true, /*sorted=*/true));
  // What either has beyond the other's last rank: in one piece, since a tail's ranks are not known.
  at::Tensor p_rest = p.narrow(-1, k, p.size(-1) - k).sum(-1);
  if (targets.tail.defined()) p_rest = p_rest + targets.tail.to(log_q.scalar_type()).exp();
  const at::Tensor q_rest = 1 - q.sum(-1);
  return (p.narrow(-1, 0, k) - q).abs().sum(-1) + (p_rest - q_rest).abs();
}

at::Tensor distribution_losses(const at::Tensor& log_q, const Targets& targets,
                               const LossOptions& options) {
  if (options.kind == LossKind::uld) return uld(log_q, targets);
  const Outcomes both = outcomes_of(log_q, targets);
  const at::Tensor &p = both.teacher, &q = both.student;
  switch (options.kind) {
    case LossKind::forward_kl: return both.divergence(p.exp(), p, q);
    case LossKind::reverse_kl: return both.divergence(q.exp(), q, p);
    case LossKind::jsd: {
      const at::Tensor m = mixed(options.beta, p, q);
      return options.beta * both.divergence(p.exp(), p, m) +
             (1 - options.beta) * both.divergence(q.exp(), q, m);
    }
    case LossKind::skew_kl: return both.divergence(p.exp(), p, mixed(options.skew, p, q));
    case LossKind::skew_reverse_kl: return both.divergence(q.exp(), q, mixed(options.skew, q, p));
    case LossKind::tvd: return both.sum((p.exp() - q.exp()).abs()) / 2;
    case LossKind::sft:
    case LossKind::uld: break;
  }
  assert(false);
  return {};
}

}  // namespace

at::Tensor token_losses(const at::Tensor& logits, const Targets& targets,
                        const LossOptions& options) {
  const at::Tensor log_q = at::log_softmax(logits, -1);
  const auto hard = [&] { return -log_q.gather(-1, targets.tokens.unsqueeze(-1)).squeeze(-1); };
  if (options.kind == LossKind::sft) return hard();
  assert(targets.logprobs.defined());
  const at::Tensor soft = distribution_losses(log_q, targets, options);
  return options.hard > 0 ? (1 - options.hard) * soft + options.hard * hard() : soft;
}

at::Tensor acceptances(const at::Tensor& logits, const Targets& targets) {
  const Outcomes both = outcomes_of(at::log_softmax(logits, -1), targets);
  return both.sum(at::minimum(both.teacher, both.student).exp());
}

}  // namespace lichen::training
