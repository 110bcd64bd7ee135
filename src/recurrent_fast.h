// The fast path of a direction (level L2): vector kernels. The plan of both passes is that of recurrent_forward.h and
// recurrent_backward.h; what those leave to a cell is done by the kernels.
#pragma once
#include "parallel.h"
#include "recurrent_fast_space.h"
#include "recurrent_rows.h"

namespace birnn {

// A cell on the fast path. `vectors`: of a row in the gate buffer; `kept`: of these, what the backward pass needs after
// fused steps; `first_gates`: of the first recurrent product of a fused step; `split_gates`: of those of split steps.
template <typename T>
struct FastLstm {
  using Scalar = T;
  static constexpr int gates = 4, vectors = 4, kept = 4, states = 2, bias_rows = 1, first_gates = 4, split_gates = 4;
  static constexpr bool h_passes_by = false, resets_before = false;
  static void forward(const RecurrentKernels<T>& k, const ForwardArgs<T>& a) { k.forward_lstm(a); }
  static void backward(const RecurrentKernels<T>& k, const BackwardArgs<T>& a) { k.backward_lstm(a); }
};
// With reset_after. h reaches the next h without the weights too: h' = z h + (1 - z) n.
template <typename T>
struct FastGru {
  using Scalar = T;
  static constexpr int gates = 3, vectors = 4, kept = 4, states = 1, bias_rows = 2, first_gates = 3, split_gates = 1;
  static constexpr bool h_passes_by = true, resets_before = false;
  static void forward(const RecurrentKernels<T>& k, const ForwardArgs<T>& a) { k.forward_gru(a); }
  static void backward(const RecurrentKernels<T>& k, const BackwardArgs<T>& a) { k.backward_gru(a); }
};
// Without: r acts on h before the product of the candidate, which therefore is a second one.
template <typename T>
struct FastResetGru {
  using Scalar = T;
  static constexpr int gates = 3, vectors = 3, kept = 3, states = 1, bias_rows = 1, first_gates = 2, split_gates = 1;
  static constexpr bool h_passes_by = true, resets_before = true;
  static void forward(const RecurrentKernels<T>& k, const ForwardArgs<T>& a) {
    k.forward_reset(a);
    k.forward_candidate(a);
  }
  static void backward(const RecurrentKernels<T>& k, const BackwardArgs<T>& a) { k.backward_candidate(a); }
};
template <typename T>
struct FastSimpleRnn {
  using Scalar = T;
  static constexpr int gates = 1, vectors = 1, kept = 0, states = 1, bias_rows = 1, first_gates = 1, split_gates = 1;
  static constexpr bool h_passes_by = false, resets_before = false;
  static void forward(const RecurrentKernels<T>& k, const ForwardArgs<T>& a) { k.forward_simple(a); }
  static void backward(const RecurrentKernels<T>& k, const BackwardArgs<T>& a) { k.backward_simple(a); }
};

// Whether it is this form of a cell that runs a direction. Nothing needs the readable path but tests that ask for it.
template <typename Fast>
bool takes_fast_path(const Direction<typename Fast::Scalar>& d) {
  const bool is_gru = Fast::states == 1 && Fast::gates > 1;
  return uses_fast_path() && (!is_gru || Fast::resets_before != d.options.reset_after);
}

// The inputs of steps first .. end - 1 as a gate sees them: where they lie, or together in `buffer`.
template <typename T>
const T* input_rows(const Direction<T>& d, const Schedule& schedule, int64 first, int64 end, int gate, T* buffer,
                    RowPattern& rows) {
  int64 start = 0;
  if (d.x_masks == 0 && input_pattern(d, schedule, first, end, rows, start)) return d.x + start;
  rows = packed_rows(schedule.offset(end) - schedule.offset(first), d.features);
  return packed_inputs(d, schedule, first, end, d.x_mask(gate), buffer);
}

// The dropout of h in a fast pass: rows in the order of the schedule, one mask for all gates or one a gate.
template <typename T>
struct StateDropout {
  const T* masks;
  int count;
  int64 size;  // of a mask
  const T* of(int gate) const { return count == 0 ? nullptr : masks + (count == 1 ? 0 : gate) * size; }
  // out (rows, width) = x o mask, or added; the mask is that of the first rows.
  void apply(int gate, int64 n, const T* x, bool accumulate, T* out) const {
    const auto& arrays = tier().arrays->of<T>();
    const long numbers = static_cast<long>(n);
    if (accumulate)
      arrays.combine_slope(Combination::multiply, 0, 1, numbers, {nullptr, 1, of(gate), 1}, nullptr, x, true, out,
                           numbers);
    else
      arrays.combine(Combination::multiply, 1, numbers, {x, 1, of(gate), 1}, out);
  }
};

template <typename Fast>
class FastForwardPass {
  using T = typename Fast::Scalar;

