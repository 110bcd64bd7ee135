// Which rows live at which step of a recurrence (level L2).
//
// A masked step is the same as a step that is not there: the schedule of a row lists its valid times in processing
// order. Rows are sorted by the number of their steps, longest first (equal ones keep their order), so that the rows
// living at step k are a prefix. Values of all steps lie packed: those of step k at rows offset(k) .. offset(k) +
// living(k) - 1.
#pragma once
#include <cstdint>

#include "workspace.h"

namespace birnn {

// The memory of a schedule for at most `rows` rows. Nothing is taken without a mask.
struct ScheduleSpace {
  int64* order = nullptr;    // (rows) row of the batch, in the order of the schedule
  int64* lengths = nullptr;  // (rows) number of steps
  int64* times = nullptr;    // (rows, time) the valid times of a row
  int64* offsets = nullptr;  // (time + 1)
  ScheduleSpace(Workspace& space, int64 rows, int64 time, bool masked);
};

class Schedule {
 public:
  // Rows first_row .. first_row + rows - 1 of a batch with `mask` (B, time) or null; 0 marks a masked step.
  Schedule(const ScheduleSpace& space, const std::uint8_t* mask, int64 first_row, int64 rows, int64 time,
           bool go_backwards);

  bool full() const { return full_; }  // no step is masked: nothing is sorted
  int64 rows() const { return rows_; }
  int64 time() const { return time_; }
  int64 first_row() const { return first_row_; }
  int64 steps() const { return steps_; }
  int64 offset(int64 k) const { return full_ ? k * rows_ : space_.offsets[k]; }
  int64 living(int64 k) const {
    if (k >= steps_) return 0;
    return full_ ? rows_ : space_.offsets[k + 1] - space_.offsets[k];
  }
  // Of the i-th row of the schedule: its row in the batch, its number of steps, the time of its step k, and the place
  // of that time in processing order (masked ones counted).
  int64 row(int64 i) const { return full_ ? first_row_ + i : space_.order[i]; }
  int64 length(int64 i) const { return full_ ? time_ : space_.lengths[i]; }
  int64 time_of(int64 k, int64 i) const { return full_ ? in_order(k) : space_.times[i * time_ + k]; }
  int64 place(int64 k, int64 i) const { return full_ ? k : in_order(space_.times[i * time_ + k]); }

  // The longest run of steps from k on (or ending before k) with at most `rows` packed rows, but at least one step.
  int64 chunk_end(int64 k, int64 rows) const;
  int64 chunk_begin(int64 k, int64 rows) const;

 private:
  int64 in_order(int64 k) const { return go_backwards_ ? time_ - 1 - k : k; }
  void list_times(const std::uint8_t* mask);
  void sort_rows(const std::uint8_t* mask);

  ScheduleSpace space_;
  int64 first_row_, rows_, time_, steps_;
  bool go_backwards_, full_;
};

}  // namespace birnn
