// Reverse mode over a straight list of ops: one loop, no recursion (level L3).
#include "backward.h"

#include <algorithm>

#include "parallel.h"

namespace birnn {

namespace {

template <typename T>
void add_numbers(T* sum, const T* more, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) sum[i] += more[i];
}

bool needs(unsigned bits, std::size_t k) { return bits == all_values || (k < 31 && (bits >> k & 1u) != 0u); }

// One backward pass over nodes; the lists hold what the op at hand is given and asked for.
class Pass {
 public:
  Pass(const std::vector<View>& values, const std::vector<char>& wanted, std::vector<char>& filled,
       GradientSpace& space, BackwardLists& lists)
      : values_(values), wanted_(wanted), filled_(filled), space_(space), lists_(lists) {}

  // Whether a gradient has reached the node.
  bool run(const Node& node) {
    if (!list_reached(node)) return false;
    if (node.op->backward == nullptr) return true;
    space_.begin_op();
    if (!list_requests(node)) return true;
    list_visible(node.in, node.op->needs_inputs, lists_.in);
    list_visible(node.out, node.op->needs_outputs, lists_.out);
    node.op->backward(
        BackwardCall{node.attrs, lists_.in.data(), lists_.out.data(), node.saved.data(), lists_.dout.data(),
                     lists_.din.data(), reinterpret_cast<const bool*>(lists_.accumulate.data()),
                     space_.scratch(node.backward_scratch), reinterpret_cast<bool*>(lists_.untouched.data())});
    forget_untouched(node);
    add_repeated(node);
    return true;
  }

 private:
  bool list_reached(const Node& node) {
    bool reached = false;
    lists_.dout.assign(node.out.size(), View());
    for (std::size_t k = 0; k < node.out.size(); ++k) {
      if (!filled_[index_of(node.out[k])]) continue;
      lists_.dout[k] = gradient(node.out[k]);
      reached = true;
    }
    return reached;
  }

  // The gradients the op is asked for. Two inputs that are the same value must not share a buffer while the op runs:
  // the second one is written aside and added afterwards.
  bool list_requests(const Node& node) {
    bool any = false;
    lists_.din.assign(node.in.size(), View());
    lists_.accumulate.assign(node.in.size(), 0);
    lists_.untouched.assign(node.in.size(), 0);
    lists_.repeated.clear();
    for (std::size_t k = 0; k < node.in.size(); ++k) {
      const int value = node.in[k];
      if (value < 0 || !wanted_[index_of(value)]) continue;
      any = true;
      const auto end = node.in.begin() + static_cast<std::ptrdiff_t>(k);
      if (std::find(node.in.begin(), end, value) != end) {
        lists_.din[k] = View{space_.temporary(values_[index_of(value)].meta.bytes()), values_[index_of(value)].meta};
        lists_.repeated.push_back(k);
        continue;
      }
      lists_.din[k] = gradient(value);
      lists_.accumulate[k] = filled_[index_of(value)];
      filled_[index_of(value)] = 1;
    }
    return any;
  }

  void list_visible(const std::vector<int>& numbers, unsigned needed, std::vector<View>& views) const {
    views.assign(numbers.size(), View());
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      if (numbers[k] < 0) continue;
      views[k] = values_[index_of(numbers[k])];
      if (!needs(needed, k)) views[k].data = nullptr;
    }
  }

  void forget_untouched(const Node& node) {
    for (std::size_t k = 0; k < node.in.size(); ++k)
      if (lists_.untouched[k] && !lists_.accumulate[k]) filled_[index_of(node.in[k])] = 0;
  }

  void add_repeated(const Node& node) {
    for (const std::size_t k : lists_.repeated)
      if (!lists_.untouched[k]) add_into(gradient(node.in[k]), lists_.din[k].data);
  }

  View gradient(int value) {
    const Meta& meta = values_[index_of(value)].meta;
    return View{space_.gradient(value, meta), meta};
  }

  static std::size_t index_of(int value) { return static_cast<std::size_t>(value); }

  const std::vector<View>& values_;
  const std::vector<char>& wanted_;
  std::vector<char>& filled_;
  GradientSpace& space_;
  BackwardLists& lists_;
};

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
                   const std::vector<char>& is_source, std::vector<char>& filled, GradientSpace& space,
                   BackwardLists& lists) {
  Pass pass(values, wanted, filled, space, lists);
  for (std::size_t k = nodes.size(); k-- > 0;) {
    check_cancel();
    if (!pass.run(nodes[k])) continue;
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
