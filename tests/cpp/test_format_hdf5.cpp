// HDF5: what the writer writes, the reader reads; refusals; damage at every place.
#include "check.h"
#include "format_case.h"
#include "format_hdf5.h"
#include "format_hdf5_write.h"

using namespace birnn;
using format_case::bytes_of;

namespace {

View numbers(void* data, DType type, const Shape& shape) {
  View view;
  view.data = data;
  view.meta = Meta{type, shape};
  return view;
}

H5Content dataset(const std::string& name, const View& view) {
  H5Content content;
  content.name = name;
  content.is_group = false;
  content.numbers = view;
  return content;
}

H5Content group(const std::string& name) {
  H5Content content;
  content.name = name;
  return content;
}

float floats[6] = {1, 2, 3.5f, -4, 0, 1e-30f};
double doubles[2] = {1.0 / 3, -1e300};
std::int32_t whole[3] = {0, -7, 2147483647};
uint8_t logical[2] = {1, 0};

H5Content example() {
  H5Content root = group(""), vars = group("vars");
  vars.attributes = {
      {"name", {"l\xc3\xa4yer"}, false, true}, {"names", {"a", "", "ccc"}, true, false}, {"none", {}, true, true}};
  vars.members = {dataset("1", numbers(floats, DType::float32, {2, 3})),
                  dataset("0", numbers(doubles, DType::float64, {2})),
                  dataset("i", numbers(whole, DType::int32, {3})),
                  dataset("b", numbers(logical, DType::boolean, {2})),
                  dataset("scalar", numbers(floats, DType::float32, {})),
                  dataset("empty", numbers(floats, DType::float32, {0, 3}))};
  root.members = {vars, group("nothing")};
  return root;
}

std::string file_of(const H5Content& root) {
  const std::vector<uint8_t> bytes = write_hdf5(root);
  return std::string(bytes.begin(), bytes.end());
}

const H5Node& member(const H5Node& node, const std::string& name) {
  for (const H5Node& each : node.members)
    if (each.name == name) return each;
  fail("test", "no member " + name);
}

// Reads everything there is; returns how many numbers that were.
uint64_t read_all(const H5Node& node) {
  uint64_t count = 0;
  for (const H5Node& each : node.members) count += read_all(each);
  if (!node.is_group) {
    std::vector<double> out(node.data.count + 1);
    read_numbers(node.data, DType::float64, out.data());
    count += node.data.count;
  }
  return count;
}

uint64_t read_file(const std::string& file) { return read_all(H5File(bytes_of(file)).root()); }

}  // namespace

TEST(hdf5_round_trip) {
  const std::string file = file_of(example());
  const H5File read(bytes_of(file));
  const H5Node& vars = member(read.root(), "vars");
  CHECK(read.root().members.size() == 2 && member(read.root(), "nothing").is_group);
  CHECK(vars.attributes.size() == 3);
  CHECK(vars.attributes[0].name == "name" && vars.attributes[0].texts == std::vector<std::string>{"l\xc3\xa4yer"});
  CHECK(vars.attributes[0].dims.empty());
  CHECK((vars.attributes[1].texts == std::vector<std::string>{"a", "", "ccc"}));
  CHECK(vars.attributes[2].texts.empty() && vars.attributes[2].dims == std::vector<uint64_t>{0});
  CHECK((member(vars, "1").data.dims == std::vector<uint64_t>{2, 3}));
  float out[6];
  read_numbers(member(vars, "1").data, DType::float32, out);
  CHECK(std::equal(out, out + 6, floats));
  double wide[2];
  read_numbers(member(vars, "0").data, DType::float64, wide);
  CHECK(wide[0] == doubles[0] && wide[1] == doubles[1]);
  std::int32_t ints[3];
  read_numbers(member(vars, "i").data, DType::int32, ints);
  CHECK(std::equal(ints, ints + 3, whole));
  uint8_t bools[2];
  read_numbers(member(vars, "b").data, DType::boolean, bools);
  CHECK(bools[0] == 1 && bools[1] == 0);
  CHECK(member(vars, "scalar").data.dims.empty() && member(vars, "scalar").data.count == 1);
  CHECK(member(vars, "empty").data.count == 0);
}

TEST(hdf5_numbers_of_other_types) {
  const std::string file = file_of(example());
  const H5File read(bytes_of(file));
  const H5Node& vars = member(read.root(), "vars");
  double wide[6];
  read_numbers(member(vars, "1").data, DType::float64, wide);
  CHECK(wide[2] == 3.5);
  read_numbers(member(vars, "i").data, DType::float64, wide);
  CHECK(wide[1] == -7);
  std::int32_t ints[6];
  CHECK_ERROR(read_numbers(member(vars, "1").data, DType::int32, ints), "file");  // 3.5
}

// Several levels of nodes, and several collections of text.
TEST(hdf5_many_members) {
  H5Content root = group("");
  std::vector<float> values(3000);
  for (int k = 0; k < 3000; ++k) {
    values[static_cast<std::size_t>(k)] = static_cast<float>(k);
    root.members.push_back(
        dataset("w" + std::to_string(k), numbers(&values[static_cast<std::size_t>(k)], DType::float32, {1})));
    root.members.back().attributes.push_back(
        {"name", {std::string(static_cast<std::size_t>(k % 100), 'x')}, false, true});
  }
  const std::string file = file_of(root);
  const H5File read(bytes_of(file));
  CHECK(read.root().members.size() == 3000);
  int wrong = 0;
  for (const H5Node& each : read.root().members) {
    float value;
    read_numbers(each.data, DType::float32, &value);
    const int k = static_cast<int>(value);
    if (each.name != "w" + std::to_string(k) || each.attributes[0].texts[0].size() != static_cast<std::size_t>(k % 100))
      ++wrong;
  }
  CHECK(wrong == 0);
}

TEST(hdf5_refusals) {
  const std::string file = file_of(example());
  CHECK_ERROR(read_file(""), "file");
  CHECK_ERROR(read_file("\x89HDF\r\n\x1a\n"), "file");
  CHECK_ERROR(read_file("x" + file), "file");
  const auto with_byte = [&](std::size_t at, unsigned value) {
    std::string changed = file;
    changed[at] = static_cast<char>(value);
    return changed;
  };
  CHECK_ERROR(read_file(with_byte(8, 4)), "file");  // a newer version
  for (const unsigned width : {0u, 1u, 255u}) CHECK_ERROR(read_file(with_byte(13, width)), "file");
  CHECK_ERROR(read_file(with_byte(24, 8)), "file");  // base address
  CHECK_ERROR(read_file(with_byte(46, 1)), "file");  // end beyond the file
  CHECK_ERROR(read_file(with_byte(48, 0)), "file");  // a driver block
  CHECK_ERROR(read_file(file.substr(0, file.size() - 1)), "file");
}

// Any damage: an error, or a file that can be read to its end.
TEST(hdf5_damage) {
  uint64_t most = 0;
  const auto use = [&](const std::string& damaged) { most = std::max(most, read_file(damaged)); };
  format_case::for_each_damage(file_of(example()), use, 13);
  CHECK(most <= 30);
}
