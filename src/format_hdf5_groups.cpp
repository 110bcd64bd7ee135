// HDF5: what is in a group: symbol tables, links, and dense storage of links and attributes (level L1).
#include <algorithm>

#include "format_hdf5_source.h"

namespace birnn {

namespace {

constexpr unsigned most_levels = 32;
constexpr uint64_t longest_name = 1024;

void check_link_name(const std::string& name, uint64_t where) {
  const bool plain = !name.empty() && name.size() <= longest_name && is_utf8(name) && name != "." && name != ".." &&
                     name.find('/') == std::string::npos;
  if (!plain) fail_at(where, "an object has no valid name");
}

// --- groups of the old kind: a B-tree of nodes of symbols, whose names stand in a heap -----------------------------

class SymbolTable {
 public:
  SymbolTable(H5Source& source, uint64_t tree, uint64_t heap) : source_(source), names_(read_heap(heap)) {
    read_tree(tree, -1);
  }
  std::vector<H5Link> links;

 private:
  ByteSpan read_heap(uint64_t address) {
    const uint64_t size = 8 + 2 * uint64_t{source_.length_size} + source_.offset_size;
    Cursor fields(source_.claim(address, size, "the names of a group"), "the names of a group");
    if (fields.text(4) != "HEAP" || fields.number(1) != 0) fields.reject("the names of a group are damaged");
    fields.skip(3);
    const uint64_t length = source_.length(fields);
    source_.length(fields);  // free space
    return source_.claim(source_.address(fields), length, "the names of a group");
  }

  // `level`: what the node must have, -1 at the top. Levels count down, so the depth is bounded.
  void read_tree(uint64_t address, int level) {
    const uint64_t head = 8 + 2 * uint64_t{source_.offset_size};
    Cursor start(source_.claim(address, head, "a group"), "a group");
    if (start.text(4) != "TREE" || start.number(1) != 0) start.reject("a group is damaged");
    const int own_level = static_cast<int>(start.number(1));
    const uint64_t entries = start.number(2);
    if (level >= 0 ? own_level != level : own_level > static_cast<int>(most_levels)) start.reject("a group is damaged");
    const uint64_t pair = uint64_t{source_.length_size} + source_.offset_size;
    const uint64_t size = head + entries * pair + source_.length_size;
    Cursor fields(source_.extend(address, head, size, "a group"), "a group", head);
    for (uint64_t k = 0; k < entries; ++k) {
      fields.skip(source_.length_size);
      const uint64_t child = source_.address(fields);
      if (own_level > 0)
        read_tree(child, own_level - 1);
      else
        read_symbols(child);
    }
  }

  void read_symbols(uint64_t address) {
    Cursor start(source_.claim(address, 8, "a group"), "a group");
    if (start.text(4) != "SNOD" || start.number(1) != 1) start.reject("a group is damaged");
    start.skip(1);
    const uint64_t symbols = start.number(2), width = 2 * uint64_t{source_.offset_size} + 24;
    Cursor fields(source_.extend(address, 8, 8 + symbols * width, "a group"), "a group", 8);
    for (uint64_t k = 0; k < symbols; ++k) {
      const uint64_t name_at = source_.address(fields);
      H5Link link;
      link.address = source_.address(fields);
      const uint64_t kind = fields.number(4);
      fields.skip(20);
      if (kind > 1) fields.reject("links to other places are not followed");
      link.name = read_name(name_at);
      links.push_back(link);
    }
  }

  std::string read_name(uint64_t at) {
    const uint64_t most = names_.size() > at ? std::min(names_.size() - at, longest_name + 1) : 0;
    std::string name = names_.text(at, most, "the name of an object");
    const std::size_t end = name.find('\0');
    if (end == std::string::npos) fail_at(names_.origin() + at, "the name of an object has no end");
    name.resize(end);
    source_.spend_text(name.size());
    check_link_name(name, names_.origin() + at);
    return name;
  }

