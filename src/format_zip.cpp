// Zip archives: the directory at the end, the local headers, stored and deflated members (level L1).
#include "format_zip.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "format_inflate.h"

namespace birnn {

namespace {

constexpr uint64_t end_signature = 0x06054b50, entry_signature = 0x02014b50, local_signature = 0x04034b50;
constexpr uint64_t end64_signature = 0x06064b50, locator64_signature = 0x07064b50;
constexpr uint64_t end_size = 22, locator64_size = 20, end64_size = 56;
constexpr uint64_t most_members = 1000;
constexpr uint64_t in_extra = 0xffffffff;  // "the true size stands in the extra field"

struct Directory {
  uint64_t offset = 0, size = 0, members = 0;
};

// Where the record at the end of the directory starts. Its comment must end with the file, and it must be the only
// record of that kind: a second one would let two readers see two archives.
uint64_t find_end(const ByteSpan& file) {
  if (file.size() < end_size) fail_at(0, "this is no zip archive");
  const uint64_t furthest = file.size() > end_size + 65535 ? file.size() - end_size - 65535 : 0;
  uint64_t found = file.size();
  for (uint64_t at = file.size() - end_size + 1; at-- > furthest;) {
    if (file.number(at, 4, "the end record") != end_signature) continue;
    if (at + end_size + file.number(at + 20, 2, "the end record") != file.size()) continue;
    if (found != file.size()) fail_at(at, "the zip archive has two directories");
    found = at;
  }
  if (found == file.size()) fail_at(0, "this is no zip archive, or it is cut off");
  return found;
}

// The sizes of archives of 4 GiB and more stand in a record of their own.
Directory read_directory64(const ByteSpan& file, uint64_t end) {
  if (end < locator64_size) fail_at(end, "the zip archive lacks its 64-bit directory");
  Cursor locator(file, "the 64-bit directory", end - locator64_size);
  if (locator.number(4) != locator64_signature) locator.reject("the zip archive lacks its 64-bit directory");
  if (locator.number(4) != 0) locator.reject("zip archives in several parts cannot be read");
  const uint64_t start = locator.number(8);
  if (locator.number(4) != 1) locator.reject("zip archives in several parts cannot be read");
  if (end - locator64_size < end64_size || start != end - locator64_size - end64_size)
    locator.reject("the 64-bit directory is not where it should be");
  Cursor record(file, "the 64-bit directory", start);
  if (record.number(4) != end64_signature) record.reject("the 64-bit directory is damaged");
  record.skip(20);
  Directory directory;
  const uint64_t here = record.number(8);
  directory.members = record.number(8);
  directory.size = record.number(8);
  directory.offset = record.number(8);
  if (here != directory.members) record.reject("zip archives in several parts cannot be read");
  if (directory.offset > start || directory.size != start - directory.offset)
    record.reject("the directory is not where it should be");
  return directory;
}

Directory read_directory(const ByteSpan& file) {
  const uint64_t end = find_end(file);
  Cursor record(file, "the end record", end + 4);
  const uint64_t disk = record.number(2), first_disk = record.number(2);
  const uint64_t here = record.number(2);
  Directory directory;
  directory.members = record.number(2);
  directory.size = record.number(4);
  directory.offset = record.number(4);
  if (directory.members == 0xffff || directory.size == in_extra || directory.offset == in_extra)
    return read_directory64(file, end);
  if (disk != 0 || first_disk != 0 || here != directory.members)
    record.reject("zip archives in several parts cannot be read");
  if (directory.offset > end || directory.size != end - directory.offset)
    record.reject("the zip archive has bytes before or after what belongs to it");
  return directory;
}

void check_name(const std::string& name, uint64_t where) {
  if (name.empty() || name.size() > 255 || !is_utf8(name))
    fail_at(where, "a member of the zip archive has no valid name");
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 32 || c == '\\' || c == ':')
      fail_at(where, "a member of the zip archive has a name with forbidden characters: " + shown(name));
  if (name[0] == '/' || ("/" + name + "/").find("/../") != std::string::npos)
    fail_at(where, "a member of the zip archive has a name that leads out of it: " + shown(name));
}

// What a header says about a member, in the directory or before the member itself.
struct Header {
  ZipMember member;
  uint64_t flags = 0, stored_size = 0, offset = 0;
};

// Sizes of 4 GiB and more: in the order size, stored size, offset, as far as the header refers to here.
void read_extra64(const ByteSpan& extra, Header& header, bool has_offset) {
  Cursor fields(extra, "the extra field of a member");
  while (fields.left() >= 4) {
    const uint64_t id = fields.number(2);
    const ByteSpan content = fields.part(fields.number(2));
    if (id != 1) continue;
    Cursor sizes(content, "the extra field of a member");
    if (header.member.size == in_extra) header.member.size = sizes.number(8);
    if (header.stored_size == in_extra) header.stored_size = sizes.number(8);
    if (has_offset && header.offset == in_extra) header.offset = sizes.number(8);
    return;
  }
}

// The fields that both kinds of header share, from the flags to the length of the extra field.
void read_common(Cursor& fields, Header& header, uint64_t& name_length, uint64_t& extra_length) {
  header.flags = fields.number(2);
  header.member.method = static_cast<unsigned>(fields.number(2));
  fields.skip(4);  // time and date
  header.member.crc = static_cast<std::uint32_t>(fields.number(4));
  header.stored_size = fields.number(4);
  header.member.size = fields.number(4);
  name_length = fields.number(2);
  extra_length = fields.number(2);
}

Header read_entry(Cursor& fields) {
  if (fields.number(4) != entry_signature) fields.reject("the directory of the zip archive is damaged");
  Header header;
  uint64_t name_length = 0, extra_length = 0;
  fields.skip(4);
  read_common(fields, header, name_length, extra_length);
  const uint64_t comment_length = fields.number(2);
  if (fields.number(2) != 0) fields.reject("zip archives in several parts cannot be read");
  fields.skip(6);  // attributes: no member ever becomes a file
  header.offset = fields.number(4);
  header.member.name = fields.text(name_length);
  check_name(header.member.name, fields.position());
  read_extra64(fields.part(extra_length), header, true);
  fields.skip(comment_length);
  if (header.flags & (1 | 64 | 8192)) fields.reject("the zip archive is encrypted");
  if (header.member.method != 0 && header.member.method != 8)
    fields.reject("member " + shown(header.member.name) + " is compressed in an unknown way");
  if (header.member.method == 0 && header.member.size != header.stored_size)
    fields.reject("member " + shown(header.member.name) + " has two different sizes");
  if (!plausible_growth(header.stored_size, header.member.size))
    fields.reject("member " + shown(header.member.name) + " would become more than 100 times as large");
  return header;
}

// The header before the member must say the same. Returns the member with its bytes.
ZipMember locate(const ByteSpan& file, const Header& entry, uint64_t directory) {
  Cursor fields(file, "a member of the zip archive", entry.offset);
  if (fields.number(4) != local_signature) fields.reject("a member of the zip archive is not where it should be");
  Header local;
  uint64_t name_length = 0, extra_length = 0;
  fields.skip(2);
  read_common(fields, local, name_length, extra_length);
  const std::string name = fields.text(name_length);
  read_extra64(fields.part(extra_length), local, false);
  const bool later = (local.flags & 8) != 0;  // sizes follow the member
  const bool same = name == entry.member.name && local.member.method == entry.member.method &&
                    (local.flags & ~uint64_t{8}) == (entry.flags & ~uint64_t{8}) &&
                    (later || (local.member.size == entry.member.size && local.stored_size == entry.stored_size &&
                               local.member.crc == entry.member.crc));
  if (!same) fields.reject("member " + shown(entry.member.name) + " is described in two different ways");
  ZipMember member = entry.member;
  member.stored = fields.part(entry.stored_size);
  if (fields.at() > directory) fields.reject("member " + shown(member.name) + " overlaps the directory");
  return member;
}

void check_overlaps(std::vector<std::pair<uint64_t, uint64_t>> ranges) {
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t k = 1; k < ranges.size(); ++k)
    if (ranges[k].first < ranges[k - 1].second) fail_at(ranges[k].first, "members of the zip archive overlap");
}

