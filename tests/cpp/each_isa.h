// Runs a test on every instruction set of this processor, and leaves the best one in use.
#pragma once
#include "kernel_isa.h"

template <typename Body>
void on_every_isa(Body&& body) {
  const std::string best = birnn::isa();
  for (const std::string& name : birnn::known_isas()) {
    birnn::set_isa(name);
    body();
  }
  birnn::set_isa(best);
}
