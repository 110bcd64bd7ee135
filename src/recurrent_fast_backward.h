// The backward pass of the fast path (level L2).
#pragma once
#include "recurrent_backward.h"
#include "recurrent_fast.h"

namespace birnn {

template <typename Fast>
class FastBackwardPass {
  using T = typename Fast::Scalar;
  using Shared = TransposedWeights<Fast>;
  using Space = FastBackwardSpace<Fast>;

 public:
  FastBackwardPass(const Direction<T>& d, const BackwardTask<T>& task, int shard)
      : d_(d),
        task_(task),
        shape_(d),
        chunk_(chunk_rows(d)),
        kept_(kept_vectors<Fast>(d)),
        activation_(d.options.activation.for_kernels()),
        recurrent_activation_(d.options.recurrent_activation.for_kernels()),
        weights_(shard_block<Shared>(task.scratch, d, 0)),
        space_(fast_shard_block<Shared, Space>(task.scratch, d, shard)),
        saved_(shard_block<FastSaved<Fast>>(task.saved, d, shard)),
        schedule_(space_.schedule, d.mask, shard_begin(d.batch, shard),
                  shard_begin(d.batch, shard + 1) - shard_begin(d.batch, shard), d.time, d.go_backwards),
        places_(d, schedule_),
        dropout_{space_.masks, d.h_masks, schedule_.rows() * shape_.width} {}

  static void prepare(const Direction<T>& d, const BackwardTask<T>& task) {
    const FastShape<T> shape(d);
    const Shared transposed = shard_block<Shared>(task.scratch, d, 0);
    visit_parts<Fast>(backward_part<Fast>(d), [&](int gate, int count) {
      pack_transposed(shape, some_gates<Fast>(d, d.units, gate, count), d.recurrent_kernel,
                      transposed.recurrent_kernel + gate * shape.width * shape.width);
    });
    if (task.dx.data == nullptr) return;
    visit_parts<Fast>(kernel_part<Fast>(d), [&](int gate, int count) {
      pack_transposed(shape, some_gates<Fast>(d, d.features, gate, count), d.kernel,
                      transposed.kernel + gate * shape.width * shape.padded(d.features));
    });
  }

  // Adds up the shards in order and puts the sums where they belong.
  static void finish(const Direction<T>& d, const BackwardTask<T>& task) {
    const FastShape<T> shape(d);
    const Space total = fast_shard_block<Shared, Space>(task.scratch, d, 0);
    const long gates = static_cast<long>(Fast::gates * shape.width);
    const auto add = tier().arrays->of<T>().add;
    for (int shard = 1; shard < shard_count(d.batch); ++shard) {
      const Space part = fast_shard_block<Shared, Space>(task.scratch, d, shard);
      add(gates * static_cast<long>(d.features), part.sums.kernel, total.sums.kernel);
      add(gates * static_cast<long>(d.units), part.sums.recurrent_kernel, total.sums.recurrent_kernel);
      add(gates, part.sums.bias, total.sums.bias);
      if (Fast::bias_rows > 1) add(gates, part.recurrent_bias_sums, total.recurrent_bias_sums);
    }
    const auto put = [&](int64 k, int together, const T* sum, const Target<T>& to, int64 first) {
      if (to.data == nullptr) return;
      visit_parts<Fast>(together, [&](int gate, int count) {
        shape.kernels.unpack(some_gates<Fast>(d, k, gate, count), sum + gate * shape.width * k, to.accumulate,
                             to.data + first);
      });
    };
    put(d.features, kernel_part<Fast>(d), total.sums.kernel, task.dkernel, 0);
    put(d.units, backward_part<Fast>(d), total.sums.recurrent_kernel, task.drecurrent_kernel, 0);
    put(1, Fast::gates, total.sums.bias, task.dbias, 0);
    if (Fast::bias_rows > 1) put(1, Fast::gates, total.recurrent_bias_sums, task.dbias, Fast::gates * d.units);
  }

  void run() {
    const FlushToZero subnormals_are_zero;
    start();
    for (int64 end = schedule_.steps(); end > 0;) {
      const int64 first = schedule_.chunk_begin(end, chunk_);
      start_bias_sums();
      for (int64 k = end - 1; k >= first; --k) {
        check_cancel();
        step(k, schedule_.offset(k) - schedule_.offset(first));
      }
      add_bias_sums();
      if (task_.drecurrent_kernel.data != nullptr) add_recurrent_gradient(first, end);
      if (task_.dkernel.data != nullptr) add_kernel_gradient(first, end);
      if (task_.dx.data != nullptr) put_input_gradient(first, end);
      end = first;
    }
    put_state_gradients();
  }

