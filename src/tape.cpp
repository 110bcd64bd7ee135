// Recording and gradients of the tape (level L3).
#include "tape.h"

#include <algorithm>
#include <cstring>

namespace birnn {

namespace {

// Gradients of a tape are allocated when first written and freed as soon as they have been passed on.
class TapeSpace : public GradientSpace {
 public:
  explicit TapeSpace(std::size_t n_values) : gradients_(n_values) {}
  void* gradient(int value, const Meta& meta) override {
    return gradients_[static_cast<std::size_t>(value)].need(std::max<std::size_t>(meta.bytes(), 1));
  }
  void release(int value) override { gradients_[static_cast<std::size_t>(value)].release(); }
  void* temporary(std::size_t bytes) override {
    temporaries_.emplace_back(std::max<std::size_t>(bytes, 1));
    return temporaries_.back().data();
  }
  void* scratch(std::size_t bytes) override { return scratch_.need(std::max<std::size_t>(bytes, 1)); }
  void begin_op() override { temporaries_.clear(); }
  AlignedBuffer copy(int value, const Meta& meta) {
    AlignedBuffer result(std::max<std::size_t>(meta.bytes(), 1));
    std::memcpy(result.data(), gradient(value, meta), meta.bytes());
    return result;
  }

 private:
  std::vector<AlignedBuffer> gradients_;
  std::vector<AlignedBuffer> temporaries_;
  AlignedBuffer scratch_;
};

template <typename T>
void fill_ones(const View& view) {
  std::fill_n(view.as<T>(), view.count(), T(1));
}

}  // namespace

int Tape::watch(const View& view) {
  values_.push_back(view);
  return static_cast<int>(values_.size()) - 1;
}

int Tape::leaf(const void* key, const View& view) {
  const auto found = leaves_.find(key);
  if (found != leaves_.end()) {
    values_[static_cast<std::size_t>(found->second)].data = view.data;
    return found->second;
  }
  return leaves_[key] = watch(view);
}

int Tape::find_leaf(const void* key) const {
  const auto found = leaves_.find(key);
  return found == leaves_.end() ? -1 : found->second;
}

int Tape::record(const OpDef& op, const Attrs& attrs, std::vector<int> in, const View* out, std::size_t n_out,
                 std::vector<View> saved, AlignedBuffer memory, std::size_t backward_scratch) {
  const int first = static_cast<int>(values_.size());
  std::vector<int> numbers;
  for (std::size_t k = 0; k < n_out; ++k) numbers.push_back(watch(out[k]));
  saved_bytes_ += memory.size();
  memory_.push_back(std::move(memory));
  nodes_.push_back(Node{&op, attrs, std::move(in), std::move(numbers), std::move(saved), backward_scratch});
  return first;
}

void Tape::check_versions() const {
  for (const Expectation& e : expected_)
    if (*e.version != e.seen)
      fail("state", std::string("the gradient goes through a variable that has been assigned since it was used (op '") +
                        nodes_[e.node].op->name + "')");
}

std::vector<AlignedBuffer> Tape::gradient(int target, const std::vector<int>& sources) const {
  check_versions();
  std::vector<char> wanted(values_.size(), 0), is_source(values_.size(), 0), filled(values_.size(), 0);
  for (int source : sources)
    if (source >= 0) wanted[static_cast<std::size_t>(source)] = is_source[static_cast<std::size_t>(source)] = 1;
  mark_wanted(nodes_, values_, wanted);
  TapeSpace space(values_.size());
  View start = values_[static_cast<std::size_t>(target)];
  if (!is_floating(start.dtype())) fail("type", "a gradient can be taken of floating point tensors only");
  start.data = space.gradient(target, start.meta);
  if (start.dtype() == DType::float32)
    fill_ones<float>(start);
  else
    fill_ones<double>(start);
  filled[static_cast<std::size_t>(target)] = 1;
  BackwardLists lists;
  backward_pass(nodes_, values_, wanted, is_source, filled, space, lists);
  std::vector<AlignedBuffer> result;
  for (int source : sources)
    result.push_back(source >= 0 && filled[static_cast<std::size_t>(source)] ? space.copy(source, meta(source))
                                                                             : AlignedBuffer());
  return result;
}

void Tape::clear() {
  nodes_.clear();
  values_.clear();
  memory_.clear();
  expected_.clear();
  leaves_.clear();
  saved_bytes_ = 0;
}

}  // namespace birnn
