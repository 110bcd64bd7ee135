// Schedules of masks.
#include <vector>

#include "check.h"
#include "schedule.h"

using namespace birnn;

namespace {

Schedule build(AlignedBuffer& memory, const std::vector<std::uint8_t>& mask, int64 first, int64 rows, int64 time,
               bool backwards) {
  Workspace measure(nullptr);
  ScheduleSpace(measure, rows, time, true);
  Workspace space(memory.need(measure.used()));
  return Schedule(ScheduleSpace(space, rows, time, true), mask.data(), first, rows, time, backwards);
}

}  // namespace

TEST(schedule_without_mask_is_trivial) {
  Workspace none(nullptr);
  for (const bool backwards : {false, true}) {
    const Schedule s(ScheduleSpace(none, 3, 4, false), nullptr, 2, 3, 4, backwards);
    CHECK(none.used() == 0 && s.full() && s.steps() == 4 && s.rows() == 3);
    CHECK(s.offset(4) == 12 && s.living(3) == 3 && s.living(4) == 0);
    CHECK(s.row(1) == 3 && s.length(2) == 4 && s.place(1, 0) == 1);
    CHECK(s.time_of(1, 0) == (backwards ? 2 : 1));
  }
}

TEST(schedule_of_a_mask_sorts_rows_and_drops_masked_steps) {
  const std::vector<std::uint8_t> mask = {1, 1, 1, 1,  // a row outside
                                          0, 0, 0, 0,  //
                                          1, 0, 0, 1,  //
                                          1, 1, 1, 0,  //
                                          0, 1, 1, 0};
  AlignedBuffer memory;
  const Schedule s = build(memory, mask, 1, 4, 4, false);
  CHECK(!s.full() && s.steps() == 3);
  CHECK(s.row(0) == 3 && s.row(1) == 2 && s.row(2) == 4 && s.row(3) == 1);
  CHECK(s.length(0) == 3 && s.length(1) == 2 && s.length(2) == 2 && s.length(3) == 0);
  CHECK(s.living(0) == 3 && s.living(1) == 3 && s.living(2) == 1 && s.living(3) == 0);
  CHECK(s.offset(0) == 0 && s.offset(2) == 6 && s.offset(3) == 7);
  CHECK(s.time_of(0, 1) == 0 && s.time_of(1, 1) == 3 && s.place(1, 1) == 3 && s.time_of(0, 2) == 1);

  AlignedBuffer other;
  const Schedule b = build(other, mask, 1, 4, 4, true);
  CHECK(b.time_of(0, 0) == 2 && b.place(0, 0) == 1 && b.time_of(2, 0) == 0 && b.place(2, 0) == 3);
  CHECK(b.time_of(0, 1) == 3 && b.place(0, 1) == 0);
}

TEST(schedule_of_a_mask_without_gaps_is_trivial) {
  AlignedBuffer memory;
  CHECK(build(memory, {1, 1, 1, 1, 1, 1}, 0, 2, 3, false).full());
  CHECK(build(memory, {0, 0, 0, 0, 0, 0}, 0, 2, 3, false).steps() == 0);
}

TEST(schedule_cuts_steps_into_chunks) {
  Workspace none(nullptr);
  const Schedule s(ScheduleSpace(none, 3, 10, false), nullptr, 0, 3, 10, false);
  CHECK(s.chunk_end(0, 7) == 2 && s.chunk_end(8, 100) == 10 && s.chunk_end(4, 1) == 5);
  CHECK(s.chunk_begin(10, 7) == 8 && s.chunk_begin(3, 100) == 0 && s.chunk_begin(5, 1) == 4);
}

TEST(workspace_pieces_are_aligned_and_checked) {
  AlignedBuffer memory(4096);
  Workspace space(memory.data());
  const char* first = space.take<char>({3});
  const double* second = space.take<double>({2, 5});
  CHECK(reinterpret_cast<const char*>(second) - first == 64 && space.used() == 64 + 128);
  CHECK_ERROR(Workspace(nullptr).take<float>({int64{1} << 40, int64{1} << 40}), "resource");
}