 private:
  long gradient_block() const { return static_cast<long>(chunk_ * Fast::gates * shape_.lanes); }
  // The gradients that belong to the recurrent product.
  T* recurrent_gradient() const { return Fast::bias_rows > 1 ? space_.recurrent_gradient : space_.gradient; }

  void start() {
    load_padded_rows(schedule_, d_.state[0], d_.units, shape_.width, space_.initial_h);
    load_padded_rows(schedule_, task_.dstate[0], d_.units, shape_.width, space_.dh);
    load_masks(d_, schedule_, shape_.width, space_.masks);
    if (Fast::states > 1) {
      // `left` has a chunk's rows, so at least those of the shard.
      load_padded_rows(schedule_, d_.state[1], d_.units, shape_.width, space_.left);
      to_blocks(shape_, schedule_.rows(), space_.left, space_.initial_c);
      load_padded_rows(schedule_, task_.dstate[1], d_.units, shape_.width, space_.left);
      to_blocks(shape_, schedule_.rows(), space_.left, space_.dc);
    }
    const int64 gates = Fast::gates * shape_.width;
    std::fill(space_.sums.kernel, space_.sums.kernel + gates * d_.features, T(0));
    std::fill(space_.sums.recurrent_kernel, space_.sums.recurrent_kernel + gates * d_.units, T(0));
    std::fill(space_.sums.bias, space_.sums.bias + gates, T(0));
    if (Fast::bias_rows > 1) std::fill(space_.recurrent_bias_sums, space_.recurrent_bias_sums + gates, T(0));
    if (task_.dx.data == nullptr || task_.dx.accumulate || schedule_.full()) return;
    T* const dx = task_.dx.data + schedule_.first_row() * d_.time * d_.features;
    std::fill(dx, dx + schedule_.rows() * d_.time * d_.features, T(0));
  }

  void start_bias_sums() const {
    const int64 gates = Fast::gates * shape_.width;
    std::fill(space_.chunk_bias, space_.chunk_bias + gates, T(0));
    if (Fast::bias_rows > 1) std::fill(space_.chunk_recurrent_bias, space_.chunk_recurrent_bias + gates, T(0));
  }
  void add_bias_sums() const {
    const auto add = tier().arrays->of<T>().add;
    const long gates = static_cast<long>(Fast::gates * shape_.width);
    add(gates, space_.chunk_bias, space_.sums.bias);
    if (Fast::bias_rows > 1) add(gates, space_.chunk_recurrent_bias, space_.recurrent_bias_sums);
  }

  // `row`: where the step begins in its chunk.
  void step(int64 k, int64 row) {
    const int64 at = schedule_.offset(k), before = k == 0 ? 0 : schedule_.offset(k - 1), lanes = shape_.lanes;
    BackwardArgs<T> a{};
    a.rows = static_cast<int>(schedule_.living(k));
    a.units = static_cast<int>(d_.units);
    a.blocks = shape_.blocks;
    a.steps_before = static_cast<long>(k);
    a.gates = saved_.gates + at * kept_ * lanes;
    a.gates_block = static_cast<long>(saved_.capacity * kept_ * lanes);
    a.before = h_before(k);
    a.c_before = k > 0 ? saved_.c + before * lanes : d_.state[1] == nullptr ? nullptr : space_.initial_c;
    a.c_before_block = static_cast<long>((k > 0 ? saved_.capacity : schedule_.rows()) * lanes);
    a.c = saved_.c + at * lanes;
    a.c_block = static_cast<long>(saved_.capacity * lanes);
    a.h = saved_.h + at * shape_.width;
    a.before_step = a.h_step = a.dh_step = static_cast<long>(shape_.width);
    a.dh = space_.dh;
    a.dc = space_.dc;
    a.dc_block = static_cast<long>(schedule_.rows() * lanes);
    a.gradient = space_.gradient + row * Fast::gates * lanes;
    a.recurrent_gradient = recurrent_gradient() + row * Fast::gates * lanes;
    a.gradient_block = a.recurrent_gradient_block = gradient_block();
    a.bias_gradient = space_.chunk_bias;
    a.recurrent_bias_gradient = space_.chunk_recurrent_bias;
    a.reset = space_.reset + row * shape_.width;
    a.dreset = space_.dreset;
    if (splits_steps<Fast>(d_)) {
      a.h_mask = dropout_.of(Fast::gates - 1);
      a.activation = &activation_;
      a.recurrent_activation = &recurrent_activation_;
    }
    add_output_gradient(k, a);
    Fast::backward(shape_.kernels, a);
    if (Fast::resets_before) {
      multiply_back(a.rows, Fast::first_gates, Fast::gates - Fast::first_gates, a.gradient, false, space_.dreset);
      shape_.kernels.backward_reset(a);
    }
    if (k > 0 || task_.dinitial[0].data != nullptr) add_state_gradient(a.rows, a.recurrent_gradient);
  }