  H5Source& source_;
  const ByteSpan names_;
};

// --- groups of the new kind ---------------------------------------------------------------------------------------

H5Link read_link(H5Source& source, const ByteSpan& message) {
  Cursor fields(message, "a link");
  if (fields.number(1) != 1) fields.reject("a link has an unknown version");
  const unsigned flags = static_cast<unsigned>(fields.number(1));
  const uint64_t kind = (flags & 8) ? fields.number(1) : 0;
  if (flags & 4) fields.skip(8);
  if (flags & 16) fields.skip(1);
  const uint64_t length = fields.number(1u << (flags & 3));
  if (kind != 0) fields.reject("links to other places are not followed");
  H5Link link;
  link.name = fields.text(length);
  source.spend_text(link.name.size());
  check_link_name(link.name, fields.position());
  link.address = source.address(fields);
  return link;
}

}  // namespace

std::vector<H5Link> read_links(H5Source& source, const std::vector<H5Message>& messages) {
  std::vector<H5Link> links;
  for (const H5Message& message : messages) {
    Cursor fields(message.content, "a group");
    if (message.type == 0x11) {
      const uint64_t tree = source.address(fields), heap = source.address(fields);
      SymbolTable table(source, tree, heap);
      links.insert(links.end(), table.links.begin(), table.links.end());
    } else if (message.type == 0x06) {
      links.push_back(read_link(source, message.content));
    } else if (message.type == 0x02) {
      if (fields.number(1) != 0) fields.reject("a group has an unknown version");
      if (fields.number(1) & 1) fields.skip(8);
      const uint64_t heap = source.address(fields), tree = source.address(fields);
      if (source.undefined(heap)) continue;
      for (const ByteSpan& object : read_dense(source, heap, tree, 5)) links.push_back(read_link(source, object));
    }
  }
  return links;
}

// --- dense storage: a fractal heap of objects, and a B-tree that lists them -----------------------------------------

namespace {

// A heap of one address space: rows of blocks, each row after the second with blocks twice as large as the row before.
class FractalHeap {
 public:
  FractalHeap(H5Source& source, uint64_t address) : source_(source) {
    const unsigned lengths = source.length_size, offsets = source.offset_size;
    const ByteSpan header = source.claim(address, 26 + 12 * lengths + 3 * offsets, "a heap");
    Cursor fields(header, "a heap");
    if (fields.text(4) != "FRHP" || fields.number(1) != 0) fields.reject("a heap is damaged");
    check_sum(header, "a heap");
    id_length_ = fields.number(2);
    if (fields.number(2) != 0) fields.reject("compressed heaps are not read");
    fields.skip(1);  // whether blocks have checksums
    const uint64_t largest_object = fields.number(4);
    fields.skip(10 * lengths + 2 * offsets);  // huge, tiny and free objects, totals
    width_ = fields.number(2);
    first_size_ = source.length(fields);
    largest_direct_ = source.length(fields);
    offset_bits_ = fields.number(2);
    fields.skip(2);
    const uint64_t root = source.address(fields), rows = fields.number(2);
    if (width_ == 0 || first_size_ == 0 || offset_bits_ > 64 || offset_bits_ < 1) fields.reject("a heap is damaged");
    length_bytes_ = 1;
    while (length_bytes_ < 8 && largest_object >> (8 * length_bytes_) != 0) ++length_bytes_;
    if (source.undefined(root)) return;
    if (rows == 0)
      read_direct(root, first_size_, 0);
    else
      read_indirect(root, rows, 0, 0);
  }

  // The object of an identifier: kind, offset in the heap, length.
  ByteSpan object(const ByteSpan& id) const {
    Cursor fields(id, "an object of a heap");
    if ((fields.number(1) & 0xf0) != 0) fields.reject("large and tiny objects of heaps are not read");
    const uint64_t offset = fields.number(static_cast<unsigned>(offset_bytes()));
    const uint64_t length = fields.number(static_cast<unsigned>(length_bytes_));
    auto block = blocks_.upper_bound(offset);
    if (block == blocks_.begin()) fields.reject("an object of a heap is not there");
    --block;
    return block->second.part(offset - block->first, length, "an object of a heap");
  }
  uint64_t id_length() const { return id_length_; }

 private:
  uint64_t offset_bytes() const { return (offset_bits_ + 7) / 8; }
  uint64_t block_head() const { return 5 + source_.offset_size + offset_bytes(); }

  uint64_t row_size(uint64_t row) const {
    const uint64_t doublings = row < 2 ? 0 : row - 1;
    if (doublings > 40 || first_size_ > source_.file().size()) fail_at(source_.file().origin(), "a heap is too large");
    return first_size_ << doublings;
  }

  void read_direct(uint64_t address, uint64_t size, uint64_t offset) {
    const ByteSpan block = source_.claim(address, size, "a block of a heap");
    if (!block.has_text(0, "FHDB", 4) || size < block_head() + 4)
      fail_at(block.origin(), "a block of a heap is damaged");
    if (block.number(5 + source_.offset_size, static_cast<unsigned>(offset_bytes()), "a heap") != offset)
      fail_at(block.origin(), "a block of a heap is in the wrong place");
    blocks_.emplace(offset, block);
  }

  void read_indirect(uint64_t address, uint64_t rows, uint64_t offset, unsigned depth) {
    if (depth > most_levels) fail_at(source_.file().origin(), "a heap is nested too deeply");
    uint64_t direct_rows = 0;
    while (direct_rows < rows && row_size(direct_rows) <= largest_direct_) ++direct_rows;
    const uint64_t size = block_head() + rows * width_ * source_.offset_size + 4;
    const ByteSpan block = source_.claim(address, size, "a block of a heap");
    if (!block.has_text(0, "FHIB", 4)) fail_at(block.origin(), "a block of a heap is damaged");
    check_sum(block, "a block of a heap");
    Cursor fields(block, "a block of a heap", block_head());
    for (uint64_t row = 0; row < rows; ++row)
      for (uint64_t column = 0; column < width_; ++column) {
        const uint64_t child = source_.address(fields), child_size = row_size(row);
        if (!source_.undefined(child)) {
          if (row < direct_rows)
            read_direct(child, child_size, offset);
          else
            read_indirect(child, rows_within(child_size), offset, depth + 1);
        }
        offset += child_size;
      }
  }

