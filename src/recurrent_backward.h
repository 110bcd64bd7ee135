// The backward pass of one shard: steps in reverse, then for each chunk of steps the gradients of weights and inputs
// (level L2).
#pragma once
#include <utility>

#include "parallel.h"
#include "recurrent_rows.h"
#include "recurrent_space.h"

namespace birnn {

template <typename T>
void add_into(int64 n, const T* from, T* to) {
  for (int64 e = 0; e < n; ++e) to[e] += from[e];
}

template <typename Cell>
void* first_shard_block(const Direction<typename Cell::Scalar>& d, void* scratch) {
  return static_cast<char*>(scratch) + block_bytes<SharedBackwardSpace<Cell>>(d);
}

template <typename Cell>
class BackwardPass {
  using T = typename Cell::Scalar;

 public:
  BackwardPass(const Direction<T>& d, const BackwardTask<T>& task, int shard)
      : d_(d),
        task_(task),
        shared_(shard_block<SharedBackwardSpace<Cell>>(task.scratch, d, 0)),
        space_(shard_block<BackwardSpace<Cell>>(first_shard_block<Cell>(d, task.scratch), d, shard)),
        saved_(shard_block<SavedSpace<Cell>>(task.saved, d, shard)),
        schedule_(space_.schedule, d.mask, shard_begin(d.batch, shard),
                  shard_begin(d.batch, shard + 1) - shard_begin(d.batch, shard), d.time, d.go_backwards),
        places_(d, schedule_),
        cell_(d.options, product()) {}

  void run() {
    start();
    const int64 most = chunk_rows(d_);
    for (int64 end = schedule_.steps(); end > 0;) {
      const int64 first = schedule_.chunk_begin(end, most);
      for (int64 k = end - 1; k >= first; --k) {
        check_cancel();
        step(k, schedule_.offset(k) - schedule_.offset(first));
      }
      if (task_.drecurrent_kernel.data != nullptr) add_recurrent_gradient(first, end);
      if (task_.dbias.data != nullptr) add_bias_gradient(schedule_.offset(end) - schedule_.offset(first));
      if (task_.dkernel.data != nullptr) add_kernel_gradient(first, end);
      if (task_.dx.data != nullptr) put_input_gradient(first, end);
      end = first;
    }
    for (int s = 0; s < Cell::states; ++s)
      if (task_.dinitial[s].data != nullptr) put_state_gradient(space_.dstate[s], task_.dinitial[s]);
  }

 private:
  RecurrentProduct<T> product() const {
    return {d_.units, Cell::gates,  d_.recurrent_kernel, shared_.transposed,
            nullptr,  space_.masks, d_.h_masks,          schedule_.rows()};
  }
  int64 plane_step() const { return chunk_rows(d_) * d_.units; }
  T* gradient(int plane) const { return space_.gradients + plane * plane_step(); }

  void start() {
    for (int s = 0; s < Cell::states; ++s) {
      load_rows(schedule_, d_.state[s], d_.units, space_.initial[s]);
      load_rows(schedule_, task_.dstate[s], d_.units, space_.dstate[s]);
    }
    load_masks(d_, schedule_, d_.units, space_.masks);
    const WeightGradients<Cell>& weights = space_.weights;
    std::fill(weights.kernel, weights.kernel + weights.kernel_size, T(0));
    std::fill(weights.recurrent_kernel, weights.recurrent_kernel + weights.recurrent_size, T(0));
    std::fill(weights.bias, weights.bias + weights.bias_size, T(0));
    if (task_.dx.data == nullptr || task_.dx.accumulate || schedule_.full()) return;
    T* const dx = task_.dx.data + schedule_.first_row() * d_.time * d_.features;
    std::fill(dx, dx + schedule_.rows() * d_.time * d_.features, T(0));
  }

  // `row`: where the step begins in the planes of its chunk.
  void step(int64 k, int64 row) {
    const int64 units = d_.units;
    if (task_.dy.data != nullptr) add_output_gradient(k);
    BackwardStep<T> s{schedule_.living(k),
                      {saved_.planes + schedule_.offset(k) * units, saved_.capacity * units},
                      {},
                      {},
                      {},
                      {space_.gradients + row * units, plane_step()},
                      space_.step};
    for (int state = 0; state < Cell::states; ++state) {
      s.before[state] = state_before(k, state);
      s.after[state] = saved_.state[state] + schedule_.offset(k) * units;
      s.dstate[state] = space_.dstate[state];
    }
    cell_.step_backward(s);
  }

  const T* state_before(int64 k, int state) const {
    return k == 0 ? space_.initial[state] : saved_.state[state] + schedule_.offset(k - 1) * d_.units;
  }

