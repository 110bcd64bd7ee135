// A tape: the ops done since it was made, in order, and their gradients (level L3).
#pragma once
#include <unordered_map>
#include <vector>

#include "arena.h"
#include "backward.h"

namespace birnn {

class Tape {
 public:
  explicit Tape(double id) : id_(id) {}
  double id() const { return id_; }
  std::size_t size() const { return nodes_.size(); }

  int watch(const View& view);                        // a new value without a history
  int leaf(const void* key, const View& view);        // the value that stands for a variable, found again by its key
  int find_leaf(const void* key) const;               // -1 if the variable was not used

  // Notes that the value `value`, of a variable, is needed at the version it has now.
  void expect_version(std::size_t node, const double* version) { expected_.push_back({node, version, *version}); }

  // Records one op. `saved` is memory that the tape takes over. Returns the number of the first output.
  int record(const OpDef& op, const Attrs& attrs, std::vector<int> in, const View* out, std::size_t n_out,
             std::vector<View> saved, AlignedBuffer memory, std::size_t backward_scratch);
  std::size_t next_node() const { return nodes_.size(); }

  // d sum(target) / d source for each source; an empty buffer where there is no path.
  std::vector<AlignedBuffer> gradient(int target, const std::vector<int>& sources) const;
  const Meta& meta(int value) const { return values_[static_cast<std::size_t>(value)].meta; }

  std::size_t saved_bytes() const { return saved_bytes_; }
  void clear();

 private:
  struct Expectation {
    std::size_t node;
    const double* version;
    double seen;
  };
  void check_versions() const;

  double id_;
  std::vector<Node> nodes_;
  std::vector<View> values_;
  std::vector<AlignedBuffer> memory_;
  std::vector<Expectation> expected_;
  std::unordered_map<const void*, int> leaves_;
  std::size_t saved_bytes_ = 0;
};

}  // namespace birnn