  // The gradient of h by way of the recurrent products; without reset_after the candidate has no share in it.
  void add_state_gradient(int rows, const T* gradient) const {
    visit_parts<Fast>(backward_part<Fast>(d_), [&](int gate, int count) {
      if (Fast::resets_before && gate >= Fast::first_gates) return;
      const bool accumulate = Fast::h_passes_by || gate > 0;
      if (d_.h_masks == 0) return multiply_back(rows, gate, count, gradient, accumulate, space_.dh);
      multiply_back(rows, gate, count, gradient, false, space_.dleft);
      dropout_.apply(gate, rows * shape_.width, space_.dleft, accumulate, space_.dh);
    });
  }

  // dy: read by the kernel where its rows lie at one distance, otherwise added to dh before.
  void add_output_gradient(int64 k, BackwardArgs<T>& a) const {
    if (task_.dy.data == nullptr) return;
    if (schedule_.full() && d_.return_sequences) {
      a.dy = task_.dy.data + places_.sequence_row(0, k) * task_.dy.step;
      a.dy_step = static_cast<long>(d_.time * task_.dy.step);
      return;
    }
    places_.visit(k, [&](int64 i, int64 row, Place kind) {
      if (kind != Place::zero) add_into(d_.units, task_.dy.data + row * task_.dy.step, space_.dh + i * shape_.width);
    });
  }

  // out (rows, width) = gradient R^T for some gates of the recurrent kernel, or added to what passed by the weights.
  void multiply_back(int rows, int first_gate, int gates, const T* gradient, bool accumulate, T* out) const {
    ProductArgs<T> p;
    p.rows = packed_rows(rows, shape_.width);
    p.blocks = shape_.blocks;
    p.gates = gates;
    p.columns = static_cast<int>(shape_.width);
    p.gradient = gradient + first_gate * shape_.lanes;
    p.gradient_block = gradient_block();
    p.gradient_gates = Fast::gates;
    p.weights = weights_.recurrent_kernel + first_gate * shape_.width * shape_.width;
    p.accumulate = accumulate;
    p.out = out;
    shape_.kernels.product(p);
  }

  const T* h_before(int64 k) const {
    if (k > 0) return saved_.h + schedule_.offset(k - 1) * shape_.width;
    return d_.state[0] == nullptr ? nullptr : space_.initial_h;
  }

  // sum += a^T gradient for some gates, whose gradients begin at packed row `row` of the chunk.
  void add_outer(const RowPattern& rows, int64 row, int64 k, const T* a, int first_gate, int gates, const T* gradient,
                 T* sum) const {
    OuterArgs<T> o;
    o.rows = rows;
    o.k = static_cast<int>(k);
    o.blocks = shape_.blocks;
    o.gates = gates;
    o.a = a;
    o.gradient = gradient + (row * Fast::gates + first_gate) * shape_.lanes;
    o.gradient_block = gradient_block();
    o.gradient_gates = Fast::gates;
    o.sum = sum;
    shape_.kernels.outer(o);
  }

  void add_kernel_gradient(int64 first, int64 end) const {
    visit_parts<Fast>(kernel_part<Fast>(d_), [&](int gate, int count) {
      RowPattern rows;
      const T* const x = input_rows(d_, schedule_, first, end, gate, space_.inputs, rows);
      add_outer(rows, 0, d_.features, x, gate, count, space_.gradient,
                space_.sums.kernel + gate * shape_.width * d_.features);
    });
  }

