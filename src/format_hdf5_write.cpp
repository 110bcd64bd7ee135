// Writing HDF5 files: texts first, then every object after its members, so that all addresses are known (level L1).
#include "format_hdf5_write.h"

#include <algorithm>

namespace birnn {

namespace {

constexpr uint64_t nowhere = ~uint64_t{0};
constexpr uint64_t superblock_size = 96;
constexpr std::size_t leaf_half = 4, tree_half = 16;  // half of what a node of symbols, a node of the tree holds
// A collection of the global heap has at least the first size, and gets no more texts beyond the second one.
constexpr uint64_t collection_size = 4096, most_of_collection = 65536;

struct TextPlace {
  uint64_t size, collection, number;
};

struct Symbol {
  std::string name;
  uint64_t name_at = 0, header = 0;
  uint64_t tree = nowhere, heap = nowhere;  // of a group
};

class Writer {
 public:
  std::vector<uint8_t> file(const H5Content& root) {
    out_.zeros(superblock_size);
    std::vector<std::string> texts;
    collect_texts(root, texts);
    write_texts(texts);
    write_superblock(write_object(root));
    return std::move(out_.bytes());
  }

 private:
  // --- text ---

  static void collect_texts(const H5Content& node, std::vector<std::string>& texts) {
    for (const H5Text& attribute : node.attributes)
      texts.insert(texts.end(), attribute.values.begin(), attribute.values.end());
    for (const H5Content& member : node.members) collect_texts(member, texts);
  }

  // Collections of texts; `places_` tells where each one is, in the order in which the attributes will ask.
  void write_texts(const std::vector<std::string>& texts) {
    std::size_t next = 0;
    while (next < texts.size()) {
      const uint64_t start = out_.size();
      out_.text("GCOL");
      out_.number(1, 4);
      out_.number(0, 8);
      uint64_t number = 0;
      for (; next < texts.size() && out_.size() - start < most_of_collection; ++next) {
        if (texts[next].empty()) {
          places_.push_back(TextPlace{0, 0, 0});
          continue;
        }
        places_.push_back(TextPlace{texts[next].size(), start, ++number});
        out_.number(number, 2);
        out_.number(0, 6);
        out_.number(texts[next].size(), 8);
        out_.text(texts[next]);
        out_.align8();
      }
      const uint64_t used = out_.size() - start;
      const uint64_t size = used + 16 <= collection_size ? collection_size : used + 16;
      out_.number(0, 8);  // object 0: the free space
      out_.number(size - used, 8);
      out_.zeros(size - used - 16);
      out_.number_at(start + 8, size, 8);
    }
  }

  // --- object headers ---

  struct Message {
    unsigned type, flags;
    ByteWriter content;
  };

  static Message message(unsigned type, unsigned flags = 0) { return Message{type, flags, ByteWriter()}; }

  uint64_t write_header(std::vector<Message>& messages) {
    const uint64_t address = out_.size();
    uint64_t size = 0;
    for (Message& each : messages) {
      each.content.align8();
      size += 8 + each.content.size();
    }
    out_.number(1, 2);
    out_.number(messages.size(), 2);
    out_.number(1, 4);
    out_.number(size, 4);
    out_.number(0, 4);
    for (Message& each : messages) {
      if (each.content.size() > 65535) fail("file", "an attribute is too long for an HDF5 file");
      out_.number(each.type, 2);
      out_.number(each.content.size(), 2);
      out_.number(each.flags, 4);
      out_.put(each.content.bytes().data(), each.content.size());
    }
    return address;
  }

  static void put_type(ByteWriter& out, DType type) {
    if (is_floating(type)) {
      const bool wide = type == DType::float64;
      out.number(0x11, 1);
      out.number(0x20 | (wide ? 63 : 31) << 8, 3);
      out.number(wide ? 8 : 4, 4);
      out.number(uint64_t{wide ? 64u : 32u} << 16, 4);
      out.number(wide ? 52 : 23, 1);
      out.number(wide ? 11 : 8, 1);
      out.number(0, 1);
      out.number(wide ? 52 : 23, 1);
      out.number(wide ? 1023 : 127, 4);
      return;
    }
    const bool logical = type == DType::boolean;
    if (logical) {  // names of the whole numbers 0 and 1
      out.number(0x18, 1);
      out.number(2, 3);
      out.number(1, 4);
    }
    out.number(0x10, 1);
    out.number(8, 3);
    out.number(logical ? 1 : 4, 4);
    out.number(uint64_t{logical ? 8u : 32u} << 16, 4);
    if (logical) out.put("FALSE\0\0\0TRUE\0\0\0\0\0\1", 18);
  }

