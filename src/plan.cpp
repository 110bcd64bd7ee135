// Memory layout and execution of plans (level L3).
#include "plan.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernel_isa.h"
#include "parallel.h"

namespace birnn {

namespace {

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kept_layouts = 32;  // full and last batches, sequences of some lengths

std::size_t index_of(int number) { return static_cast<std::size_t>(number); }

// Gives out offsets one after the other.
class Ruler {
 public:
  std::size_t take(std::size_t bytes) {
    const std::size_t offset = end_;
    end_ += aligned_size(std::max<std::size_t>(bytes, 1));
    return offset;
  }
  std::size_t end() const { return end_; }

 private:
  std::size_t end_ = 0;
};

}  // namespace

class Plan::Space : public GradientSpace {
 public:
  Space(const Layout& layout, char* arena) : layout_(layout), arena_(arena) {}
  void* gradient(int value, const Meta&) override { return arena_ + layout_.gradient_offset[index_of(value)]; }
  void begin_op() override { used_ = 0; }
  void* temporary(std::size_t bytes) override {
    void* place = arena_ + layout_.temporary_offset + used_;
    used_ += aligned_size(bytes);
    return place;
  }
  void* scratch(std::size_t) override { return arena_ + layout_.scratch_offset; }

 private:
  const Layout& layout_;
  char* arena_;
  std::size_t used_ = 0;
};

Plan::Plan(PlanSource source) : source_(std::move(source)) {
  const std::size_t n = static_cast<std::size_t>(source_.n_values);
  is_source_.assign(n, 0);
  values_.resize(n);
  for (int value : source_.trainable) is_source_[index_of(value)] = 1;
  prepared_.resize(source_.nodes.size());
  versions_.assign(n, -1.0);
  for (std::size_t node = 0; node < source_.nodes.size(); ++node)
    if (source_.nodes[node].op->alias >= 0) aliases_.push_back(node);
}

void Plan::run(const std::vector<View>& given, const std::vector<double>& versions) {
  if (isa_ != isa()) forget_layouts();
  const Layout& layout = layout_for(given);
  for (std::size_t k = 0; k < given.size(); ++k)
    versions_[index_of(source_.given[k])] = versions.empty() ? -1.0 : versions[k];
  if (&layout != current_) bind_arena(layout);
  bind_given(given);
  forward(layout);
  ++runs_;
  if (!source_.trainable.empty() && source_.loss >= 0) backward();
}

double Plan::loss() const {
  if (source_.loss < 0) return std::numeric_limits<double>::quiet_NaN();
  const View& view = value(source_.loss);
  return view.dtype() == DType::float32 ? static_cast<double>(*view.as<float>()) : *view.as<double>();
}

View Plan::gradient(int number) const {
  View view;
  if (!filled_[index_of(number)]) return view;
  view.meta = values_[index_of(number)].meta;
  view.data = arena_.bytes() + current_->gradient_offset[index_of(number)];
  return view;
}

// Sizes of work space and the order of packed weights depend on the instruction set.
void Plan::forget_layouts() {
  isa_ = isa();
  layouts_.clear();
  current_ = nullptr;
  for (Prepared& prepared : prepared_) prepared.versions.clear();
}

std::size_t Plan::work_bytes(const std::vector<View>& given) const {
  const Layout layout = make_layout(given);
  std::size_t bytes = layout.bytes;
  if (source_.trainable.empty())
    for (const std::size_t prepared : layout.prepared) bytes += prepared;
  return bytes;
}

const Plan::Layout& Plan::layout_for(const std::vector<View>& given) {
  for (const auto& layout : layouts_) {
    bool same = true;
    for (std::size_t k = 0; same && k < given.size(); ++k)
      same = layout->given[k].dtype == given[k].dtype() && layout->given[k].shape == given[k].shape();
    if (same) return *layout;
  }
  if (layouts_.size() == kept_layouts) {
    layouts_.erase(layouts_.begin());
    current_ = nullptr;
  }
  layouts_.push_back(std::make_unique<Layout>(make_layout(given)));
  return *layouts_.back();
}

Plan::Layout Plan::make_layout(const std::vector<View>& given) const {
  Layout layout;
  layout.metas.resize(values_.size());
  for (std::size_t k = 0; k < given.size(); ++k) {
    layout.given.push_back(given[k].meta);
    layout.metas[index_of(source_.given[k])] = given[k].meta;
  }
  place_values(layout);
  if (!source_.trainable.empty()) place_gradients(layout);
  return layout;
}

// Shapes are inferred anew here; outputs, saved values and scratch get their places.
void Plan::place_values(Layout& layout) const {
  const bool training = !source_.trainable.empty();
  Ruler ruler;
  std::size_t scratch = 0;
  layout.value_offset.assign(values_.size(), nowhere);
  layout.gradient_offset.assign(values_.size(), nowhere);
  for (const Node& node : source_.nodes) {
    std::vector<Meta> in;
    for (int value : node.in) in.push_back(value < 0 ? Meta::none() : layout.metas[index_of(value)]);
    const Inference inference = node.op->infer(node.attrs, in);
    for (std::size_t k = 0; k < node.out.size(); ++k) {
      layout.metas[index_of(node.out[k])] = inference.outputs[k];
      if (node.op->alias < 0) layout.value_offset[index_of(node.out[k])] = ruler.take(inference.outputs[k].bytes());
    }
    layout.saved.emplace_back();
    layout.saved_offset.emplace_back();
    for (const Meta& meta : inference.saved) {
      if (!training) break;
      layout.saved.back().push_back(View{nullptr, meta});
      layout.saved_offset.back().push_back(ruler.take(meta.bytes()));
    }
    layout.backward_scratch.push_back(inference.backward_scratch);
    layout.prepared.push_back(inference.prepared);
    layout.prepared_inputs.push_back(inference.prepared_inputs);
    scratch = std::max({scratch, inference.forward_scratch, training ? inference.backward_scratch : 0});
  }
  layout.scratch_offset = ruler.take(scratch);
  layout.bytes = ruler.end();
}

void Plan::place_gradients(Layout& layout) const {
  Ruler ruler;
  ruler.take(layout.bytes);
  std::vector<View> views(values_.size());
  for (std::size_t k = 0; k < views.size(); ++k) views[k].meta = layout.metas[k];
  layout.wanted = is_source_;
  mark_wanted(source_.nodes, views, layout.wanted);
  std::size_t largest = 0, most_inputs = 0;
  for (std::size_t k = 0; k < views.size(); ++k)
    if (layout.wanted[k]) {
      layout.gradient_offset[k] = ruler.take(views[k].meta.bytes());
      largest = std::max(largest, aligned_size(views[k].meta.bytes()));
    }
  for (const Node& node : source_.nodes) {  // a value that is an op's input twice needs room for a second gradient
    std::vector<int> in = node.in;
    std::sort(in.begin(), in.end());
    const std::size_t repeated = static_cast<std::size_t>(in.end() - std::unique(in.begin(), in.end()));
    most_inputs = std::max(most_inputs, repeated);
  }
  layout.temporary_offset = ruler.take(largest * most_inputs);
  layout.bytes = ruler.end();
}

// Everything that lies in the arena; only a new layout moves it.
void Plan::bind_arena(const Layout& layout) {
  current_ = nullptr;
  arena_.need(layout.bytes);
  current_ = &layout;
  for (std::size_t n = 0; n < source_.nodes.size(); ++n) {
    Node& node = source_.nodes[n];
    for (int value : node.out) {
      View& view = values_[index_of(value)];
      view.meta = layout.metas[index_of(value)];
      if (node.op->alias < 0) view.data = arena_.bytes() + layout.value_offset[index_of(value)];
    }
    node.saved = layout.saved[n];
    node.backward_scratch = layout.backward_scratch[n];
    for (std::size_t k = 0; k < node.saved.size(); ++k) node.saved[k].data = arena_.bytes() + layout.saved_offset[n][k];
  }
}

// What lies outside, and what has its bytes.
void Plan::bind_given(const std::vector<View>& given) {
  for (std::size_t k = 0; k < given.size(); ++k) values_[index_of(source_.given[k])] = given[k];
  for (const std::size_t n : aliases_) {
    const Node& node = source_.nodes[n];
    values_[index_of(node.out[0])].data = values_[index_of(node.in[index_of(node.op->alias)])].data;
  }
}

// Makes room for what the op of node n prepares, if that may be kept. True if it is there already.
bool Plan::find_prepared(const Layout& layout, std::size_t n) {
  Prepared& prepared = prepared_[n];
  const std::vector<int>& in = source_.nodes[n].in;
  bool kept = layout.prepared[n] > 0, same = !prepared.versions.empty();
  for (std::size_t k = 0; kept && k < in.size(); ++k) {
    if (in[k] < 0 || (layout.prepared_inputs[n] >> k & 1u) == 0u) continue;
    const double version = versions_[index_of(in[k])];
    kept = version >= 0.0;
    same = same && prepared.versions[k] == version;
  }
  if (kept && same) return true;
  prepared.versions.clear();
  if (kept)
    prepared.memory.need(layout.prepared[n]);
  else
    prepared.memory.release();
  return false;
}

// Called once an op has come to its end: an interrupted one may not have prepared all.
void Plan::note_prepared(std::size_t n) {
  for (const int value : source_.nodes[n].in)
    prepared_[n].versions.push_back(value < 0 ? -1.0 : versions_[index_of(value)]);
}

void Plan::forward(const Layout& layout) {
  const View none;
  for (std::size_t n = 0; n < source_.nodes.size(); ++n) {
    const Node& node = source_.nodes[n];
    check_cancel();
    if (node.op->alias >= 0) continue;
    in_.assign(node.in.size(), View());
    out_.clear();
    for (std::size_t k = 0; k < node.in.size(); ++k)
      if (node.in[k] >= 0) in_[k] = values_[index_of(node.in[k])];
    for (int value : node.out) out_.push_back(values_[index_of(value)]);
    const View* saved = source_.trainable.empty() ? nullptr : node.saved.empty() ? &none : node.saved.data();
    ForwardCall call{node.attrs, in_.data(), out_.data(), saved, arena_.bytes() + layout.scratch_offset};
    call.is_prepared = find_prepared(layout, n);
    call.prepared = prepared_[n].memory.data();
    node.op->forward(call);
    if (call.prepared != nullptr && !call.is_prepared) note_prepared(n);
  }
}

void Plan::backward() {
  begin_backward();
  double one = 1.0;
  float one_float = 1.0f;
  const Meta& meta = value(source_.loss).meta;
  add_gradient(source_.loss, View{meta.dtype == DType::float32 ? static_cast<void*>(&one_float) : &one, meta});
  finish_backward();
}

// Values that are on no path from something trainable have no gradient.
void Plan::add_gradient(int number, const View& gradient) {
  if (!current_->wanted[index_of(number)]) return;
  View place{arena_.bytes() + current_->gradient_offset[index_of(number)], value(number).meta};
  if (filled_[index_of(number)])
    add_into(place, gradient.data);
  else
    std::memcpy(place.data, gradient.data, place.meta.bytes());
  filled_[index_of(number)] = 1;
}

void Plan::finish_backward() {
  Space space(*current_, arena_.bytes());
  backward_pass(source_.nodes, values_, current_->wanted, is_source_, filled_, space, lists_);
}

}  // namespace birnn
