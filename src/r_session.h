// What lasts as long as the R session: threads, Ctrl-C, the op registry (level L4).
#pragma once

namespace birnn {

// Takes options(birnn.threads = ) into account; called at the beginning of every piece of work.
void follow_thread_option();

// What was run so far, for tests.
struct RunCounts {
  double plan_runs = 0, eager_ops = 0;
};
RunCounts& run_counts();

}  // namespace birnn
