// Lists of whole numbers that NumPy stored with Python's pickle: a closed subset that can do nothing else (level L1).
#pragma once
#include <vector>

#include "format_bytes.h"

namespace birnn {

// The array of objects in a pickle, each a list or tuple of 32-bit whole numbers. A pickle is a program; this reads it
// as data: no name is looked up, the only ones allowed are those that NumPy writes for an array. Anything else is an error.
std::vector<std::vector<std::int32_t>> pickled_integer_lists(const ByteSpan& pickle);

}  // namespace birnn