  void add_output_gradient(int64 k) {
    places_.visit(k, [&](int64 i, int64 row, Place kind) {
      if (kind != Place::zero) add_into(d_.units, task_.dy.data + row * task_.dy.step, space_.dstate[0] + i * d_.units);
    });
  }

  void add_kernel_gradient(int64 first, int64 end) {
    const int64 rows = schedule_.offset(end) - schedule_.offset(first), units = d_.units, width = Cell::gates * units;
    const T* x = nullptr;
    for (int gate = 0; gate < Cell::gates; ++gate) {
      if (gate == 0 || d_.x_masks > 1) x = packed_inputs(d_, schedule_, first, end, d_.x_mask(gate), space_.inputs);
      gemm(true, false, d_.features, units, rows, x, d_.features, gradient(gate), units, true,
           space_.weights.kernel + gate * units, width);
    }
  }

  void add_recurrent_gradient(int64 first, int64 end) {
    const int64 rows = schedule_.offset(end) - schedule_.offset(first), units = d_.units, width = Cell::gates * units;
    const T* left = nullptr;
    int factor = -1;
    for (int gate = 0; gate < Cell::gates; ++gate) {
      const int factor_before = std::exchange(factor, Cell::left_factor(d_.options, gate));
      if (gate == 0 || d_.h_masks > 1 || factor != factor_before) left = left_operand(first, end, gate, factor);
      gemm(true, false, units, units, rows, left, units, gradient(Cell::recurrent_gradient(d_.options, gate)), units,
           true, space_.weights.recurrent_kernel + gate * units, width);
    }
  }

  // What stood to the left of a gate's block of the recurrent kernel at steps first .. end - 1: packed rows of h before
  // the step, times the dropout mask, times plane `factor` if that is not negative.
  const T* left_operand(int64 first, int64 end, int gate, int factor) {
    const int64 units = d_.units;
    const T* const mask = product().mask(gate);
    if (mask == nullptr && factor < 0 && first > 0 && schedule_.full()) return state_before(first, 0);
    T* to = space_.left;
    for (int64 k = first; k < end; ++k) {
      const int64 rows = schedule_.living(k);
      Matrix<T> left = as_matrix(to, units, rows);
      left = as_matrix(state_before(k, 0), units, rows);
      if (mask != nullptr) left %= as_matrix(mask, units, rows);
      if (factor >= 0)
        left %= as_matrix(saved_.planes + (factor * saved_.capacity + schedule_.offset(k)) * units, units, rows);
      to += rows * units;
    }
    return space_.left;
  }

  void add_bias_gradient(int64 rows) {
    const int64 units = d_.units;
    T* to = space_.weights.bias;
    for (int bias_row = 0; bias_row < Cell::bias_rows(d_.options.reset_after); ++bias_row)
      for (int gate = 0; gate < Cell::gates; ++gate, to += units) {
        const T* from = gradient(bias_row == 0 ? gate : Cell::recurrent_gradient(d_.options, gate));
        for (int64 r = 0; r < rows; ++r) add_into(units, from + r * units, to);
      }
  }

  // With one mask for all gates the sum over the gates comes first, with one a gate each is masked and added.
  void put_input_gradient(int64 first, int64 end) {
    const int64 rows = schedule_.offset(end) - schedule_.offset(first), units = d_.units;
    Target<T> dx = task_.dx;
    for (int gate = 0; gate < Cell::gates; ++gate) {
      const bool own_mask = d_.x_masks > 1;
      gemm(false, true, rows, d_.features, units, gradient(gate), units, d_.kernel + gate * units, Cell::gates * units,
           gate > 0 && !own_mask, space_.inputs, d_.features);
      if (!own_mask && gate + 1 < Cell::gates) continue;
      unpack_input_gradient(d_, schedule_, first, end, d_.x_mask(gate), space_.inputs, d_.features, dx);
      dx.accumulate = true;
    }
  }

  void put_state_gradient(const T* from, const Target<T>& to) const {
    for (int64 i = 0; i < schedule_.rows(); ++i)
      for (int64 u = 0; u < d_.units; ++u) {
        T& at = to.data[schedule_.row(i) * d_.units + u];
        at = (to.accumulate ? at : T(0)) + from[i * d_.units + u];
      }
  }

  const Direction<T>& d_;
  const BackwardTask<T>& task_;
  SharedBackwardSpace<Cell> shared_;
  BackwardSpace<Cell> space_;
  SavedSpace<Cell> saved_;
  Schedule schedule_;
  OutputPlaces<T> places_;
  Cell cell_;
};

}  // namespace birnn
