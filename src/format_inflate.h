// Decompression of DEFLATE data (RFC 1951), with and without the frame of zlib (RFC 1950) (level L1).
//
// An own one: R installs no header of zlib that a package could rely on everywhere, and this much fits on two pages.
#pragma once
#include "format_bytes.h"

namespace birnn {

// Fills exactly `size` bytes; an error if the data are damaged or hold more or less. Returns how many bytes were read.
uint64_t inflate(const ByteSpan& data, uint8_t* out, uint64_t size);

// The same for data in the frame of zlib: header, DEFLATE data, checksum. `size`: the room in `out`; returns how much
// of it was filled.
uint64_t inflate_zlib(const ByteSpan& data, uint8_t* out, uint64_t size);

}  // namespace birnn