  void add_recurrent_gradient(int64 first, int64 end) const {
    const int64 begin = schedule_.offset(first);
    visit_parts<Fast>(backward_part<Fast>(d_), [&](int gate, int count) {
      const auto add = [&](int64 k, int64 rows, const T* left) {
        add_outer(packed_rows(rows, shape_.width), schedule_.offset(k) - begin, d_.units, left, gate, count,
                  recurrent_gradient(), space_.sums.recurrent_kernel + gate * shape_.width * d_.units);
      };
      if (Fast::resets_before && gate >= Fast::first_gates)
        return add(first, schedule_.offset(end) - begin, space_.reset);
      if (first == 0 && d_.state[0] != nullptr) add(0, schedule_.living(0), left_rows(0, 1, gate));
      const int64 from = std::max<int64>(first, 1);
      if (from < end) add(from, schedule_.offset(end) - schedule_.offset(from), left_rows(from, end, gate));
    });
  }

  // Packed rows of h before the steps as they met the weights of a gate: where they lie, without masks and dropout;
  // else brought together. Step 0 only alone.
  const T* left_rows(int64 first, int64 end, int gate) const {
    if (d_.h_masks == 0 && (end == 1 || schedule_.full())) return h_before(first);
    T* to = space_.left;
    for (int64 k = first; k < end; ++k) {
      const T* const h = h_before(k);
      const int64 count = schedule_.living(k) * shape_.width;
      if (d_.h_masks == 0)
        std::copy(h, h + count, to);
      else
        dropout_.apply(gate, count, h, false, to);
      to += count;
    }
    return space_.left;
  }

  void put_input_gradient(int64 first, int64 end) const {
    Target<T> dx = task_.dx;
    visit_parts<Fast>(kernel_part<Fast>(d_), [&](int gate, int count) {
      put_input_gradient(first, end, gate, count, dx);
      dx.accumulate = true;
    });
  }

  // Into dx itself where whole vectors fit; otherwise by way of a buffer.
  void put_input_gradient(int64 first, int64 end, int gate, int count, const Target<T>& dx) const {
    ProductArgs<T> p;
    p.blocks = shape_.blocks;
    p.gates = count;
    p.columns = static_cast<int>(shape_.padded(d_.features));
    p.gradient = space_.gradient + gate * shape_.lanes;
    p.gradient_block = gradient_block();
    p.gradient_gates = Fast::gates;
    p.weights = weights_.kernel + gate * shape_.width * p.columns;
    p.accumulate = false;
    int64 start = 0;
    const bool direct = d_.x_masks == 0 && !dx.accumulate && p.columns == d_.features &&
                        input_pattern(d_, schedule_, first, end, p.rows, start);
    if (!direct) p.rows = packed_rows(schedule_.offset(end) - schedule_.offset(first), p.columns);
    p.out = direct ? dx.data + start : space_.inputs;
    shape_.kernels.product(p);
    if (!direct) unpack_input_gradient(d_, schedule_, first, end, d_.x_mask(gate), space_.inputs, p.columns, dx);
  }

  void put_state_gradients() const {
    const auto put = [](const Target<T>& to, int64 at, T value) {
      to.data[at] = (to.accumulate ? to.data[at] : T(0)) + value;
    };
    for (int64 i = 0; i < schedule_.rows(); ++i)
      for (int64 unit = 0; unit < d_.units; ++unit) {
        const int64 at = schedule_.row(i) * d_.units + unit, block = unit / shape_.lanes;
        if (task_.dinitial[0].data != nullptr) put(task_.dinitial[0], at, space_.dh[i * shape_.width + unit]);
        if (Fast::states > 1 && task_.dinitial[1].data != nullptr)
          put(task_.dinitial[1], at, space_.dc[(block * schedule_.rows() + i) * shape_.lanes + unit % shape_.lanes]);
      }
  }

  const Direction<T>& d_;
  const BackwardTask<T>& task_;
  const FastShape<T> shape_;
  const int64 chunk_;  // packed rows of one chunk at most
  const int kept_;     // vectors of a row in the saved gates
  const CellActivation<T> activation_, recurrent_activation_;
  Shared weights_;
  Space space_;
  FastSaved<Fast> saved_;
  Schedule schedule_;
  OutputPlaces<T> places_;
  StateDropout<T> dropout_;
};

}  // namespace birnn
