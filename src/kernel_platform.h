// For which instruction sets beyond the base the kernels are compiled here (level L1).
// Not on Windows: its stack does not hold wide vectors aligned (gcc bug 54412).
#pragma once

#if defined(__x86_64__) && !defined(_WIN32)
#define BIRNN_X86_KERNELS 1
#endif
