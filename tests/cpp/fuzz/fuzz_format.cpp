// libFuzzer on the readers of files: `make fuzz` in tests/cpp. FUZZ_READER chooses the reader.
//
// Whatever the bytes are, a reader returns or throws the core's one exception. What it returns is read to its end; the
// sanitizers watch.
#include <algorithm>
#include <string>
#include <vector>

#include "format_hdf5.h"
#include "format_inflate.h"
#include "format_json.h"
#include "format_pickle.h"
#include "format_zip.h"

using namespace birnn;

namespace {

void read_hdf5(const H5Node& node) {
  for (const H5Node& member : node.members) read_hdf5(member);
  if (node.is_group || node.data.count > 1000000) return;
  std::vector<double> out(node.data.count + 1);
  read_numbers(node.data, DType::float64, out.data());
}

void read_zip(const ByteSpan& file) {
  for (const ZipMember& member : zip_members(file)) {
    if (member.size > 1000000) continue;
    std::vector<uint8_t> out(member.size + 1);
    zip_extract(member, out.data());
    const ByteSpan content(out.data(), member.size);
    if (member.name == "config.json") parse_json(content);
    if (member.name == "model.weights.h5") read_hdf5(H5File(content).root());
  }
}

// A model file with these bytes inside: the checksums of the archive are right, so that both parts are really read.
void read_model(const ByteSpan& data) {
  const uint64_t cut = data.size() < 2 ? 0 : data.number(0, 2, "the length of the first part");
  const uint64_t start = std::min<uint64_t>(2, data.size()), middle = std::min(data.size(), start + cut);
  const std::vector<uint8_t> file = zip_archive(
      {"config.json", "model.weights.h5"},
      {data.part(start, middle - start, "config"), data.part(middle, data.size() - middle, "weights")});
  const std::vector<ZipMember> members = zip_members(ByteSpan(file.data(), file.size()));
  if (members.size() != 2) __builtin_trap();
  for (const ZipMember& member : members) {
    std::vector<uint8_t> out(member.size + 1);
    zip_extract(member, out.data());
  }
  read_hdf5(H5File(members[1].stored).root());
  parse_json(members[0].stored);
}

void read_json(const ByteSpan& text) {
  const std::string first = write_json(parse_json(text));
  const std::string second =
      write_json(parse_json(ByteSpan(reinterpret_cast<const uint8_t*>(first.data()), first.size())));
  if (first != second) __builtin_trap();
}

void read_deflated(const ByteSpan& data) {
  std::vector<uint8_t> out(100000);
  inflate_zlib(data, out.data(), out.size());
}

}  // namespace

#ifndef FUZZ_READER
#define FUZZ_READER 0
#endif

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const ByteSpan bytes(data, size);
  try {
    switch (FUZZ_READER) {
      case 0:
        read_zip(bytes);
        break;
      case 1:
        read_hdf5(H5File(bytes).root());
        break;
      case 2:
        read_json(bytes);
        break;
      case 3:
        read_model(bytes);
        break;
      case 5:
        pickled_integer_lists(bytes);
        break;
      default:
        read_deflated(bytes);
    }
  } catch (const Error&) {
  }
  return 0;
}
