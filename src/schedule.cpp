// Building a schedule from a mask (level L2).
#include "schedule.h"

#include <algorithm>

namespace birnn {

ScheduleSpace::ScheduleSpace(Workspace& space, int64 rows, int64 time, bool masked) {
  if (!masked) return;
  order = space.take<int64>({rows});
  lengths = space.take<int64>({rows});
  times = space.take<int64>({rows, time});
  offsets = space.take<int64>({time + 1});
}

Schedule::Schedule(const ScheduleSpace& space, const std::uint8_t* mask, int64 first_row, int64 rows, int64 time,
                   bool go_backwards)
    : space_(space),
      first_row_(first_row),
      rows_(rows),
      time_(time),
      steps_(rows > 0 ? time : 0),
      go_backwards_(go_backwards),
      full_(true) {
  if (mask == nullptr) return;
  const std::uint8_t* const own = mask + first_row * time;
  full_ = std::find(own, own + rows * time, std::uint8_t{0}) == own + rows * time;
  if (full_) return;
  sort_rows(mask);
  list_times(mask);
}

void Schedule::sort_rows(const std::uint8_t* mask) {
  for (int64 i = 0; i < rows_; ++i) {
    const std::uint8_t* const valid = mask + (first_row_ + i) * time_;
    space_.order[i] = first_row_ + i;
    space_.lengths[i] = time_ - std::count(valid, valid + time_, std::uint8_t{0});
  }
  // Equal lengths fall back on the row number: stable, and without the memory that std::stable_sort would take.
  const int64* const lengths = space_.lengths;
  std::sort(space_.order, space_.order + rows_, [&](int64 a, int64 b) {
    const int64 of_a = lengths[a - first_row_], of_b = lengths[b - first_row_];
    return of_a != of_b ? of_a > of_b : a < b;
  });
  std::sort(space_.lengths, space_.lengths + rows_, [](int64 a, int64 b) { return a > b; });
}

void Schedule::list_times(const std::uint8_t* mask) {
  for (int64 i = 0; i < rows_; ++i) {
    const std::uint8_t* const valid = mask + space_.order[i] * time_;
    int64* next = space_.times + i * time_;
    for (int64 place = 0; place < time_; ++place) {
      const int64 time = in_order(place);
      if (valid[time]) *next++ = time;
    }
  }
  steps_ = space_.lengths[0];
  space_.offsets[0] = 0;
  int64 living = rows_;
  for (int64 k = 0; k < steps_; ++k) {
    while (space_.lengths[living - 1] <= k) --living;
    space_.offsets[k + 1] = space_.offsets[k] + living;
  }
}

int64 Schedule::chunk_end(int64 k, int64 rows) const {
  int64 end = k + 1;
  while (end < steps_ && offset(end + 1) - offset(k) <= rows) ++end;
  return end;
}

int64 Schedule::chunk_begin(int64 k, int64 rows) const {
  int64 begin = k - 1;
  while (begin > 0 && offset(k) - offset(begin - 1) <= rows) --begin;
  return begin;
}

}  // namespace birnn
