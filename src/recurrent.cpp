// The passes of a direction around its shards, readable or fast, and the one table of cells (level L2).
#include "recurrent.h"

#include "cell_gru.h"
#include "cell_lstm.h"
#include "cell_simple_rnn.h"
#include "recurrent_backward.h"
#include "recurrent_fast.h"
#include "recurrent_fast_backward.h"
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

  static std::size_t prepared_bytes(const Direction<T>&) { return 0; }
  static void prepare_forward(const Direction<T>&, const ForwardTask<T>&) {}

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
    const WeightGradients<Cell> total = weight_gradients(d, task, 0);
    for (int shard = 1; shard < shard_count(d.batch); ++shard) {
      const WeightGradients<Cell> part = weight_gradients(d, task, shard);
      add_into(total.kernel_size, part.kernel, total.kernel);
      add_into(total.recurrent_size, part.recurrent_kernel, total.recurrent_kernel);
      add_into(total.bias_size, part.bias, total.bias);
    }
    put(total.kernel_size, total.kernel, task.dkernel);
    put(total.recurrent_size, total.recurrent_kernel, task.drecurrent_kernel);
    put(total.bias_size, total.bias, task.dbias);
  }

 private:
  static std::size_t shards(const Direction<T>& d) { return static_cast<std::size_t>(shard_count(d.batch)); }

  static WeightGradients<Cell> weight_gradients(const Direction<T>& d, const BackwardTask<T>& task, int shard) {
    return shard_block<BackwardSpace<Cell>>(first_shard_block<Cell>(d, task.scratch), d, shard).weights;
  }

  static void put(int64 n, const T* sum, const Target<T>& target) {
    if (target.data == nullptr) return;
    if (target.accumulate)
      add_into(n, sum, target.data);
    else
      std::copy(sum, sum + n, target.data);
  }
};

template <typename Fast>
struct FastRecurrent {
  using T = typename Fast::Scalar;
  using D = Direction<T>;
  static std::size_t saved_bytes(const D& d) { return shards(d) * block_bytes<FastSaved<Fast>>(d); }
  static std::size_t forward_bytes(const D& d) {
    return block_bytes<PackedWeights<Fast>>(d) + shards(d) * block_bytes<FastForwardSpace<Fast>>(d);
  }
  static std::size_t backward_bytes(const D& d) {
    return block_bytes<TransposedWeights<Fast>>(d) + shards(d) * block_bytes<FastBackwardSpace<Fast>>(d);
  }
  static std::size_t prepared_bytes(const D& d) { return block_bytes<PackedWeights<Fast>>(d); }
  static void prepare_forward(const D& d, const ForwardTask<T>& task) { FastForwardPass<Fast>::prepare(d, task); }
  static void forward(const D& d, const ForwardTask<T>& task, int shard) {
    FastForwardPass<Fast>(d, task, shard).run();
  }
  static void prepare_backward(const D& d, const BackwardTask<T>& task) { FastBackwardPass<Fast>::prepare(d, task); }
  static void backward(const D& d, const BackwardTask<T>& task, int shard) {
    FastBackwardPass<Fast>(d, task, shard).run();
  }
  static void finish_backward(const D& d, const BackwardTask<T>& task) { FastBackwardPass<Fast>::finish(d, task); }

 private:
  static std::size_t shards(const D& d) { return static_cast<std::size_t>(shard_count(d.batch)); }
};

template <typename Passes>
constexpr RecurrentFunctions<typename Passes::T> functions_of() {
  return {Passes::saved_bytes,      Passes::forward_bytes,   Passes::backward_bytes,
          Passes::prepared_bytes,   Passes::prepare_forward, Passes::forward,
          Passes::prepare_backward, Passes::backward,        Passes::finish_backward};
}

// Decides for each direction which path it takes: that of the fast cell of its form, or the readable one. A function
// of its description only.
template <typename Cell, typename... Fast>
struct FastOrReadable {
  using T = typename Cell::Scalar;
  using D = Direction<T>;
  using Forward = ForwardTask<T>;
  using Backward = BackwardTask<T>;

  static const RecurrentFunctions<T>& path(const D& d) {
    static constexpr RecurrentFunctions<T> readable = functions_of<Recurrent<Cell>>();
    static constexpr RecurrentFunctions<T> fast[] = {functions_of<FastRecurrent<Fast>>()...};
    const bool takes[] = {takes_fast_path<Fast>(d)...};
    for (std::size_t k = 0; k < sizeof...(Fast); ++k)
      if (takes[k]) return fast[k];
    return readable;
  }
  static std::size_t saved_bytes(const D& d) { return path(d).saved_bytes(d); }
  static std::size_t forward_bytes(const D& d) { return path(d).forward_bytes(d); }
  static std::size_t backward_bytes(const D& d) { return path(d).backward_bytes(d); }
  static std::size_t prepared_bytes(const D& d) { return path(d).prepared_bytes(d); }
  static void prepare_forward(const D& d, const Forward& t) { path(d).prepare_forward(d, t); }
  static void forward(const D& d, const Forward& t, int shard) { path(d).forward(d, t, shard); }
  static void prepare_backward(const D& d, const Backward& t) { path(d).prepare_backward(d, t); }
  static void backward(const D& d, const Backward& t, int shard) { path(d).backward(d, t, shard); }
  static void finish_backward(const D& d, const Backward& t) { path(d).finish_backward(d, t); }
};

template <template <typename> class Cell, template <typename> class... Fast>
CellType type_of(const char* name) {
  using Float = Cell<float>;
  return {name,
          Float::gates,
          Float::states,
          Float::bias_rows,
          functions_of<FastOrReadable<Float, Fast<float>...>>(),
          functions_of<FastOrReadable<Cell<double>, Fast<double>...>>()};
}

bool fast_path_used = true;

}  // namespace

void set_fast_path(bool used) { fast_path_used = used; }
bool uses_fast_path() { return fast_path_used; }

const CellType& cell_type(const std::string& name) {
  static const CellType types[] = {type_of<SimpleRnnCell, FastSimpleRnn>("simple_rnn"),
                                   type_of<LstmCell, FastLstm>("lstm"), type_of<GruCell, FastGru, FastResetGru>("gru")};
  for (const CellType& type : types)
    if (name == type.name) return type;
  fail("value", "there is no cell '" + name + "'");
}

}  // namespace birnn
