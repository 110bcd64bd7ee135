// The forward pass of one shard: project the inputs of a chunk of steps, run the steps, put the outputs in place (level
// L2).
#pragma once
#include "parallel.h"
#include "recurrent_rows.h"
#include "recurrent_space.h"

namespace birnn {

template <typename Cell>
class ForwardPass {
  using T = typename Cell::Scalar;

 public:
  ForwardPass(const Direction<T>& d, const ForwardTask<T>& task, int shard)
      : d_(d),
        task_(task),
        space_(shard_block<ForwardSpace<Cell>>(task.scratch, d, shard)),
        saved_(shard_block<SavedSpace<Cell>>(task.saved, d, task.saved == nullptr ? 0 : shard)),
        schedule_(space_.schedule, d.mask, shard_begin(d.batch, shard),
                  shard_begin(d.batch, shard + 1) - shard_begin(d.batch, shard), d.time, d.go_backwards),
        places_(d, schedule_),
        cell_(d.options, product()) {}

  void run() {
    for (int s = 0; s < Cell::states; ++s) load_rows(schedule_, d_.state[s], d_.units, space_.state[s]);
    load_masks(d_, schedule_, d_.units, space_.masks);
    places_.visit_leading([&](int64 row) { put(row, nullptr); });
    finish_rows(schedule_.living(0), schedule_.rows(), space_.state);
    const int64 most = chunk_rows(d_);
    for (int64 first = 0; first < schedule_.steps();) {
      const int64 end = schedule_.chunk_end(first, most);
      const Planes<T> planes = chunk_planes(first);
      project(first, end, planes);
      for (int64 k = first; k < end; ++k) {
        check_cancel();
        step(k, Planes<T>{planes.data + (schedule_.offset(k) - schedule_.offset(first)) * d_.units, planes.step});
      }
      first = end;
    }
  }

 private:
  RecurrentProduct<T> product() const {
    const T* const own_bias =
        d_.bias != nullptr && Cell::bias_rows(d_.options.reset_after) == 2 ? d_.bias + Cell::gates * d_.units : nullptr;
    return {d_.units, Cell::gates, d_.recurrent_kernel, nullptr, own_bias, space_.masks, d_.h_masks, schedule_.rows()};
  }

  Planes<T> chunk_planes(int64 first) const {
    if (task_.saved == nullptr) return {space_.planes, chunk_rows(d_) * d_.units};
    return {saved_.planes + schedule_.offset(first) * d_.units, saved_.capacity * d_.units};
  }

  // Gate planes of a chunk = (x o mask) K + b.
  void project(int64 first, int64 end, const Planes<T>& planes) const {
    const int64 rows = schedule_.offset(end) - schedule_.offset(first), units = d_.units;
    const T* x = nullptr;
    for (int gate = 0; gate < Cell::gates; ++gate) {
      if (gate == 0 || d_.x_masks > 1) x = packed_inputs(d_, schedule_, first, end, d_.x_mask(gate), space_.inputs);
      const T* const bias = d_.bias == nullptr ? nullptr : d_.bias + gate * units;
      for (int64 r = 0; bias != nullptr && r < rows; ++r) std::copy(bias, bias + units, planes[gate] + r * units);
      gemm(false, false, rows, units, d_.features, x, d_.features, d_.kernel + gate * units, Cell::gates * units,
           bias != nullptr, planes[gate], units);
    }
  }

  void step(int64 k, const Planes<T>& planes) {
    ForwardStep<T> s{schedule_.living(k), planes, {}, {}, space_.step, task_.saved != nullptr};
    for (int state = 0; state < Cell::states; ++state) {
      T* const sequence = saved_.state[state];
      s.before[state] =
          sequence == nullptr || k == 0 ? space_.state[state] : sequence + schedule_.offset(k - 1) * d_.units;
      s.after[state] = sequence == nullptr ? space_.state[state] : sequence + schedule_.offset(k) * d_.units;
    }
    cell_.step_forward(s);
    places_.visit(k, [&](int64 i, int64 row, Place kind) {
      put(row, kind == Place::zero ? nullptr : s.after[0] + i * d_.units);
    });
    finish_rows(schedule_.living(k + 1), schedule_.living(k), s.after);
  }

  void put(int64 output_row, const T* h) const {
    T* const to = task_.y.data + output_row * task_.y.step;
    if (h == nullptr)
      std::fill(to, to + d_.units, T(0));
    else
      std::copy(h, h + d_.units, to);
  }

  // The final states of rows that have no further step.
  void finish_rows(int64 begin, int64 end, T* const* states) const {
    for (int s = 0; s < Cell::states; ++s)
      for (int64 i = begin; i < end; ++i) {
        const T* const from = states[s] + i * d_.units;
        std::copy(from, from + d_.units, task_.state[s] + schedule_.row(i) * d_.units);
      }
  }

  const Direction<T>& d_;
  const ForwardTask<T>& task_;
  ForwardSpace<Cell> space_;
  SavedSpace<Cell> saved_;
  Schedule schedule_;
  OutputPlaces<T> places_;
  Cell cell_;
};

}  // namespace birnn
