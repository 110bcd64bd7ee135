// The one backward pass: tape and plan differ only in where gradients live (level L3).
#pragma once
#include <vector>

#include "op.h"

namespace birnn {

// One recorded op over numbered values. An absent input has the number -1.
struct Node {
  const OpDef* op;
  Attrs attrs;
  std::vector<int> in;
  std::vector<int> out;
  std::vector<View> saved;
  std::size_t backward_scratch = 0;
};

// Where gradients and other work space of a backward pass come from.
class GradientSpace {
 public:
  virtual ~GradientSpace() = default;
  virtual void begin_op() {}                                // temporaries of the op before are free again
  virtual void* gradient(int value, const Meta& meta) = 0;  // the same memory for the same value until released
  virtual void release(int /*value*/) {}                    // nobody needs this gradient any more
  virtual void* temporary(std::size_t bytes) = 0;           // for a second gradient of one value within one op
  virtual void* scratch(std::size_t bytes) = 0;
};

// Marks the values on a differentiable path from a source. `wanted` has a flag for each value; those of the sources
// are set by the caller.
void mark_wanted(const std::vector<Node>& nodes, const std::vector<View>& values, std::vector<char>& wanted);

// What a backward pass lists anew for every op; whoever runs passes again and again keeps it.
struct BackwardLists {
  std::vector<View> in, out, dout, din;
  std::vector<char> accumulate, untouched;
  std::vector<std::size_t> repeated;  // inputs that are the same value as one before them
};

// Runs nodes backwards from `target`, whose gradient the caller has written (and flagged in `filled`). Afterwards
// filled[v] tells whether value v has a gradient in `space`. Sources are never released.
void backward_pass(const std::vector<Node>& nodes, const std::vector<View>& values, const std::vector<char>& wanted,
                   const std::vector<char>& is_source, std::vector<char>& filled, GradientSpace& space,
                   BackwardLists& lists);

// Adds `more` to `sum`, element by element.
void add_into(const View& sum, const void* more);

}  // namespace birnn
