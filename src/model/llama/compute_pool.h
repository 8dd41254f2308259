// The threads that all models of a lane compute with.
#pragma once

#include <ggml-cpu.h>

#include <memory>

namespace lichen::model {

/// One ggml thread pool. Its caller, the lane's thread, is one of `threads`.
class ComputePool {
 public:
  explicit ComputePool(int threads) : threads_(threads) {
    ggml_threadpool_params params = ggml_threadpool_params_default(threads);
    // Between passes a thread looks out for the next one for some milliseconds, then sleeps: the
    // cores belong to others too, first of all to our own I/O.
    params.poll = 1;
    pool_.reset(ggml_threadpool_new(&params));
  }
  int threads() const { return threads_; }
  ggml_threadpool_t get() const { return pool_.get(); }

 private:
  struct Free {
    void operator()(ggml_threadpool_t pool) const { ggml_threadpool_free(pool); }
  };
  const int threads_;
  std::unique_ptr<ggml_threadpool, Free> pool_;
};

}  // namespace lichen::model