 public:
  FastForwardPass(const Direction<T>& d, const ForwardTask<T>& task, int shard)
      : d_(d),
        task_(task),
        shape_(d),
        chunk_(fast_chunk_rows(d)),
        split_(splits_steps<Fast>(d)),
        activation_(d.options.activation.for_kernels()),
        recurrent_activation_(d.options.recurrent_activation.for_kernels()),
        weights_(packed_weights(d, task)),
        space_(fast_shard_block<PackedWeights<Fast>, FastForwardSpace<Fast>>(task.scratch, d, shard)),
        saved_(shard_block<FastSaved<Fast>>(task.saved, d, task.saved == nullptr ? 0 : shard)),
        schedule_(space_.schedule, d.mask, shard_begin(d.batch, shard),
                  shard_begin(d.batch, shard + 1) - shard_begin(d.batch, shard), d.time, d.go_backwards),
        places_(d, schedule_),
        dropout_{space_.masks, d.h_masks, schedule_.rows() * shape_.width} {}

  // Once, before all shards.
  static void prepare(const Direction<T>& d, const ForwardTask<T>& task) {
    const FastShape<T> shape(d);
    const PackedWeights<Fast> packed = packed_weights(d, task);
    visit_parts<Fast>(kernel_part<Fast>(d), [&](int gate, int count) {
      shape.kernels.pack(some_gates<Fast>(d, d.features, gate, count), d.kernel,
                         packed.kernel + gate * shape.width * d.features);
    });
    visit_parts<Fast>(forward_part<Fast>(d), [&](int gate, int count) {
      shape.kernels.pack(some_gates<Fast>(d, d.units, gate, count), d.recurrent_kernel,
                         packed.recurrent_kernel + gate * shape.width * d.units);
    });
    pack_bias(shape, d, packed);
  }

  void run() {
    const FlushToZero subnormals_are_zero;
    load_states();
    places_.visit_leading([&](int64 row) { put(row, nullptr); });
    finish_rows(schedule_.living(0), schedule_.rows(), space_.h[0], space_.c, schedule_.rows());
    for (int64 first = 0; first < schedule_.steps();) {
      const int64 end = schedule_.chunk_end(first, chunk_);
      project(first, end);
      for (int64 k = first; k < end; ++k) {
        check_cancel();
        step(k, first);
      }
      first = end;
    }
  }

 private:
  static PackedWeights<Fast> packed_weights(const Direction<T>& d, const ForwardTask<T>& task) {
    return shard_block<PackedWeights<Fast>>(task.prepared == nullptr ? task.scratch : task.prepared, d, 0);
  }

