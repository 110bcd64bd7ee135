// The recurrent kernels for float (level L1).
#define BIRNN_SCALAR float
#include "kernel_scalar.h"
