// A part of a step that runs as a plan, as one op on a tape (level L3).
#pragma once
#include "plan.h"
#include "tape.h"

namespace birnn {

// Notes the last run of `plan` on the tape. `sources`: the numbers on the tape of the plan's `trainable` values, `out`:
// its outputs. The plan must not run again before the gradients have been asked for; what it was given must stay.
// Returns the number of the first output.
int record_part(Tape& tape, Plan& plan, std::vector<int> sources, const std::vector<View>& out);

}  // namespace birnn
