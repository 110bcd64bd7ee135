// The passes of a direction around its shards, and the one table of cells (level L2).
#include "recurrent.h"

#include "cell_gru.h"
#include "cell_lstm.h"
#include "cell_simple_rnn.h"
#include "recurrent_backward.h"
#include "recurrent_forward.h"

namespace birnn {
namespace {

template <typename Cell>
struct Recurrent {
  using T = typename Cell::Scalar;

  static std::size_t saved_bytes(const Direction<T>& d) { return shards(d) * block_bytes<SavedSpace<Cell>>(d); }
  static std::size_t forward_bytes(const Direction<T>& d) { return shards(d) * block_bytes<ForwardSpace<Cell>>(d); }
  static std::size_t backward_bytes(const Direction<T>& d) {
    return block_bytes<SharedBackwardSpace<Cell>>(d) + shards(d) * block_bytes<BackwardSpace<Cell>>(d);
  }

  static void forward(const Direction<T>& d, const ForwardTask<T>& task, int shard) {
    ForwardPass<Cell>(d, task, shard).run();
  }

  static void prepare_backward(const Direction<T>& d, const BackwardTask<T>& task) {
    T* to = shard_block<SharedBackwardSpace<Cell>>(task.scratch, d, 0).transposed;
    for (int gate = 0; gate < Cell::gates; ++gate)
      for (int64 column = gate * d.units; column < (gate + 1) * d.units; ++column)
        for (int64 row = 0; row < d.units; ++row) *to++ = d.recurrent_kernel[row * Cell::gates * d.units + column];
  }

  static void backward(const Direction<T>& d, const BackwardTask<T>& task, int shard) {
    BackwardPass<Cell>(d, task, shard).run();
  }

  static void finish_backward(const Direction<T>& d, const BackwardTask<T>& task) {
    for (int shard = 0; shard < shard_count(d.batch); ++shard) {
      const WeightGradients<Cell> sums = weight_gradients(d, task, shard);
      const bool last = shard + 1 == shard_count(d.batch);
      const WeightGradients<Cell> next = last ? sums : weight_gradients(d, task, shard + 1);
      hand_on(sums.kernel_size, sums.kernel, next.kernel, last, task.dkernel);
      hand_on(sums.recurrent_size, sums.recurrent_kernel, next.recurrent_kernel, last, task.drecurrent_kernel);
      hand_on(sums.bias_size, sums.bias, next.bias, last, task.dbias);
    }
  }

 private:
  static std::size_t shards(const Direction<T>& d) { return static_cast<std::size_t>(shard_count(d.batch)); }
};

}  // namespace
}  // namespace birnn
