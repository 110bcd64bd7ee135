// How the rows of a batch meet the packed rows of a schedule: inputs, states, dropout masks, outputs (level L2).
#pragma once
#include <algorithm>

#include "kernel_isa.h"
#include "recurrent.h"
#include "schedule.h"

namespace birnn {

// Calls fn(packed row counted from offset(first), row of the batch, time) for steps first .. end - 1.
template <typename F>
void for_each_packed(const Schedule& schedule, int64 first, int64 end, F&& fn) {
  int64 packed = 0;
  for (int64 k = first; k < end; ++k)
    for (int64 i = 0; i < schedule.living(k); ++i) fn(packed++, schedule.row(i), schedule.time_of(k, i));
}

// The inputs of steps first .. end - 1 as packed rows (n, F), times `mask` (B, F).
template <typename T>
void pack_masked_inputs(const Direction<T>& d, const Schedule& schedule, int64 first, int64 end, const T* mask, T* to) {
  const long features = static_cast<long>(d.features), next_row = static_cast<long>(d.time) * features;
  const auto multiply = [&](int64 packed, int64 row, int64 time, long rows) {
    const Operands<T> in = {d.x + (row * d.time + time) * features, 1, mask + row * features, 1, next_row, features};
    tier().arrays->of<T>().combine(Combination::multiply, rows, features, in, to + packed * features);
  };
  if (!schedule.full())
    return for_each_packed(schedule, first, end,
                           [&](int64 packed, int64 row, int64 time) { multiply(packed, row, time, 1); });
  const int64 rows = schedule.rows();
  for (int64 k = first; k < end; ++k)
    multiply((k - first) * rows, schedule.first_row(), schedule.time_of(k, 0), static_cast<long>(rows));
}

// The same, `mask` or null; in `buffer`, or in x itself where they lie there in this order.
template <typename T>
const T* packed_inputs(const Direction<T>& d, const Schedule& schedule, int64 first, int64 end, const T* mask,
                       T* buffer) {
  const int64 features = d.features;
  if (mask == nullptr && schedule.full() && schedule.rows() == 1 && !d.go_backwards)
    return d.x + (schedule.first_row() * d.time + first) * features;
  if (mask != nullptr) {
    pack_masked_inputs(d, schedule, first, end, mask, buffer);
    return buffer;
  }
  for_each_packed(schedule, first, end, [&](int64 packed, int64 row, int64 time) {
    const T* const from = d.x + (row * d.time + time) * features;
    std::copy(from, from + features, buffer + packed * features);
  });
  return buffer;
}

// The rows of the inputs of steps first .. end - 1 where they lie in x: from element `start` on. False if they have to
// be brought together because masked steps lie between, or a step has too few rows for a pattern.
template <typename T>
bool input_pattern(const Direction<T>& d, const Schedule& schedule, int64 first, int64 end, RowPattern& pattern,
                   int64& start) {
  const int64 rows = schedule.rows();
  if (!schedule.full() || (rows > 1 && rows < least_strided_rows)) return false;
  const long features = static_cast<long>(d.features), next = d.go_backwards ? -features : features;
  const int count = static_cast<int>(end - first);
  if (rows == 1)
    pattern = {count, 1, next, 0};
  else
    pattern = {static_cast<int>(rows), count, static_cast<long>(d.time) * features, next};
  start = (schedule.first_row() * d.time + schedule.time_of(first, 0)) * d.features;
  return true;
}

// Packed gradients (n, F) of the inputs of steps first .. end - 1, rows `step` apart, times `mask`, to their places in
// dx.
template <typename T>
void unpack_input_gradient(const Direction<T>& d, const Schedule& schedule, int64 first, int64 end, const T* mask,
                           const T* packed_gradient, int64 step, Target<T> dx) {
  const auto& arrays = tier().arrays->of<T>();
  const long features = static_cast<long>(d.features);
  for_each_packed(schedule, first, end, [&](int64 packed, int64 row, int64 time) {
    const T* const from = packed_gradient + packed * step;
    T* const to = dx.data + (row * d.time + time) * features;
    if (mask != nullptr)
      arrays.combine_slope(Combination::multiply, 0, 1, features, {nullptr, 1, mask + row * features, 1}, nullptr, from,
                           dx.accumulate, to, features);
    else if (dx.accumulate)
      arrays.add(features, from, to);
    else
      std::copy(from, from + features, to);
  });
}

// Rows (B, units) in the order of the schedule, filled up with zeros to `width`; zeros for null.
template <typename T>
void load_padded_rows(const Schedule& schedule, const T* from, int64 units, int64 width, T* to) {
  for (int64 i = 0; i < schedule.rows(); ++i, to += width) {
    const int64 given = from == nullptr ? 0 : units;
    if (given > 0) std::copy(from + schedule.row(i) * units, from + (schedule.row(i) + 1) * units, to);
    std::fill(to + given, to + width, T(0));
  }
}

template <typename T>
void load_rows(const Schedule& schedule, const T* from, int64 units, T* to) {
  load_padded_rows(schedule, from, units, units, to);
}

// The dropout masks of h (h_masks, rows, width) in the order of the schedule.
template <typename T>
void load_masks(const Direction<T>& d, const Schedule& schedule, int64 width, T* to) {
  for (int m = 0; m < d.h_masks; ++m)
    load_padded_rows(schedule, d.h_dropout + m * d.batch * d.units, d.units, width, to + m * schedule.rows() * width);
}

// The places in the output that step k of a row fills. A masked step shows the last output before it, or zero.
enum class Place { own, repeated, zero };

template <typename T>
class OutputPlaces {
 public:
  OutputPlaces(const Direction<T>& d, const Schedule& schedule) : d_(d), schedule_(schedule) {}

  // fn(i, output row, kind) for each place that the living rows of step k are responsible for.
  template <typename F>
  void visit(int64 k, F&& fn) const {
    if (!d_.return_sequences) return visit_last(k, fn);
    const Place masked = d_.zero_output_for_mask ? Place::zero : Place::repeated;
    for (int64 i = 0; i < schedule_.living(k); ++i) {
      const int64 place = schedule_.place(k, i);
      const int64 next = k + 1 < schedule_.length(i) ? schedule_.place(k + 1, i) : d_.time;
      fn(i, sequence_row(i, place), Place::own);
      for (int64 p = place + 1; p < next; ++p) fn(i, sequence_row(i, p), masked);
    }
  }
  // fn(output row) for the places before the first valid step, which are zero.
  template <typename F>
  void visit_leading(F&& fn) const {
    for (int64 i = 0; i < schedule_.rows(); ++i) {
      const bool empty = schedule_.length(i) == 0;
      if (!d_.return_sequences) {
        if (empty) fn(schedule_.row(i));
        continue;
      }
      const int64 first = empty ? d_.time : schedule_.place(0, i);
      for (int64 p = 0; p < first; ++p) fn(sequence_row(i, p));
    }
  }
  // The output row of place `place` in processing order.
  int64 sequence_row(int64 i, int64 place) const {
    return schedule_.row(i) * d_.time + (d_.flipped ? d_.time - 1 - place : place);
  }

 private:
  template <typename F>
  void visit_last(int64 k, F&& fn) const {
    for (int64 i = schedule_.living(k + 1); i < schedule_.living(k); ++i) {
      const bool zero = d_.zero_output_for_mask && schedule_.place(k, i) != d_.time - 1;
      fn(i, schedule_.row(i), zero ? Place::zero : Place::own);
    }
  }

  const Direction<T>& d_;
  const Schedule& schedule_;
};

}  // namespace birnn
