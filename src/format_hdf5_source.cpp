// Who owns which bytes of an HDF5 file, the global heap, object headers, checksums (level L1).
#include "format_hdf5_source.h"

namespace birnn {

ByteSpan H5Source::claim(uint64_t address, uint64_t size, const char* what) {
  spend();
  const ByteSpan part = file_.part(address, size, what);
  if (size == 0) return part;
  const auto next = claims_.lower_bound(address);
  const bool overlaps_next = next != claims_.end() && next->first < address + size;
  const bool overlaps_last = next != claims_.begin() && std::prev(next)->second > address;
  if (overlaps_next || overlaps_last) fail_at(part.origin(), std::string(what) + " overlaps another part of the file");
  claims_.emplace_hint(next, address, address + size);
  return part;
}

ByteSpan H5Source::extend(uint64_t address, uint64_t size, uint64_t total, const char* what) {
  if (total < size) fail_at(file_.origin() + address, std::string(what) + " is too short");
  claim(address + size, total - size, what);
  return file_.part(address, total, what);
}

void H5Source::spend(uint64_t structures) {
  if (structures > structures_left_) fail_at(file_.origin(), "the HDF5 file has too many parts");
  structures_left_ -= structures;
}

void H5Source::spend_text(uint64_t size) {
  if (size > text_left_) fail_at(file_.origin(), "the HDF5 file has too much text");
  text_left_ -= size;
}

// Collections: a header, then objects (number, reference count, size, content); object 0 is the free space at the end.
ByteSpan H5Source::heap_object(uint64_t collection, uint64_t number) {
  auto found = collections_.find(collection);
  if (found == collections_.end()) {
    Cursor header(claim(collection, 8 + length_size, "a global heap"), "a global heap");
    if (header.text(4) != "GCOL" || header.number(1) != 1) header.reject("a global heap is damaged");
    header.skip(3);
    const uint64_t size = length(header);
    const ByteSpan all = extend(collection, 8 + length_size, size, "a global heap");
    H5Collection objects;
    Cursor fields(all, "a global heap", 8 + length_size);
    while (fields.left() >= 8 + length_size) {
      spend();
      const uint64_t index = fields.number(2);
      fields.skip(6);
      const uint64_t object_size = length(fields);
      if (index == 0) break;
      if (!objects.emplace(index, fields.part(object_size)).second) fields.reject("a global heap has an object twice");
      if (fields.at() % 8 != 0 && fields.left() >= 8 - fields.at() % 8) fields.align8();
    }
    found = collections_.emplace(collection, std::move(objects)).first;
  }
  const auto object = found->second.find(number);
  if (object == found->second.end()) fail_at(file_.origin() + collection, "a global heap lacks an object");
  return object->second;
}

namespace {

constexpr unsigned continuation = 0x10;
constexpr unsigned shared = 2, must_understand = 128;

struct Block {
  uint64_t address, size;
};

// Messages that are understood, or say nothing about what a reader does: fill values, times, comments, hints.
bool is_known(unsigned type) {
  switch (type) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x08:
    case 0x0a:
    case 0x0b:
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x17:
    case 0x18:
      return true;
    default:
      return false;
  }
}

// What one message says, with the blocks that continue the header.
void keep_message(H5Source& source, const H5Message& message, std::vector<H5Message>& messages,
                  std::vector<Block>& blocks) {
  source.spend();
  const uint64_t where = message.content.origin();
  if (message.type == 0) return;
  if (message.type == 0x07) fail_at(where, "data in other files are not read");
  if (message.flags & shared) fail_at(where, "shared descriptions are not read");
  if (!is_known(message.type) && (message.flags & must_understand)) fail_at(where, "an object has an unknown message");
  if (message.type != continuation) {
    messages.push_back(message);
    return;
  }
  Cursor fields(message.content, "a continued object header");
  const uint64_t address = source.address(fields);
  blocks.push_back(Block{address, source.length(fields)});
}

void read_block_v1(H5Source& source, const ByteSpan& block, uint64_t& left, std::vector<H5Message>& messages,
                   std::vector<Block>& blocks) {
  Cursor fields(block, "an object header");
  while (left > 0 && fields.left() >= 8) {
    H5Message message;
    message.type = static_cast<unsigned>(fields.number(2));
    const uint64_t size = fields.number(2);
    message.flags = static_cast<unsigned>(fields.number(1));
    fields.skip(3);
    message.content = fields.part(size);
    --left;
    keep_message(source, message, messages, blocks);
  }
}

std::vector<H5Message> read_header_v1(H5Source& source, uint64_t address) {
  Cursor prefix(source.claim(address, 16, "an object header"), "an object header");
  if (prefix.number(1) != 1) prefix.reject("an object header is damaged");
  prefix.skip(1);
  uint64_t left = prefix.number(2);
  prefix.skip(4);
  std::vector<H5Message> messages;
  std::vector<Block> blocks{Block{address + 16, prefix.number(4)}};
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    const Block block = blocks[k];
    read_block_v1(source, source.claim(block.address, block.size, "an object header"), left, messages, blocks);
  }
  if (left > 0) fail_at(source.file().origin() + address, "an object header has fewer messages than it says");
  return messages;
}

