// HDF5: the superblock and the tree of groups and datasets (level L1).
#include "format_hdf5.h"

#include <set>

#include "format_hdf5_source.h"

namespace birnn {

namespace {

constexpr unsigned deepest = 64;
const char signature[] = "\x89HDF\r\n\x1a\n";

void read_widths(H5Source& source, Cursor& fields) {
  source.offset_size = static_cast<unsigned>(fields.number(1));
  source.length_size = static_cast<unsigned>(fields.number(1));
  for (const unsigned width : {source.offset_size, source.length_size})
    if (width != 4 && width != 8) fields.reject("the HDF5 file has numbers of an unknown width");
}

// Where the file begins and ends according to itself.
void check_extent(const H5Source& source, uint64_t base, uint64_t end, Cursor& fields) {
  if (base != 0) fields.reject("HDF5 files with something before them are not read");
  if (end > source.file().size()) fields.reject("the HDF5 file is cut off");
}

uint64_t read_superblock_v0(H5Source& source, uint64_t version) {
  Cursor fields(source.file(), "the start of the HDF5 file", 9);
  fields.skip(4);
  read_widths(source, fields);
  fields.skip(1);
  fields.skip(4 + 4 + (version == 1 ? 4 : 0));  // sizes of tree nodes, flags
  const uint64_t base = source.address(fields);
  source.address(fields);  // free space
  const uint64_t end = source.address(fields), driver = source.address(fields);
  check_extent(source, base, end, fields);
  if (!source.undefined(driver)) fields.reject("HDF5 files in several parts are not read");
  source.address(fields);  // the root has no name
  const uint64_t root = source.address(fields);
  fields.skip(24);
  source.claim(0, fields.at(), "the start of the HDF5 file");
  return root;
}

uint64_t read_superblock_v2(H5Source& source) {
  Cursor fields(source.file(), "the start of the HDF5 file", 9);
  read_widths(source, fields);
  fields.skip(1);
  const uint64_t base = source.address(fields);
  source.address(fields);  // extension: nothing in it concerns a reader
  const uint64_t end = source.address(fields), root = source.address(fields);
  check_extent(source, base, end, fields);
  fields.skip(4);
  check_sum(source.claim(0, fields.at(), "the start of the HDF5 file"), "the start of the HDF5 file");
  return root;
}

uint64_t read_superblock(H5Source& source) {
  if (!source.file().has_text(0, signature, 8)) fail_at(source.file().origin(), "this is no HDF5 file");
  const uint64_t version = source.file().number(8, 1, "the start of the HDF5 file");
  if (version > 3) fail_at(source.file().origin() + 8, "the HDF5 file is of a newer version than 3");
  return version < 2 ? read_superblock_v0(source, version) : read_superblock_v2(source);
}

bool is_group(const std::vector<H5Message>& messages) {
  for (const H5Message& message : messages)
    if (message.type == 0x11 || message.type == 0x02 || message.type == 0x06) return true;
  return false;
}

H5Node read_node(H5Source& source, const std::string& name, uint64_t address, unsigned depth) {
  if (depth > deepest) fail_at(source.file().origin() + address, "groups are nested too deeply");
  const std::vector<H5Message> messages = read_object_header(source, address);
  H5Node node;
  node.name = name;
  node.is_group = is_group(messages);
  node.attributes = read_attributes(source, messages);
  if (!node.is_group) {
    node.data = read_dataset(source, messages, name);
    return node;
  }
  std::set<std::string> names;
  for (const H5Link& link : read_links(source, messages)) {
    if (!names.insert(link.name).second)
      fail_at(source.file().origin() + address, "a group has two objects called " + shown(link.name));
    node.members.push_back(read_node(source, link.name, link.address, depth + 1));
  }
  return node;
}

}  // namespace

H5File::H5File(const ByteSpan& file) {
  H5Source source(file);
  root_ = read_node(source, "", read_superblock(source), 0);
}

}  // namespace birnn
