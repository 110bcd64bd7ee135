// Reverse mode over a straight list of ops: one loop, no recursion (level L3).
#include "backward.h"

#include "parallel.h"

namespace birnn {

namespace {

template <typename T>
void add_numbers(T* sum, const T* more, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) sum[i] += more[i];
}

bool needs(unsigned bits, std::size_t k) { return bits == all_values || (k < 31 && (bits >> k & 1u) != 0u); }

// The gradients one op is asked for. Two inputs that are the same value must not share a buffer while the op runs:
// the second one is written aside and added afterwards.
class Requests {
 public:
  Requests(const Node& node, const std::vector<View>& values, const std::vector<char>& wanted,
           std::vector<char>& filled, GradientSpace& space)
      : node_(node), values_(values), filled_(filled) {
    din_.resize(node.in.size());
    accumulate_.resize(node.in.size(), 0);
    for (std::size_t k = 0; k < node.in.size(); ++k) request(k, wanted, space);
  }
  const View* views() const { return din_.data(); }
  const bool* accumulate() const { return reinterpret_cast<const bool*>(accumulate_.data()); }
  bool any() const { return any_; }
  void add_repeated(GradientSpace& space) {
    for (std::size_t k : repeated_) {
      View sum = values_[static_cast<std::size_t>(node_.in[k])];
      sum.data = space.gradient(node_.in[k], sum.meta);
      add_into(sum, din_[k].data);
    }
  }

 private:
  void request(std::size_t k, const std::vector<char>& wanted, GradientSpace& space) {
    const int value = node_.in[k];
    if (value < 0 || !wanted[static_cast<std::size_t>(value)]) return;
    any_ = true;
    din_[k].meta = values_[static_cast<std::size_t>(value)].meta;
    for (std::size_t before = 0; before < k; ++before)
      if (node_.in[before] == value) {
        din_[k].data = space.temporary(din_[k].meta.bytes());
        repeated_.push_back(k);
        return;
      }
    din_[k].data = space.gradient(value, din_[k].meta);
    accumulate_[k] = filled_[static_cast<std::size_t>(value)];
    filled_[static_cast<std::size_t>(value)] = 1;
  }

  const Node& node_;
  const std::vector<View>& values_;
  std::vector<char>& filled_;
  std::vector<View> din_;
  std::vector<char> accumulate_;
  std::vector<std::size_t> repeated_;
  bool any_ = false;
};

std::vector<View> visible(const std::vector<int>& numbers, const std::vector<View>& values, unsigned needed) {
  std::vector<View> views(numbers.size());
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    if (numbers[k] < 0) continue;
    views[k] = values[static_cast<std::size_t>(numbers[k])];
    if (!needs(needed, k)) views[k].data = nullptr;
  }
  return views;
}

bool run_node(const Node& node, const std::vector<View>& values, const std::vector<char>& wanted,
              std::vector<char>& filled, GradientSpace& space) {
  std::vector<View> dout(node.out.size());
  bool reached = false;
  for (std::size_t k = 0; k < node.out.size(); ++k) {
    const std::size_t value = static_cast<std::size_t>(node.out[k]);
    if (!filled[value]) continue;
    dout[k].meta = values[value].meta;
    dout[k].data = space.gradient(node.out[k], dout[k].meta);
    reached = true;
  }
  if (!reached || node.op->backward == nullptr) return reached;
  space.begin_op();
  Requests requests(node, values, wanted, filled, space);
  if (!requests.any()) return reached;
  const std::vector<View> in = visible(node.in, values, node.op->needs_inputs);
  const std::vector<View> out = visible(node.out, values, node.op->needs_outputs);
  node.op->backward(BackwardCall{node.attrs, in.data(), out.data(), node.saved.data(), dout.data(), requests.views(),
                                 requests.accumulate(), space.scratch(node.backward_scratch)});
  requests.add_repeated(space);
  return reached;
}

}  // namespace

void add_into(const View& sum, const void* more) {
  if (sum.dtype() == DType::float32)
    add_numbers(sum.as<float>(), static_cast<const float*>(more), sum.count());
  else
    add_numbers(sum.as<double>(), static_cast<const double*>(more), sum.count());
}

void mark_wanted(const std::vector<Node>& nodes, const std::vector<View>& values, std::vector<char>& wanted) {
  for (const Node& node : nodes) {
    if (node.op->backward == nullptr) continue;
    bool any = false;
    for (int value : node.in) any = any || (value >= 0 && wanted[static_cast<std::size_t>(value)]);
    if (!any) continue;
    for (int value : node.out) {
      const std::size_t k = static_cast<std::size_t>(value);
      if (is_floating(values[k].dtype())) wanted[k] = 1;
    }
  }
}

void backward_pass(const std::vector<Node>& nodes, const std::vector<View>& values, const std::vector<char>& wanted,
                   const std::vector<char>& is_source, std::vector<char>& filled, GradientSpace& space) {
  for (std::size_t k = nodes.size(); k-- > 0;) {
    check_cancel();
    if (!run_node(nodes[k], values, wanted, filled, space)) continue;
    for (int value : nodes[k].out) {
      const std::size_t v = static_cast<std::size_t>(value);
      if (filled[v] && !is_source[v]) {
        space.release(value);
        filled[v] = 0;
      }
    }
  }
}

}  // namespace birnn
