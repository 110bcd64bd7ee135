// A tape as R holds it: external pointer to the Tape, protecting the bytes that the tape points to (level L4).
#pragma once
#include "r_tensor.h"
#include "tape.h"

namespace birnn {

Tape& tape_of(SEXP pointer);

// The number of `x` on the tape; -1 if the tape does not know it. Trainable variables get their number here.
int value_on_tape(SEXP pointer, SEXP x, const View& view);

void keep_on_tape(SEXP pointer, SEXP x);
void tag_tensor(SEXP tensor, const Tape& tape, int value);

}  // namespace birnn