std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t k = 0; k < 256; ++k) {
    std::uint32_t value = k;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xedb88320u ^ (value >> 1) : value >> 1;
    table[k] = value;
  }
  return table;
}

}  // namespace

std::uint32_t crc32(const uint8_t* data, uint64_t size) {
  static const std::array<std::uint32_t, 256> table = crc_table();
  std::uint32_t value = 0xffffffffu;
  for (uint64_t k = 0; k < size; ++k) value = table[(value ^ data[k]) & 255] ^ (value >> 8);
  return value ^ 0xffffffffu;
}

std::vector<ZipMember> zip_members(const ByteSpan& file) {
  const Directory directory = read_directory(file);
  if (directory.members > most_members) fail_at(directory.offset, "the zip archive has more than 1000 members");
  Cursor entries(file.part(directory.offset, directory.size, "the directory"), "the directory");
  std::vector<ZipMember> members;
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  std::set<std::string> names;
  for (uint64_t k = 0; k < directory.members; ++k) {
    const Header entry = read_entry(entries);
    if (!names.insert(entry.member.name).second)
      entries.reject("the zip archive has two members called " + shown(entry.member.name));
    members.push_back(locate(file, entry, directory.offset));
    const ByteSpan& stored = members.back().stored;
    ranges.emplace_back(entry.offset, stored.origin() - file.origin() + stored.size());
  }
  if (entries.left() != 0) entries.reject("the directory of the zip archive has more members than it says");
  check_overlaps(ranges);
  return members;
}

