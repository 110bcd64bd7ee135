// HDF5: where the numbers of a dataset are, and reading them (level L1).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "format_hdf5_source.h"
#include "format_inflate.h"

namespace birnn {

namespace {

constexpr unsigned deflate_filter = 1, shuffle_filter = 2;

std::vector<unsigned> read_filters(const ByteSpan& message) {
  Cursor fields(message, "the filters of a dataset");
  const uint64_t version = fields.number(1), count = fields.number(1);
  if (version != 1 && version != 2) fields.reject("the filters of a dataset have an unknown version");
  if (version == 1) fields.skip(6);
  std::vector<unsigned> filters;
  for (uint64_t k = 0; k < count; ++k) {
    const unsigned id = static_cast<unsigned>(fields.number(2));
    if (id != deflate_filter && id != shuffle_filter)
      fields.reject("data are stored with the unknown filter " + std::to_string(id));
    const uint64_t name_size = version == 1 ? fields.number(2) : 0;
    fields.skip(2);
    const uint64_t values = fields.number(2);
    fields.skip(name_size);
    fields.skip(4 * values + (version == 1 && values % 2 == 1 ? 4 : 0));
    filters.push_back(id);
  }
  if (filters.size() > 2) fields.reject("data are stored with too many filters");
  return filters;
}

uint64_t chunk_bytes(const H5Dataset& data, uint64_t where) {
  return element_count(data.chunk_dims, data.type.size, where) * data.type.size;
}

// How many chunks lie along each axis.
std::vector<uint64_t> chunk_grid(const H5Dataset& data) {
  std::vector<uint64_t> grid;
  for (std::size_t k = 0; k < data.dims.size(); ++k)
    grid.push_back((data.dims[k] + data.chunk_dims[k] - 1) / data.chunk_dims[k]);
  return grid;
}

void add_chunk(H5Source& source, H5Dataset& data, uint64_t address, uint64_t size, std::uint32_t skipped,
               const std::vector<uint64_t>& offsets) {
  H5Chunk chunk;
  chunk.stored = source.claim(address, size, "a chunk of data");
  chunk.skipped_filters = skipped;
  chunk.offsets = offsets;
  const uint64_t whole = chunk_bytes(data, chunk.stored.origin());
  const bool deflated = std::count(data.filters.begin(), data.filters.end(), deflate_filter) > 0;
  if (!deflated && size != whole) fail_at(chunk.stored.origin(), "a chunk of data has the wrong size");
  if (!plausible_growth(size, whole))
    fail_at(chunk.stored.origin(), "a chunk would become more than 100 times as large");
  data.chunks.push_back(chunk);
}

// Chunks in a B-tree: their sizes, places, and addresses.
void read_chunk_tree(H5Source& source, H5Dataset& data, uint64_t address, int level) {
  const uint64_t head = 8 + 2 * uint64_t{source.offset_size}, key = 8 + 8 * (data.dims.size() + 1);
  Cursor start(source.claim(address, head, "the chunks of a dataset"), "the chunks of a dataset");
  if (start.text(4) != "TREE" || start.number(1) != 1) start.reject("the chunks of a dataset are damaged");
  const int own_level = static_cast<int>(start.number(1));
  const uint64_t entries = start.number(2);
  if (level >= 0 ? own_level != level : own_level > 32) start.reject("the chunks of a dataset are damaged");
  const uint64_t size = head + entries * (key + source.offset_size) + key;
  Cursor fields(source.extend(address, head, size, "the chunks of a dataset"), "the chunks of a dataset", head);
  for (uint64_t k = 0; k < entries; ++k) {
    const uint64_t chunk_size = fields.number(4);
    const std::uint32_t skipped = static_cast<std::uint32_t>(fields.number(4));
    std::vector<uint64_t> offsets;
    for (std::size_t axis = 0; axis < data.dims.size(); ++axis) offsets.push_back(fields.number(8));
    fields.skip(8);
    const uint64_t child = source.address(fields);
    if (own_level > 0)
      read_chunk_tree(source, data, child, own_level - 1);
    else
      add_chunk(source, data, child, chunk_size, skipped, offsets);
  }
}

// Chunk number `k`, counted row by row.
std::vector<uint64_t> chunk_place(const H5Dataset& data, const std::vector<uint64_t>& grid, uint64_t k) {
  std::vector<uint64_t> offsets(grid.size());
  for (std::size_t axis = grid.size(); axis-- > 0; k /= grid[axis])
    offsets[axis] = k % grid[axis] * data.chunk_dims[axis];
  return offsets;
}

// Chunks in an array of addresses. `filtered`: each with its size and the filters that were not applied.
void read_chunk_entries(H5Source& source, H5Dataset& data, Cursor& fields, uint64_t first, uint64_t count,
                        uint64_t size_width) {
  const std::vector<uint64_t> grid = chunk_grid(data);
  for (uint64_t k = first; k < first + count; ++k) {
    const uint64_t address = source.address(fields);
    uint64_t size = 0, skipped = 0;
    if (size_width > 0) {
      size = fields.number(static_cast<unsigned>(size_width));
      skipped = fields.number(4);
    } else {
      size = chunk_bytes(data, fields.position());
    }
    add_chunk(source, data, address, size, static_cast<std::uint32_t>(skipped), chunk_place(data, grid, k));
  }
}

void read_fixed_array(H5Source& source, H5Dataset& data, uint64_t address) {
  const char* const what = "the chunks of a dataset";
  const ByteSpan header = source.claim(address, 12 + source.length_size + source.offset_size, what);
  Cursor fields(header, what);
  if (fields.text(4) != "FAHD" || fields.number(1) != 0) fields.reject("the chunks of a dataset are damaged");
  check_sum(header, what);
  const bool filtered = fields.number(1) == 1;
  const uint64_t entry = fields.number(1), page_bits = fields.number(1), entries = source.length(fields);
  const uint64_t block = source.address(fields), width = filtered ? entry - source.offset_size - 4 : 0;
  if (entry < source.offset_size || width > 8 || (filtered && (entry < source.offset_size + 5)) || page_bits > 30)
    fields.reject("the chunks of a dataset are damaged");
  uint64_t expected = 1;
  for (const uint64_t n : chunk_grid(data)) expected *= n;
  if (entries != expected || entries > source.file().size()) fields.reject("a dataset has too few or too many chunks");
  source.spend(entries);
  const uint64_t page = uint64_t{1} << page_bits, head = 6 + source.offset_size;
  const bool paged = entries > page;
  const uint64_t pages = (entries + page - 1) / page, bitmap = paged ? (pages + 7) / 8 : 0;
  uint64_t size = head + bitmap + (paged ? 4 : 0) + entries * entry + (paged ? pages * 4 : 4);
  Cursor values(source.claim(block, size, what), what);
  if (values.text(4) != "FADB") values.reject("the chunks of a dataset are damaged");
  values.skip(head - 4 + bitmap + (paged ? 4 : 0));
  for (uint64_t first = 0; first < entries; first += page) {
    read_chunk_entries(source, data, values, first, std::min(page, entries - first), width);
    if (paged) values.skip(4);
  }
}

// The newer form of the message: the kind of index says how chunks are found.
void read_chunked_v4(H5Source& source, Cursor& fields, H5Dataset& data) {
  const uint64_t flags = fields.number(1), rank = fields.number(1), width = fields.number(1);
  if (rank != data.dims.size() + 1 || width < 1 || width > 8) fields.reject("a dataset has chunks of another rank");
  if (flags & 1) fields.reject("chunks at the edge that are stored in another way are not read");
  for (uint64_t k = 0; k < rank; ++k) data.chunk_dims.push_back(fields.number(static_cast<unsigned>(width)));
  data.chunk_dims.pop_back();
  if (std::count(data.chunk_dims.begin(), data.chunk_dims.end(), uint64_t{0}) > 0)
    fields.reject("a dataset has empty chunks");
  const uint64_t whole = chunk_bytes(data, fields.position()), index = fields.number(1);
  if (index == 1) {  // a single chunk
    uint64_t size = whole, skipped = 0;
    if (flags & 2) {
      size = source.length(fields);
      skipped = fields.number(4);
    }
    add_chunk(source, data, source.address(fields), size, static_cast<std::uint32_t>(skipped),
              std::vector<uint64_t>(data.dims.size(), 0));
  } else if (index == 2) {  // one after the other
    const uint64_t address = source.address(fields);
    const std::vector<uint64_t> grid = chunk_grid(data);
    uint64_t count = 1;
    for (const uint64_t n : grid) count *= n;
    source.spend(count);
    for (uint64_t k = 0; k < count; ++k)
      add_chunk(source, data, address + k * whole, whole, 0, chunk_place(data, grid, k));
  } else if (index == 3) {
    fields.skip(1);
    read_fixed_array(source, data, source.address(fields));
  } else {
    fields.reject("datasets that can grow are not read");
  }
}

void read_chunked(H5Source& source, Cursor& fields, H5Dataset& data) {
  const uint64_t rank = fields.number(1), tree = source.address(fields);
  if (rank != data.dims.size() + 1) fields.reject("a dataset has chunks of another rank");
  for (uint64_t k = 0; k < rank; ++k) data.chunk_dims.push_back(fields.number(4));
  if (data.chunk_dims.back() != data.type.size) fields.reject("a dataset has chunks of another type");
  data.chunk_dims.pop_back();
  if (std::count(data.chunk_dims.begin(), data.chunk_dims.end(), uint64_t{0}) > 0)
    fields.reject("a dataset has empty chunks");
  chunk_bytes(data, fields.position());
  if (source.undefined(tree)) fields.reject("a dataset has no data");
  read_chunk_tree(source, data, tree, -1);
}

// Every chunk must be there once: what is missing would be made up.
void check_chunks(const H5Dataset& data, const ByteSpan& message) {
  uint64_t expected = 1;
  for (const uint64_t n : chunk_grid(data)) expected *= n;
  bool right = data.chunks.size() == expected;
  std::vector<std::vector<uint64_t>> places;
  for (const H5Chunk& chunk : data.chunks) {
    for (std::size_t k = 0; k < data.dims.size(); ++k)
      right = right && chunk.offsets[k] < data.dims[k] && chunk.offsets[k] % data.chunk_dims[k] == 0;
    places.push_back(chunk.offsets);
  }
  std::sort(places.begin(), places.end());
  right = right && std::adjacent_find(places.begin(), places.end()) == places.end();
  if (!right) fail_at(message.origin(), "a dataset has too few or too many chunks");
}

void read_layout(H5Source& source, const ByteSpan& message, H5Dataset& data) {
  Cursor fields(message, "the layout of a dataset");
  const uint64_t version = fields.number(1), kind = fields.number(1);
  if (version != 3 && version != 4) fields.reject("the layout of a dataset has an unknown version");
  const uint64_t size = data.count * data.type.size;
  if (kind == 0) {
    const uint64_t stored = fields.number(2);
    if (stored < size) fields.reject("a dataset has fewer data than its sizes say");
    data.plain = fields.part(size);
  } else if (kind == 1) {
    const uint64_t address = source.address(fields), stored = source.length(fields);
    if (size == 0) return;
    if (source.undefined(address)) fields.reject("a dataset has no data");
    if (stored != size) fields.reject("a dataset has other data than its sizes say");
    data.plain = source.claim(address, size, "the data of a dataset");
  } else if (kind == 2) {
    if (data.count == 0) return;
    if (version == 3)
      read_chunked(source, fields, data);
    else
      read_chunked_v4(source, fields, data);
    check_chunks(data, message);
  } else {
    fields.reject("data that are elsewhere are not read");
  }
}

const H5Message* find_message(const std::vector<H5Message>& messages, unsigned type) {
  for (const H5Message& message : messages)
    if (message.type == type) return &message;
  return nullptr;
}

}  // namespace

H5Dataset read_dataset(H5Source& source, const std::vector<H5Message>& messages, const std::string& name) {
  const H5Message* const type = find_message(messages, 0x03);
  const H5Message* const space = find_message(messages, 0x01);
  const H5Message* const layout = find_message(messages, 0x08);
  if (type == nullptr || space == nullptr || layout == nullptr)
    fail_at(source.file().origin(), "object " + shown(name) + " is neither a group nor a dataset");
  H5Dataset data;
  Cursor fields(type->content, "the type of a dataset");
  data.type = read_type(fields);
  if (data.type.kind != H5Type::Kind::integer && data.type.kind != H5Type::Kind::real)
    fields.reject("dataset " + shown(name) + " holds values that are no numbers");
  data.dims = read_space(source, space->content);
  data.count = element_count(data.dims, data.type.size, space->content.origin());
  const H5Message* const filters = find_message(messages, 0x0b);
  if (filters != nullptr) data.filters = read_filters(filters->content);
  read_layout(source, layout->content, data);
  if (!data.filters.empty() && data.chunk_dims.empty() && data.count > 0)
    fail_at(layout->content.origin(), "a dataset without chunks has filters");
  return data;
}

// --- the numbers --------------------------------------------------------------------------------------------------

namespace {

// All first bytes of the elements, then all second bytes, ...: put together again.
void unshuffle(std::vector<uint8_t>& bytes, uint64_t size) {
  std::vector<uint8_t> result(bytes);
  const uint64_t n = bytes.size() / size;
  for (uint64_t k = 0; k < n; ++k)
    for (uint64_t b = 0; b < size; ++b) result[k * size + b] = bytes[b * n + k];
  bytes.swap(result);
}

std::vector<uint8_t> unpack_chunk(const H5Dataset& data, const H5Chunk& chunk) {
  const uint64_t whole = chunk_bytes(data, chunk.stored.origin());
  std::vector<uint8_t> bytes(chunk.stored.data(), chunk.stored.data() + chunk.stored.size());
  for (std::size_t k = data.filters.size(); k-- > 0;) {
    if (chunk.skipped_filters >> k & 1) continue;
    if (data.filters[k] == shuffle_filter) {
      unshuffle(bytes, data.type.size);
      continue;
    }
    std::vector<uint8_t> result(static_cast<std::size_t>(whole));
    const uint64_t filled =
        inflate_zlib(ByteSpan(bytes.data(), bytes.size(), chunk.stored.origin()), result.data(), whole);
    result.resize(static_cast<std::size_t>(filled));
    bytes.swap(result);
  }
  if (bytes.size() != whole) fail_at(chunk.stored.origin(), "a chunk of data has the wrong size");
  return bytes;
}

// Copies the part of a chunk that lies within the array, row by row of its last axis.
void place_chunk(const H5Dataset& data, const H5Chunk& chunk, const std::vector<uint8_t>& bytes, uint8_t* out) {
  const std::size_t rank = data.dims.size();
  const uint64_t size = data.type.size;
  if (rank == 0) {
    std::copy(bytes.begin(), bytes.end(), out);
    return;
  }
  std::vector<uint64_t> extent(rank), index(rank, 0);
  for (std::size_t k = 0; k < rank; ++k) extent[k] = std::min(data.chunk_dims[k], data.dims[k] - chunk.offsets[k]);
  for (;;) {
    uint64_t from = 0, to = 0;
    for (std::size_t k = 0; k < rank; ++k) {
      from = from * data.chunk_dims[k] + index[k];
      to = to * data.dims[k] + chunk.offsets[k] + index[k];
    }
    std::memcpy(out + to * size, bytes.data() + from * size, static_cast<std::size_t>(extent[rank - 1] * size));
    std::size_t axis = rank - 1;
    while (axis-- > 0) {
      if (++index[axis] < extent[axis]) break;
      index[axis] = 0;
    }
    if (axis >= rank) return;
  }
}

// Calls use(k, value) for every number.
template <typename T, typename Use>
void for_each_number(const uint8_t* from, uint64_t count, Use use) {
  for (uint64_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof(T), sizeof(T));
    use(k, value);
  }
}

template <typename Use>
void for_each_of_type(const H5Type& type, const uint8_t* from, uint64_t count, Use use) {
  if (type.kind == H5Type::Kind::real) {
    if (type.size == 8) return for_each_number<double>(from, count, use);
    if (type.size == 4) return for_each_number<float>(from, count, use);
    return for_each_number<std::uint16_t>(from, count,
                                          [&](uint64_t k, std::uint16_t bits) { use(k, half_number(bits)); });
  }
  switch (type.size) {
    case 1:
      return type.is_signed ? for_each_number<std::int8_t>(from, count, use)
                            : for_each_number<uint8_t>(from, count, use);
    case 2:
      return type.is_signed ? for_each_number<std::int16_t>(from, count, use)
                            : for_each_number<std::uint16_t>(from, count, use);
    case 4:
      return type.is_signed ? for_each_number<std::int32_t>(from, count, use)
                            : for_each_number<std::uint32_t>(from, count, use);
    default:
      return type.is_signed ? for_each_number<std::int64_t>(from, count, use)
                            : for_each_number<uint64_t>(from, count, use);
  }
}

bool same_form(const H5Type& type, DType target) {
  if (type.kind == H5Type::Kind::real)
    return (type.size == 4 && target == DType::float32) || (type.size == 8 && target == DType::float64);
  return type.kind == H5Type::Kind::integer && type.size == 4 && type.is_signed && target == DType::int32;
}

void convert(const H5Type& type, const uint8_t* from, uint64_t count, DType target, void* out) {
  if (target == DType::float32)
    return for_each_of_type(type, from, count,
                            [=](uint64_t k, auto x) { static_cast<float*>(out)[k] = static_cast<float>(x); });
  if (target == DType::float64)
    return for_each_of_type(type, from, count,
                            [=](uint64_t k, auto x) { static_cast<double*>(out)[k] = static_cast<double>(x); });
  if (target == DType::boolean)
    return for_each_of_type(type, from, count, [=](uint64_t k, auto x) { static_cast<uint8_t*>(out)[k] = x != 0; });
  for_each_of_type(type, from, count, [=](uint64_t k, auto x) {
    const double value = static_cast<double>(x);
    if (!(value > -2147483648.0 && value <= 2147483647.0) || value != std::floor(value))
      fail("file", "a number of the file is not a whole number that fits");
    static_cast<std::int32_t*>(out)[k] = static_cast<std::int32_t>(value);
  });
}

}  // namespace

DType natural_type(const H5Type& type) {
  if (type.kind == H5Type::Kind::integer) return DType::int32;
  return type.size == 8 ? DType::float64 : DType::float32;
}

void read_numbers(const H5Dataset& dataset, DType target, void* out) {
  const uint64_t size = dataset.count * dataset.type.size;
  if (dataset.count == 0) return;
  if (dataset.chunk_dims.empty() && dataset.chunks.empty()) {
    if (same_form(dataset.type, target))
      std::memcpy(out, dataset.plain.data(), static_cast<std::size_t>(size));
    else
      convert(dataset.type, dataset.plain.data(), dataset.count, target, out);
    return;
  }
  std::vector<uint8_t> bytes(static_cast<std::size_t>(size));
  for (const H5Chunk& chunk : dataset.chunks) place_chunk(dataset, chunk, unpack_chunk(dataset, chunk), bytes.data());
  convert(dataset.type, bytes.data(), dataset.count, target, out);
}

}  // namespace birnn
