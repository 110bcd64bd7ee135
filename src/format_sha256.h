// The SHA-256 checksum of FIPS 180-4 (level L1).
#pragma once
#include <string>

#include "format_bytes.h"

namespace birnn {

// 64 hexadecimal digits.
std::string sha256(const ByteSpan& bytes);

}  // namespace birnn