  static void put_text_type(ByteWriter& out, bool is_utf8) {
    out.number(0x19, 1);
    out.number(is_utf8 ? 0x101 : 0x001, 3);
    out.number(16, 4);
    out.number(0x10, 1);  // made of bytes
    out.number(0, 3);
    out.number(1, 4);
    out.number(uint64_t{8} << 16, 4);
  }

  static void put_space(ByteWriter& out, const std::vector<uint64_t>& dims) {
    out.number(1, 1);
    out.number(dims.size(), 1);
    out.number(dims.empty() ? 0 : 1, 1);
    out.number(0, 5);
    for (int twice = 0; twice < (dims.empty() ? 0 : 2); ++twice)
      for (const uint64_t size : dims) out.number(size, 8);
  }

  Message attribute_message(const H5Text& text) {
    ByteWriter name, type, space;
    name.text(text.name);
    name.zeros(1);
    const bool empty = text.is_vector && text.values.empty();
    if (empty)
      put_type(type, DType::float64);
    else
      put_text_type(type, text.is_utf8);
    put_space(space, text.is_vector ? std::vector<uint64_t>{text.values.size()} : std::vector<uint64_t>{});
    Message result = message(0x0c);
    result.content.number(1, 2);
    for (const ByteWriter* part : {&name, &type, &space}) result.content.number(part->size(), 2);
    for (ByteWriter* part : {&name, &type, &space}) {
      result.content.put(part->bytes().data(), part->size());
      result.content.align8();
    }
    for (std::size_t k = 0; k < text.values.size(); ++k) {
      const TextPlace& place = places_[next_text_++];
      result.content.number(place.size, 4);
      result.content.number(place.collection, 8);
      result.content.number(place.number, 4);
    }
    return result;
  }

  // --- objects ---

  Symbol write_object(const H5Content& node) {
    // Texts were collected with those of a node before those of its members.
    std::vector<Message> attributes;
    for (const H5Text& attribute : node.attributes) attributes.push_back(attribute_message(attribute));
    Symbol symbol = node.is_group ? write_group(node, attributes) : write_dataset(node, attributes);
    symbol.name = node.name;
    return symbol;
  }

  Symbol write_dataset(const H5Content& node, std::vector<Message>& attributes) {
    const Shape& shape = node.numbers.shape();
    std::vector<uint64_t> dims;
    for (int k = 0; k < shape.rank(); ++k) dims.push_back(static_cast<uint64_t>(shape[k]));
    const uint64_t size = node.numbers.meta.bytes(), address = size > 0 ? out_.size() : nowhere;
    if (size > 0) out_.put(node.numbers.data, size);
    out_.align8();
    std::vector<Message> messages{message(0x01), message(0x03, 1), message(0x05, 1), message(0x08)};
    put_space(messages[0].content, dims);
    put_type(messages[1].content, node.numbers.dtype());
    messages[2].content.number(0x01020202, 8);  // fill with zeros what is not written: nothing
    messages[3].content.number(0x0103, 2);      // contiguous
    messages[3].content.number(address, 8);
    messages[3].content.number(size, 8);
    for (Message& attribute : attributes) messages.push_back(std::move(attribute));
    Symbol symbol;
    symbol.header = write_header(messages);
    return symbol;
  }

  Symbol write_group(const H5Content& node, std::vector<Message>& attributes) {
    std::vector<Symbol> symbols;
    for (const H5Content& member : node.members) symbols.push_back(write_object(member));
    std::sort(symbols.begin(), symbols.end(), [](const Symbol& a, const Symbol& b) { return a.name < b.name; });
    Symbol group;
    group.heap = write_names(symbols);
    group.tree = write_tree(symbols);
    std::vector<Message> messages{message(0x11)};
    messages[0].content.number(group.tree, 8);
    messages[0].content.number(group.heap, 8);
    for (Message& attribute : attributes) messages.push_back(std::move(attribute));
    group.header = write_header(messages);
    return group;
  }