  // How many rows make up a block of this size.
  uint64_t rows_within(uint64_t size) const {
    uint64_t rows = 0, total = 0;
    while (total < size) total += width_ * row_size(rows++);
    return rows;
  }

  H5Source& source_;
  uint64_t id_length_ = 0, width_ = 0, first_size_ = 0, largest_direct_ = 0, offset_bits_ = 0, length_bytes_ = 1;
  std::map<uint64_t, ByteSpan> blocks_;  // by their first offset
};

// A version 2 B-tree: the records of all nodes, in order.
class RecordTree {
 public:
  RecordTree(H5Source& source, uint64_t address, unsigned kind) : source_(source), kind_(kind) {
    const ByteSpan header = source.claim(address, 22 + source.offset_size + source.length_size, "a list of names");
    Cursor fields(header, "a list of names");
    if (fields.text(4) != "BTHD" || fields.number(1) != 0 || fields.number(1) != kind)
      fields.reject("a list of names is damaged");
    check_sum(header, "a list of names");
    node_size_ = fields.number(4);
    record_size_ = fields.number(2);
    const uint64_t depth = fields.number(2);
    fields.skip(2);
    const uint64_t root = source.address(fields), count = fields.number(2);
    if (record_size_ == 0 || node_size_ < 10 + record_size_ || depth > 16) fields.reject("a list of names is damaged");
    most_records_.push_back((node_size_ - 10) / record_size_);
    totals_.push_back(most_records_[0]);
    for (uint64_t level = 1; level <= depth; ++level) add_level(level);
    if (!source.undefined(root)) read_node(root, count, depth);
  }
  std::vector<ByteSpan> records;

 private:
  static unsigned width_of(uint64_t value) {
    unsigned width = 1;
    while (width < 8 && value >> (8 * width) != 0) ++width;
    return width;
  }
  // Below a node of `level` come its children's address, number of records and, above leaves, records of all below.
  uint64_t pointer_size(uint64_t level) const {
    return source_.offset_size + width_of(most_records_[0]) + (level > 1 ? width_of(totals_[level - 1]) : 0);
  }
  void add_level(uint64_t level) {
    const uint64_t pointer = pointer_size(level);
    if (node_size_ < 10 + pointer + record_size_) fail_at(source_.file().origin(), "a list of names is damaged");
    most_records_.push_back((node_size_ - 10 - pointer) / (record_size_ + pointer));
    const uint64_t below = totals_.back(), own = most_records_.back();
    const bool huge = below > (uint64_t{1} << 40);
    totals_.push_back(huge ? below : (own + 1) * below + own);
  }

  void read_node(uint64_t address, uint64_t count, uint64_t level) {
    const ByteSpan node = source_.claim(address, node_size_, "a list of names");
    if (!node.has_text(0, level > 0 ? "BTIN" : "BTLF", 4) || node.number(5, 1, "a list of names") != kind_ ||
        count > most_records_[level])
      fail_at(node.origin(), "a list of names is damaged");
    const uint64_t pointers = level > 0 ? (count + 1) * pointer_size(level) : 0;
    check_sum(node.part(0, 6 + count * record_size_ + pointers + 4, "a list of names"), "a list of names");
    Cursor fields(node, "a list of names", 6);
    std::vector<ByteSpan> own;
    for (uint64_t k = 0; k < count; ++k) own.push_back(fields.part(record_size_));
    source_.spend(count);
    for (uint64_t k = 0; k <= count; ++k) {
      if (level > 0) {
        const uint64_t child = source_.address(fields), child_count = fields.number(width_of(most_records_[0]));
        if (level > 1) fields.skip(width_of(totals_[level - 1]));
        read_node(child, child_count, level - 1);
      }
      if (k < count) records.push_back(own[k]);
    }
  }

  H5Source& source_;
  const unsigned kind_;
  uint64_t node_size_ = 0, record_size_ = 0;
  std::vector<uint64_t> most_records_, totals_;
};

}  // namespace

std::vector<ByteSpan> read_dense(H5Source& source, uint64_t heap, uint64_t tree, unsigned kind) {
  const FractalHeap objects(source, heap);
  const RecordTree records(source, tree, kind);
  // Links (kind 5): hash, identifier. Attributes (kind 8): identifier, flags, order, hash.
  const uint64_t at = kind == 5 ? 4 : 0;
  std::vector<ByteSpan> result;
  for (const ByteSpan& record : records.records)
    result.push_back(objects.object(record.part(at, objects.id_length(), "an object of a heap")));
  return result;
}

}  // namespace birnn