  // The input bias; GRU: of z and r both rows at once, those of n apart.
  static void pack_bias(const FastShape<T>& shape, const Direction<T>& d, const PackedWeights<Fast>& packed) {
    std::fill(packed.bias, packed.bias + Fast::gates * shape.width, T(0));
    std::fill(packed.recurrent_bias, packed.recurrent_bias + (Fast::bias_rows - 1) * shape.width, T(0));
    if (d.bias == nullptr) return;
    const T* const second = d.bias + Fast::gates * d.units;
    visit_parts<Fast>(kernel_part<Fast>(d), [&](int first, int count) {
      T* const part = packed.bias + first * shape.width;
      shape.kernels.pack(some_gates<Fast>(d, 1, first, count), d.bias, part);
      for (int gate = first; Fast::bias_rows > 1 && gate < std::min(first + count, Fast::gates - 1); ++gate)
        for (int64 unit = 0; unit < d.units; ++unit)
          part[(unit / shape.lanes * count + gate - first) * shape.lanes + unit % shape.lanes] +=
              second[gate * d.units + unit];
    });
    if (Fast::bias_rows > 1)
      std::copy(second + (Fast::gates - 1) * d.units, second + Fast::gates * d.units, packed.recurrent_bias);
  }

  bool keeps() const { return task_.saved != nullptr; }
  bool keeps_gates() const { return keeps() && kept_vectors<Fast>(d_) > 0; }

  void load_states() {
    load_padded_rows(schedule_, d_.state[0], d_.units, shape_.width, space_.h[0]);
    load_masks(d_, schedule_, shape_.width, space_.masks);
    if (Fast::states == 1) return;
    load_padded_rows(schedule_, d_.state[1], d_.units, shape_.width, space_.h[1]);
    to_blocks(shape_, schedule_.rows(), space_.h[1], space_.c);
  }

  // The gates of packed row `row` of the chunk that begins at step `first`, and the distance between unit blocks.
  T* gates(int64 first, int64 row) const {
    const int64 vectors = Fast::vectors * shape_.lanes;
    return keeps_gates() ? saved_.gates + (schedule_.offset(first) + row) * vectors : space_.gates + row * vectors;
  }
  long gates_block() const {
    return static_cast<long>((keeps_gates() ? saved_.capacity : chunk_) * Fast::vectors * shape_.lanes);
  }

  void project(int64 first, int64 end) const {
    visit_parts<Fast>(kernel_part<Fast>(d_), [&](int gate, int count) {
      ProjectionArgs<T> a;
      a.x = input_rows(d_, schedule_, first, end, gate, space_.inputs, a.rows);
      a.k = static_cast<int>(d_.features);
      a.blocks = shape_.blocks;
      a.weights = weights_.kernel + gate * shape_.width * d_.features;
      a.bias = weights_.bias + gate * shape_.width;
      a.out = gates(first, 0) + gate * shape_.lanes;
      a.out_gates = Fast::vectors;
      a.out_block = gates_block();
      shape_.kernels.project(count, a);
    });
  }

  void step(int64 k, int64 first) {
    const int64 at = schedule_.offset(k), before = k == 0 ? 0 : schedule_.offset(k - 1), rows = schedule_.rows();
    ForwardArgs<T> a{};
    a.rows = static_cast<int>(schedule_.living(k));
    a.units = static_cast<int>(d_.units);
    a.blocks = shape_.blocks;
    a.keep = keeps_gates();
    a.reversed = k % 2 == 1;
    a.weights = weights_.recurrent_kernel;
    a.recurrent_bias = weights_.recurrent_bias;
    a.gates = gates(first, at - schedule_.offset(first));
    a.gates_block = gates_block();
    const bool from_saved = keeps() && k > 0;
    a.before = from_saved ? saved_.h + before * shape_.width : space_.h[k % 2];
    a.h = keeps() ? saved_.h + at * shape_.width : space_.h[(k + 1) % 2];
    a.c_before = from_saved ? saved_.c + before * shape_.lanes : space_.c;
    a.c = keeps() ? saved_.c + at * shape_.lanes : space_.c;
    a.c_block = static_cast<long>((keeps() ? saved_.capacity : rows) * shape_.lanes);
    a.c_before_block = static_cast<long>((from_saved ? saved_.capacity : rows) * shape_.lanes);
    if (k == 0 && d_.state[0] == nullptr && !split_) a.before = nullptr;
    if (k == 0 && d_.state[1] == nullptr) a.c_before = nullptr;
    a.before_step = a.h_step = static_cast<long>(shape_.width);
    a.reset = space_.reset;
    if (writes_directly()) {
      a.y = task_.y.data + places_.sequence_row(0, k) * task_.y.step;
      a.y_step = static_cast<long>(d_.time * task_.y.step);
    }
    if (split_)
      split_step(a);
    else
      Fast::forward(shape_.kernels, a);
    if (!writes_directly()) put_outputs(k, a.h);
    finish_rows(schedule_.living(k + 1), schedule_.living(k), a.h, a.c, a.c_block / shape_.lanes);
  }

