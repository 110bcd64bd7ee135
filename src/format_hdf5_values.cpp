// HDF5: types, sizes, attributes with numbers or text (level L1).
#include <cmath>
#include <cstring>

#include "format_hdf5_source.h"

namespace birnn {

namespace {

constexpr uint64_t most_axes = max_rank;

// IEEE floats of 2, 4 and 8 bytes in the order of small machines, and nothing else.
bool is_ieee(unsigned size, uint64_t bits, Cursor& fields) {
  const uint64_t offset = fields.number(2), precision = fields.number(2), exponent_at = fields.number(1);
  const uint64_t exponent_size = fields.number(1), mantissa_at = fields.number(1), mantissa_size = fields.number(1);
  const uint64_t bias = fields.number(4);
  const bool small_end = (bits & 0x41) == 0;
  const uint64_t sign_at = bits >> 8 & 0xff;
  const uint64_t exponent = size == 2 ? 5 : size == 4 ? 8 : size == 8 ? 11 : 0;
  const uint64_t mantissa = 8 * uint64_t{size} - 1 - exponent;
  return exponent > 0 && small_end && offset == 0 && precision == 8 * uint64_t{size} && sign_at == precision - 1 &&
         exponent_at == mantissa && exponent_size == exponent && mantissa_at == 0 && mantissa_size == mantissa &&
         bias == (uint64_t{1} << (exponent - 1)) - 1;
}

bool is_whole(unsigned size, uint64_t bits, Cursor& fields) {
  const uint64_t offset = fields.number(2), precision = fields.number(2);
  return (bits & 1) == 0 && offset == 0 && precision == 8 * uint64_t{size} &&
         (size == 1 || size == 2 || size == 4 || size == 8);
}

}  // namespace

H5Type read_type(Cursor& fields, unsigned depth) {
  const unsigned head = static_cast<unsigned>(fields.number(1));
  const uint64_t bits = fields.number(3);
  H5Type type;
  type.size = static_cast<unsigned>(fields.number(4));
  switch (head & 15) {
    case 0:
      type.is_signed = (bits & 8) != 0;
      if (is_whole(type.size, bits, fields)) type.kind = H5Type::Kind::integer;
      break;
    case 1:
      if (is_ieee(type.size, bits, fields)) type.kind = H5Type::Kind::real;
      break;
    case 3:
      type.kind = H5Type::Kind::text;
      break;
    case 8:  // names for whole numbers: logicals are kept so
      if (depth == 0) {
        const unsigned size = type.size;
        type = read_type(fields, 1);
        if (type.kind != H5Type::Kind::integer || type.size != size) type.kind = H5Type::Kind::other;
      }
      break;
    case 9:
      type.variable = (bits & 15) == 1;
      if (type.variable) type.kind = H5Type::Kind::text;
      break;
    default:
      break;
  }
  return type;
}

std::vector<uint64_t> read_space(const H5Source& source, const ByteSpan& message) {
  Cursor fields(message, "the sizes of an object");
  const uint64_t version = fields.number(1), rank = fields.number(1), flags = fields.number(1);
  if (version != 1 && version != 2) fields.reject("the sizes of an object have an unknown version");
  const uint64_t kind = fields.number(1);
  if (version == 2 && kind == 2) return {0};  // no data at all
  if (version == 1) fields.skip(4);
  if (rank > most_axes) fields.reject("arrays with more than 8 axes are not read");
  if (flags & ~uint64_t{1}) fields.reject("permuted axes are not read");
  std::vector<uint64_t> dims;
  for (uint64_t k = 0; k < rank; ++k) dims.push_back(source.length(fields));
  return dims;
}

uint64_t element_count(const std::vector<uint64_t>& dims, uint64_t element_size, uint64_t where) {
  constexpr uint64_t most = uint64_t{1} << 62;
  uint64_t count = 1;
  for (const uint64_t size : dims) {
    if (size > 2147483647) fail_at(where, "an axis has more than 2147483647 elements");
    if (size != 0 && count > most / size) fail_at(where, "an array has too many elements");
    count *= size;
  }
  if (element_size != 0 && count > most / element_size) fail_at(where, "an array has too many elements");
  return count;
}

// Sign, 5 bits of exponent, 10 of mantissa.
double half_number(unsigned bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return mantissa == 0 ? sign * HUGE_VAL : std::nan("");
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

namespace {

// Text of fixed length ends at the first zero, or before the spaces that fill it up.
std::string fixed_text(const ByteSpan& data, uint64_t at, uint64_t size) {
  std::string text = data.text(at, size, "a string");
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string variable_text(H5Source& source, const ByteSpan& data, uint64_t at) {
  Cursor fields(data, "a string", at);
  const uint64_t size = fields.number(4), collection = source.address(fields), number = fields.number(4);
  if (size == 0) return "";
  const ByteSpan object = source.heap_object(collection, number);
  std::string text = object.text(0, size, "a string in the global heap");
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return text;
}

double number_of(const H5Type& type, const ByteSpan& data, uint64_t at) {
  if (type.kind == H5Type::Kind::integer) {
    const uint64_t value = data.number(at, type.size, "a number");
    if (!type.is_signed) return static_cast<double>(value);
    const unsigned unused = 64 - 8 * type.size;
    return static_cast<double>(static_cast<std::int64_t>(value << unused) >> unused);
  }
  if (type.size == 8) {
    double value;
    std::memcpy(&value, data.part(at, 8, "a number").data(), 8);
    return value;
  }
  if (type.size == 2) return half_number(static_cast<unsigned>(data.number(at, 2, "a number")));
  float value;
  std::memcpy(&value, data.part(at, 4, "a number").data(), 4);
  return static_cast<double>(value);
}

void read_values(H5Source& source, const ByteSpan& data, H5Attribute& attribute) {
  const H5Type& type = attribute.type;
  const uint64_t count = element_count(attribute.dims, type.size, data.origin());
  if (type.kind == H5Type::Kind::other || count == 0) return;
  if (type.variable && type.size != 8 + source.offset_size) fail_at(data.origin(), "a string has an unknown form");
  if (type.size == 0) fail_at(data.origin(), "an attribute has values without size");
  data.need(0, count * type.size, "the values of an attribute");
  source.spend(count);
  for (uint64_t k = 0; k < count; ++k) {
    const uint64_t at = k * type.size;
    if (type.kind != H5Type::Kind::text) {
      attribute.numbers.push_back(number_of(type, data, at));
      continue;
    }
    attribute.texts.push_back(type.variable ? variable_text(source, data, at) : fixed_text(data, at, type.size));
    source.spend_text(attribute.texts.back().size());
    if (!is_utf8(attribute.texts.back())) fail_at(data.origin(), "an attribute is not valid UTF-8");
  }
}

H5Attribute read_attribute(H5Source& source, const ByteSpan& message) {
  Cursor fields(message, "an attribute");
  const uint64_t version = fields.number(1), flags = fields.number(1);
  if (version < 1 || version > 3) fields.reject("an attribute has an unknown version");
  if (version > 1 && flags != 0) fields.reject("shared descriptions are not read");
  const uint64_t name_size = fields.number(2), type_size = fields.number(2), space_size = fields.number(2);
  if (version == 3) fields.skip(1);
  const auto field = [&](uint64_t size) {
    const ByteSpan part = fields.part(size);
    if (version == 1) fields.align8();
    return part;
  };
  H5Attribute attribute;
  attribute.name = fixed_text(field(name_size), 0, name_size);
  source.spend_text(attribute.name.size());
  if (!is_utf8(attribute.name)) fields.reject("the name of an attribute is not valid UTF-8");
  Cursor type(field(type_size), "the type of an attribute");
  attribute.type = read_type(type);
  attribute.dims = read_space(source, field(space_size));
  read_values(source, fields.part(fields.left()), attribute);
  return attribute;
}

}  // namespace

std::vector<H5Attribute> read_attributes(H5Source& source, const std::vector<H5Message>& messages) {
  std::vector<H5Attribute> attributes;
  for (const H5Message& message : messages) {
    if (message.type == 0x0c) attributes.push_back(read_attribute(source, message.content));
    if (message.type != 0x15) continue;
    Cursor fields(message.content, "a list of attributes");
    if (fields.number(1) != 0) fields.reject("a list of attributes has an unknown version");
    if (fields.number(1) & 1) fields.skip(2);
    const uint64_t heap = source.address(fields), tree = source.address(fields);
    if (source.undefined(heap)) continue;
    for (const ByteSpan& object : read_dense(source, heap, tree, 8))
      attributes.push_back(read_attribute(source, object));
  }
  return attributes;
}

}  // namespace birnn
