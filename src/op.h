// The contract of an op: what every differentiable (or not) operation tells tape, plan and eager calls (level L3).
//
// An op computes k outputs from n inputs. It never allocates, never calls R and never throws after `infer`:
// the caller provides outputs, saved values and scratch. Attributes hold no batch or time size.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "view.h"

namespace birnn {

// Named constants of an op: numbers (a logical is 0 or 1) or texts, each a vector.
class Attrs {
 public:
  void set(const std::string& name, std::vector<double> numbers) { numbers_[name] = std::move(numbers); }
  void set(const std::string& name, std::vector<std::string> texts) { texts_[name] = std::move(texts); }
  bool has(const std::string& name) const { return numbers_.count(name) > 0 || texts_.count(name) > 0; }

  double number(const std::string& name) const;  // an error if missing
  double number(const std::string& name, double otherwise) const;
  std::int64_t integer(const std::string& name) const { return static_cast<std::int64_t>(number(name)); }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    return static_cast<std::int64_t>(number(name, static_cast<double>(otherwise)));
  }
  bool flag(const std::string& name, bool otherwise = false) const {
    return number(name, otherwise ? 1.0 : 0.0) != 0.0;
  }
  const std::vector<double>& numbers(const std::string& name) const;  // empty if missing
  const std::vector<std::string>& texts(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  std::string text(const std::string& name, const std::string& otherwise) const;

 private:
  std::map<std::string, std::vector<double>> numbers_;
  std::map<std::string, std::vector<std::string>> texts_;
};

// What `infer` answers. Sizes may be unknown (-1) when an input's are: then only dtypes and shapes of `outputs` count.
struct Inference {
  std::vector<Meta> outputs;
  std::vector<Meta> saved;  // values the forward pass keeps for the backward pass (64-byte aligned, not R's memory)
  std::size_t forward_scratch = 0;  // bytes, 64-byte aligned
  std::size_t backward_scratch = 0;
  // What the op makes of some inputs alone (bits, as needs_inputs) before it computes: packed weights. A caller may
  // keep it, in this many bytes, for the next calls; the size depends on no other input.
  std::size_t prepared = 0;
  unsigned prepared_inputs = 0;
};

struct ForwardCall {
  const Attrs& attrs;
  const View* in;  // absent() for an optional input that was not given
  const View* out;
  const View* saved;  // null if nobody will ask for a gradient
  void* scratch;
  void* prepared = nullptr;  // where to keep what is prepared; null: nowhere
  bool is_prepared = false;  // it is there already
  bool training() const { return saved != nullptr; }
};

struct BackwardCall {
  const Attrs& attrs;
  const View* in;   // data is null for inputs not named by needs_inputs
  const View* out;  // data is null for outputs not named by needs_outputs
  const View* saved;
  const View* dout;        // dout[k] is absent() if nothing downstream used output k: it counts as zero
  const View* din;         // din[i] is absent() if nobody wants it
  const bool* accumulate;  // add to din[i] (true) or overwrite it (false)
  void* scratch;
  bool* untouched = nullptr;  // to be set for a din[i] that was not written, because nothing flows back into input i
};

constexpr unsigned all_values = ~0u;

struct OpDef {
  const char* name;
  Inference (*infer)(const Attrs& attrs, const std::vector<Meta>& in);
  void (*forward)(const ForwardCall& call);
  void (*backward)(const BackwardCall& call);  // null: not differentiable
  unsigned needs_inputs;   // bit i (i < 31): the value of input i is needed by `backward`; all_values for n-ary ops
  unsigned needs_outputs;  // bit k: the value of output k is needed by `backward`
  int alias;  // >= 0: output 0 has the very bytes of input `alias` (reshape); `forward` is then never called. Otherwise
              // -1
};

void register_op(const OpDef& def);
const OpDef& find_op(const std::string& name);  // an Error of kind "value" if unknown
std::vector<std::string> op_names();

// Defined by each ops_*.cpp; called once by register_all_ops() (no static initialisers: the linker may drop them).
void register_elementwise_ops();
void register_reduce_ops();
void register_shape_ops();
void register_matmul_ops();
void register_index_ops();
void register_loss_ops();
void register_random_ops();
void register_recurrent_ops();
void register_all_ops();

}  // namespace birnn