void zip_extract(const ZipMember& member, uint8_t* out) {
  if (member.method == 8) {
    if (inflate(member.stored, out, member.size) != member.stored.size())
      fail_at(member.stored.origin(), "member " + shown(member.name) + " is followed by other bytes");
  } else if (member.size > 0) {
    std::memcpy(out, member.stored.data(), static_cast<std::size_t>(member.size));
  }
  if (crc32(out, member.size) != member.crc)
    fail_at(member.stored.origin(), "member " + shown(member.name) + " has a wrong checksum");
}

namespace {

struct Written {
  uint64_t offset, size;
  std::uint32_t crc;
};

// From the version to the length of the extra field. Sizes that do not fit go to the extra field of 64-bit numbers.
void write_common(ByteWriter& out, const std::string& name, const Written& member, bool wide, uint64_t extra) {
  out.number(wide ? 45 : 20, 2);
  out.number(0x800, 2);  // names in UTF-8
  out.number(0, 2);      // stored
  out.number(0, 2);
  out.number(0x21, 2);  // 1980-01-01: the same model gives the same bytes
  out.number(member.crc, 4);
  out.number(wide ? in_extra : member.size, 4);
  out.number(wide ? in_extra : member.size, 4);
  out.number(name.size(), 2);
  out.number(extra, 2);
}

bool is_wide(const Written& member) { return member.size >= in_extra || member.offset >= in_extra; }

void write_local(ByteWriter& out, const std::string& name, const Written& member) {
  const bool wide = is_wide(member);
  out.number(local_signature, 4);
  write_common(out, name, member, wide, wide ? 20 : 0);
  out.text(name);
  if (!wide) return;
  out.number(1, 2);
  out.number(16, 2);
  out.number(member.size, 8);
  out.number(member.size, 8);
}

void write_entry(ByteWriter& out, const std::string& name, const Written& member) {
  const bool wide = is_wide(member);
  out.number(entry_signature, 4);
  out.number(3 << 8 | 20, 2);  // made on Unix
  write_common(out, name, member, wide, wide ? 28 : 0);
  out.number(0, 2);
  out.number(0, 2);
  out.number(0, 2);
  out.number(uint64_t{0100644} << 16, 4);  // a plain file
  out.number(wide ? in_extra : member.offset, 4);
  out.text(name);
  if (!wide) return;
  out.number(1, 2);
  out.number(24, 2);
  out.number(member.size, 8);
  out.number(member.size, 8);
  out.number(member.offset, 8);
}

void write_end(ByteWriter& out, uint64_t start, uint64_t members) {
  const uint64_t size = out.size() - start;
  const bool wide = start >= in_extra || size >= in_extra;
  if (wide) {
    const uint64_t at = out.size();
    out.number(end64_signature, 4);
    out.number(end64_size - 12, 8);
    out.number(45, 2);
    out.number(45, 2);
    out.number(0, 8);
    out.number(members, 8);
    out.number(members, 8);
    out.number(size, 8);
    out.number(start, 8);
    out.number(locator64_signature, 4);
    out.number(0, 4);
    out.number(at, 8);
    out.number(1, 4);
  }
  out.number(end_signature, 4);
  out.number(0, 4);
  out.number(members, 2);
  out.number(members, 2);
  out.number(wide ? in_extra : size, 4);
  out.number(wide ? in_extra : start, 4);
  out.number(0, 2);
}

}  // namespace

std::vector<uint8_t> zip_archive(const std::vector<std::string>& names, const std::vector<ByteSpan>& contents) {
  ByteWriter out;
  std::vector<Written> members;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const ByteSpan& content = contents[k];
    members.push_back(Written{out.size(), content.size(), crc32(content.data(), content.size())});
    write_local(out, names[k], members.back());
    out.put(content.data(), content.size());
  }
  const uint64_t start = out.size();
  for (std::size_t k = 0; k < names.size(); ++k) write_entry(out, names[k], members[k]);
  write_end(out, start, names.size());
  return std::move(out.bytes());
}

}  // namespace birnn
