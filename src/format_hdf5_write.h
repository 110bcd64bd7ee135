// Writing HDF5 files as Keras writes them: superblock 0, symbol tables, contiguous numbers, attributes of text (level
// L1).
#pragma once
#include <string>
#include <vector>

#include "format_bytes.h"
#include "view.h"

namespace birnn {

// An attribute: one string, or a vector of them. A vector without elements has the type float64, as numpy makes it.
struct H5Text {
  std::string name;
  std::vector<std::string> values;
  bool is_vector = false;
  bool is_utf8 = true;  // declared as UTF-8, otherwise as ASCII
};

// A group with members, or a dataset with numbers.
struct H5Content {
  std::string name;
  bool is_group = true;
  View numbers;
  std::vector<H5Text> attributes;
  std::vector<H5Content> members;
};

std::vector<uint8_t> write_hdf5(const H5Content& root);

}  // namespace birnn
