// A plan: the ops of one step, compiled once, run on kept memory for every batch (level L3).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "arena.h"
#include "backward.h"

namespace birnn {

// What a plan is made from. Values are numbered from 0; -1 is "none".
struct PlanSource {
  int n_values = 0;
  std::vector<Node> nodes;  // without saved views
  std::vector<int> given;   // values filled from outside: inputs, variables, constants
  std::vector<int> outputs;
  int loss = -1;
  std::vector<int> trainable;  // values whose gradients are wanted; empty: no backward pass. Without a loss it is the
                               // caller who starts one
};

class Plan {
 public:
  explicit Plan(PlanSource source);

  // Runs forwards (and backwards, if there is anything trainable) from the views of `given`, which must stay valid
  // until the results have been read. Nothing outside the plan is changed. `versions`: a number for each given value
  // that changes whenever the value does (a negative one: always); what ops prepare of values (packed weights) is kept
  // until then. Empty: nothing is kept.
  void run(const std::vector<View>& given, const std::vector<double>& versions = {});
  double runs() const { return runs_; }

  // A backward pass through the last run, from the gradients of any values: begin, add those, finish.
  void begin_backward() { filled_.assign(values_.size(), 0); }
  void add_gradient(int number, const View& gradient);
  void finish_backward();

  const View& value(int number) const { return values_[static_cast<std::size_t>(number)]; }
  double loss() const;              // NaN if there is none
  View gradient(int number) const;  // absent if the loss does not depend on it
  const PlanSource& source() const { return source_; }
  // The bytes of work space for given values of these types and shapes.
  std::size_t work_bytes(const std::vector<View>& given) const;

 private:
  // Where everything lies for inputs of certain shapes: offsets into the arena.
  struct Layout {
    std::vector<Meta> given;
    std::vector<Meta> metas;
    std::vector<std::size_t> value_offset;
    std::vector<std::vector<View>> saved;  // data is null: see saved_offset
    std::vector<std::vector<std::size_t>> saved_offset;
    std::vector<std::size_t> gradient_offset;
    std::size_t temporary_offset = 0, scratch_offset = 0, bytes = 0;
    std::vector<std::size_t> backward_scratch, prepared;
    std::vector<unsigned> prepared_inputs;
    std::vector<char> wanted;  // values on a path from something trainable
  };
  class Space;

  const Layout& layout_for(const std::vector<View>& given);
  Layout make_layout(const std::vector<View>& given) const;
  void place_values(Layout& layout) const;
  void place_gradients(Layout& layout) const;
  void bind_arena(const Layout& layout);
  void bind_given(const std::vector<View>& given);
  void forward(const Layout& layout);
  void forget_layouts();
  bool find_prepared(const Layout& layout, std::size_t n);
  void note_prepared(std::size_t n);
  void backward();

  PlanSource source_;
  std::vector<char> is_source_;
  std::vector<std::size_t> aliases_;  // nodes whose output has the bytes of an input
  std::vector<std::unique_ptr<Layout>> layouts_;
  AlignedBuffer arena_;
  // What the op of a node has prepared, and the versions of its inputs then.
  struct Prepared {
    AlignedBuffer memory;
    std::vector<double> versions;
  };
  std::vector<Prepared> prepared_;
  std::vector<double> versions_;  // of all values; negative: unknown
  std::string isa_;
  std::vector<View> values_;
  std::vector<char> filled_;
  double runs_ = 0;
  const Layout* current_ = nullptr;  // the one that values_ and nodes point into the arena by
  std::vector<View> in_, out_;       // what the op at hand gets
  BackwardLists lists_;
};

}  // namespace birnn