  void split_step(ForwardArgs<T>& a) const {
    a.activation = &activation_;
    a.recurrent_activation = &recurrent_activation_;
    visit_parts<Fast>(forward_part<Fast>(d_), [&](int gate, int count) {
      if (!Fast::resets_before || gate < Fast::first_gates) add_product(a, gate, count, dropped(a, gate));
    });
    if constexpr (Fast::resets_before) {
      ForwardArgs<T> reset = a;
      reset.before = dropped(a, Fast::first_gates);
      shape_.kernels.forward_reset(reset);
      add_product(a, Fast::first_gates, 1, a.reset);
      shape_.kernels.forward_candidate(a);
    } else {
      Fast::forward(shape_.kernels, a);
    }
  }

  // h before the step as it meets the weights of a gate.
  const T* dropped(const ForwardArgs<T>& a, int gate) const {
    if (d_.h_masks == 0) return a.before;
    dropout_.apply(gate, a.rows * shape_.width, a.before, false, space_.left);
    return space_.left;
  }

  // gates += left R for some gates. GRU with reset_after: the product of the candidate has a vector of its own, and
  // begins with its bias.
  void add_product(const ForwardArgs<T>& a, int gate, int count, const T* left) const {
    const bool apart = Fast::bias_rows > 1 && gate == Fast::gates - 1;
    ProjectionArgs<T> p;
    p.rows = packed_rows(a.rows, shape_.width);
    p.x = left;
    p.k = a.units;
    p.blocks = a.blocks;
    p.weights = weights_.recurrent_kernel + gate * shape_.width * d_.units;
    p.bias = weights_.recurrent_bias;
    p.out = a.gates + (apart ? gate + 1 : gate) * shape_.lanes;
    p.out_gates = Fast::vectors;
    p.out_block = a.gates_block;
    if (apart)
      shape_.kernels.project(count, p);
    else
      shape_.kernels.add_product(count, a.reversed, p);
  }

  // Without masks the rows of a step lie at one distance in the output.
  bool writes_directly() const { return schedule_.full() && d_.return_sequences; }

  void put_outputs(int64 k, const T* h) const {
    places_.visit(
        k, [&](int64 i, int64 row, Place kind) { put(row, kind == Place::zero ? nullptr : h + i * shape_.width); });
  }
  void put(int64 output_row, const T* h) const {
    T* const to = task_.y.data + output_row * task_.y.step;
    if (h == nullptr)
      std::fill(to, to + d_.units, T(0));
    else
      std::copy(h, h + d_.units, to);
  }

  // The final states of rows that have no further step.
  void finish_rows(int64 begin, int64 end, const T* h, const T* c, int64 c_rows) const {
    for (int64 i = begin; i < end; ++i) {
      const int64 row = schedule_.row(i) * d_.units;
      std::copy(h + i * shape_.width, h + i * shape_.width + d_.units, task_.state[0] + row);
      if (Fast::states > 1)
        row_from_blocks(shape_, d_.units, c + i * shape_.lanes, c_rows * shape_.lanes, task_.state[1] + row);
    }
  }

  const Direction<T>& d_;
  const ForwardTask<T>& task_;
  const FastShape<T> shape_;
  const int64 chunk_;  // packed rows of one chunk at most
  const bool split_;
  const CellActivation<T> activation_, recurrent_activation_;
  PackedWeights<Fast> weights_;
  FastForwardSpace<Fast> space_;
  FastSaved<Fast> saved_;
  Schedule schedule_;
  OutputPlaces<T> places_;
  StateDropout<T> dropout_;
};

}  // namespace birnn
