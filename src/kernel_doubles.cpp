// The recurrent kernels for double (level L1).
#define BIRNN_SCALAR double
#include "kernel_scalar.h"
