// The backward pass of a plan as that of an op (level L3).
//
// A gradient that has been summed so far goes into the plan and comes back with what the plan adds, node by node: the
// sums are those of a tape that has every single node, to the last bit.
#include "plan_part.h"

#include <cstring>

namespace birnn {

namespace {

struct PartRun {
  Plan* plan;
  double run;
};

void hand_out(const Plan& plan, int source, const BackwardCall& call, std::size_t k) {
  const View gradient = plan.gradient(source);
  if (gradient.absent())
    call.untouched[k] = true;
  else
    std::memcpy(call.din[k].data, gradient.data, gradient.meta.bytes());
}

void backward(const BackwardCall& call) {
  const PartRun& part = *static_cast<const PartRun*>(call.saved[0].data);
  if (part.plan->runs() != part.run) fail("state", "a part of this computation has run again since it was recorded");
  const PlanSource& source = part.plan->source();
  part.plan->begin_backward();
  for (std::size_t k = 0; k < source.outputs.size(); ++k)
    if (!call.dout[k].absent()) part.plan->add_gradient(source.outputs[k], call.dout[k]);
  for (std::size_t k = 0; k < source.trainable.size(); ++k)
    if (!call.din[k].absent() && call.accumulate[k]) part.plan->add_gradient(source.trainable[k], call.din[k]);
  part.plan->finish_backward();
  for (std::size_t k = 0; k < source.trainable.size(); ++k)
    if (!call.din[k].absent()) hand_out(*part.plan, source.trainable[k], call, k);
}

const OpDef part_op{"part", nullptr, nullptr, backward, 0, 0, -1};

}  // namespace

int record_part(Tape& tape, Plan& plan, std::vector<int> sources, const std::vector<View>& out) {
  AlignedBuffer memory(sizeof(PartRun));
  new (memory.data()) PartRun{&plan, plan.runs()};
  std::vector<View> saved{View{memory.data(), Meta::none()}};
  return tape.record(part_op, Attrs(), std::move(sources), out.data(), out.size(), std::move(saved), std::move(memory),
                     0);
}

}  // namespace birnn