  // The names of a group, each at a multiple of 8; at 0 stands the empty name.
  uint64_t write_names(std::vector<Symbol>& symbols) {
    ByteWriter names;
    names.zeros(8);
    for (Symbol& symbol : symbols) {
      symbol.name_at = names.size();
      names.text(symbol.name);
      names.zeros(1);
      names.align8();
    }
    const uint64_t address = out_.size();
    out_.text("HEAP");
    out_.number(0, 4);
    out_.number(names.size(), 8);
    out_.number(1, 8);  // no free space
    out_.number(address + 32, 8);
    out_.put(names.bytes().data(), names.size());
    return address;
  }

  // A subtree: its address and the last name in it.
  struct Branch {
    uint64_t address, last_name;
  };

  uint64_t write_tree(const std::vector<Symbol>& symbols) {
    std::vector<Branch> branches;
    for (std::size_t first = 0; first < symbols.size(); first += 2 * leaf_half)
      branches.push_back(write_leaf(symbols, first, std::min(symbols.size(), first + 2 * leaf_half)));
    unsigned level = 0;
    do {
      std::vector<Branch> above;
      const uint64_t start = out_.size(), node_size = 24 + 8 * (4 * tree_half + 1);
      const std::size_t nodes = std::max<std::size_t>(1, (branches.size() + 2 * tree_half - 1) / (2 * tree_half));
      uint64_t first_name = 0;
      for (std::size_t k = 0; k < nodes; ++k) {
        const std::size_t first = k * 2 * tree_half, end = std::min(branches.size(), first + 2 * tree_half);
        const uint64_t left = k > 0 ? start + (k - 1) * node_size : nowhere;
        const uint64_t right = k + 1 < nodes ? start + (k + 1) * node_size : nowhere;
        above.push_back(Branch{out_.size(), end > first ? branches[end - 1].last_name : 0});
        write_node(branches, first, end, level, left, right, first_name, node_size);
        first_name = above.back().last_name;
      }
      branches.swap(above);
      ++level;
    } while (branches.size() > 1);
    return branches[0].address;
  }

  void write_node(const std::vector<Branch>& branches, std::size_t first, std::size_t end, unsigned level,
                  uint64_t left, uint64_t right, uint64_t first_name, uint64_t node_size) {
    const uint64_t start = out_.size();
    out_.text("TREE");
    out_.number(0, 1);
    out_.number(level, 1);
    out_.number(end - first, 2);
    out_.number(left, 8);
    out_.number(right, 8);
    out_.number(first_name, 8);
    for (std::size_t k = first; k < end; ++k) {
      out_.number(branches[k].address, 8);
      out_.number(branches[k].last_name, 8);
    }
    out_.zeros(start + node_size - out_.size());
  }

  Branch write_leaf(const std::vector<Symbol>& symbols, std::size_t first, std::size_t end) {
    const Branch branch{out_.size(), symbols[end - 1].name_at};
    out_.text("SNOD");
    out_.number(1, 2);
    out_.number(end - first, 2);
    for (std::size_t k = first; k < end; ++k) write_entry(symbols[k]);
    out_.zeros((2 * leaf_half - (end - first)) * 40);
    return branch;
  }

  void write_entry(const Symbol& symbol) {
    const bool is_group = symbol.tree != nowhere;
    out_.number(symbol.name_at, 8);
    out_.number(symbol.header, 8);
    out_.number(is_group ? 1 : 0, 8);
    out_.number(is_group ? symbol.tree : 0, 8);
    out_.number(is_group ? symbol.heap : 0, 8);
  }

  void write_superblock(const Symbol& root) {
    ByteWriter body;
    body.swap(out_);
    out_.text("\x89HDF\r\n\x1a\n");
    out_.number(0, 5);
    out_.number(8, 1);
    out_.number(8, 2);
    out_.number(leaf_half, 2);
    out_.number(tree_half, 2);
    out_.number(0, 4);
    out_.number(0, 8);  // starts at 0
    out_.number(nowhere, 8);
    out_.number(body.size(), 8);
    out_.number(nowhere, 8);
    write_entry(root);
    std::copy(out_.bytes().begin(), out_.bytes().end(), body.bytes().begin());
    body.swap(out_);
  }

  ByteWriter out_;
  std::vector<TextPlace> places_;
  std::size_t next_text_ = 0;
};

}  // namespace

std::vector<uint8_t> write_hdf5(const H5Content& root) { return Writer().file(root); }

}  // namespace birnn
