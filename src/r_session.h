// What lasts as long as the R session: threads, Ctrl-C, the op registry (level L4).
#pragma once

namespace birnn {

// Takes options(birnn.threads = ) into account; called at the beginning of every piece of work.
void follow_thread_option();

}  // namespace birnn
