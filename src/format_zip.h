// Zip archives in memory: members of an untrusted one, and writing one with stored members (level L1).
#pragma once
#include <string>
#include <vector>

#include "format_bytes.h"

namespace birnn {

struct ZipMember {
  std::string name;
  unsigned method = 0;  // 0 stored, 8 deflated
  uint64_t size = 0;
  ByteSpan stored;  // as it lies in the file
  std::uint32_t crc = 0;
};

// All members, after every check that needs no decompression: both directories agree, no member overlaps another, at
// most 1,000 of them, unique names that are no paths out of the archive, nothing encrypted or in several parts.
std::vector<ZipMember> zip_members(const ByteSpan& file);

// The content of a member, `out` having room for member.size bytes; an error unless its checksum is right.
void zip_extract(const ZipMember& member, uint8_t* out);

// An archive with the given members, stored as they are. `names` and `contents` go together.
std::vector<uint8_t> zip_archive(const std::vector<std::string>& names, const std::vector<ByteSpan>& contents);

std::uint32_t crc32(const uint8_t* data, uint64_t size);

}  // namespace birnn