void read_block_v2(H5Source& source, const ByteSpan& block, bool ordered, std::vector<H5Message>& messages,
                   std::vector<Block>& blocks) {
  Cursor fields(block, "an object header");
  const uint64_t head = ordered ? 6 : 4;
  while (fields.left() >= head) {
    H5Message message;
    message.type = static_cast<unsigned>(fields.number(1));
    const uint64_t size = fields.number(2);
    message.flags = static_cast<unsigned>(fields.number(1));
    if (ordered) fields.skip(2);
    message.content = fields.part(size);
    keep_message(source, message, messages, blocks);
  }
}

std::vector<H5Message> read_header_v2(H5Source& source, uint64_t address) {
  Cursor start(source.claim(address, 6, "an object header"), "an object header", 4);
  if (start.number(1) != 2) start.reject("an object header has an unknown version");
  const unsigned flags = static_cast<unsigned>(start.number(1));
  const bool ordered = (flags & 4) != 0;
  const unsigned width = 1u << (flags & 3);
  const uint64_t prefix = 6 + ((flags & 32) ? 16 : 0) + ((flags & 16) ? 4 : 0) + width;
  const ByteSpan head = source.extend(address, 6, prefix, "an object header");
  const uint64_t size = head.number(prefix - width, width, "an object header");
  if (size > source.file().size()) start.reject("an object header reaches beyond the end of the file");
  const ByteSpan all = source.extend(address, prefix, prefix + size + 4, "an object header");
  check_sum(all, "an object header");
  std::vector<H5Message> messages;
  std::vector<Block> blocks;
  read_block_v2(source, all.part(prefix, size, "an object header"), ordered, messages, blocks);
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    const Block next = blocks[k];
    const ByteSpan block = source.claim(next.address, next.size, "a continued object header");
    if (next.size < 8 || !block.has_text(0, "OCHK", 4)) fail_at(block.origin(), "a continued object header is damaged");
    check_sum(block, "a continued object header");
    read_block_v2(source, block.part(4, next.size - 8, "an object header"), ordered, messages, blocks);
  }
  return messages;
}

}  // namespace

std::vector<H5Message> read_object_header(H5Source& source, uint64_t address) {
  if (source.file().has_text(address, "OHDR", 4)) return read_header_v2(source, address);
  return read_header_v1(source, address);
}

namespace {

std::uint32_t turn(std::uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

// Jenkins' lookup3 hash of bytes, which the format prescribes.
std::uint32_t lookup3(const uint8_t* data, uint64_t size) {
  std::uint32_t a = 0xdeadbeefu + static_cast<std::uint32_t>(size), b = a, c = a;
  const auto add = [&](uint64_t count) {
    std::uint32_t* const words[3] = {&a, &b, &c};
    for (uint64_t k = 0; k < count; ++k) *words[k / 4] += static_cast<std::uint32_t>(data[k]) << (8 * (k % 4));
  };
  while (size > 12) {
    add(12);
    a -= c, a ^= turn(c, 4), c += b;
    b -= a, b ^= turn(a, 6), a += c;
    c -= b, c ^= turn(b, 8), b += a;
    a -= c, a ^= turn(c, 16), c += b;
    b -= a, b ^= turn(a, 19), a += c;
    c -= b, c ^= turn(b, 4), b += a;
    data += 12;
    size -= 12;
  }
  if (size == 0) return c;
  add(size);
  c ^= b, c -= turn(b, 14);
  a ^= c, a -= turn(c, 11);
  b ^= a, b -= turn(a, 25);
  c ^= b, c -= turn(b, 16);
  a ^= c, a -= turn(c, 4);
  b ^= a, b -= turn(a, 14);
  c ^= b, c -= turn(b, 24);
  return c;
}

}  // namespace

void check_sum(const ByteSpan& structure, const char* what) {
  if (structure.size() < 4) fail_at(structure.origin(), std::string(what) + " is too short");
  const uint64_t end = structure.size() - 4;
  if (lookup3(structure.data(), end) != structure.number(end, 4, what))
    fail_at(structure.origin(), std::string(what) + " has a wrong checksum");
}

}  // namespace birnn
